"""What the HTTP client costs, where a run has cells over sockets and in-process."""

from dataclasses import replace

import pytest
from warpbench.bench.results.records import CellResult, Run, Status
from warpbench.reports.comparison.client_cost import client_costs
from warpbench.reports.comparison.summary import summarise

from ...built import changed
from ..conftest import ENVIRONMENT, build_cell

pytestmark = pytest.mark.once


def cell(transport: str, strategy: str, cpu_s: float, load: int = 10) -> CellResult:
    made = build_cell(strategy, "asyncio", load, transport=transport)
    return replace(made, cpu_s_per_session=cpu_s, llm_calls=2 * made.cell.session_count)


def run(*cells: CellResult) -> Run:
    return Run(created_at="2026-01-01", command="x", environment=ENVIRONMENT, cells=cells)


def test_the_difference_of_a_call_is_taken_at_the_highest_load() -> None:
    (cost,) = client_costs(
        run(
            cell("respx", "gather", 0.001),
            cell("loopback", "gather", 0.009),
            cell("respx", "gather", 0.002, load=50),
            cell("loopback", "gather", 0.005, load=50),
            cell("respx", "threads", 0.002, load=50),
            cell("loopback", "threads", 0.001, load=50),
        )
    )

    assert (cost.scenario, cost.target, cost.transport, cost.load) == (
        *("tools", "agent", "loopback"),
        50,
    )
    assert [result.cell.strategy for result, _ in cost.costs_s] == ["gather", "threads"]
    assert [cost_s for _, cost_s in cost.costs_s] == pytest.approx([0.0015, -0.0005])


def test_it_is_part_of_the_summary() -> None:
    with_both = run(cell("respx", "gather", 0.001), cell("loopback", "gather", 0.009))

    assert summarise(with_both).client_costs == client_costs(with_both)


def test_cells_in_process_are_no_twins_of_each_other_however_sessions_arrive() -> None:
    poisson = changed(cell("respx", "gather", 0.01), arrivals="poisson:20")

    assert client_costs(run(cell("respx", "gather", 0.02), poisson)) == ()


def test_nothing_is_said_where_a_cell_has_no_twin_or_no_result() -> None:
    failed = replace(cell("loopback", "gather", 0.01), status=Status.FAILED)

    assert client_costs(run(cell("loopback", "gather", 0.01))) == ()
    assert client_costs(run(cell("respx", "gather", 0.01), failed)) == ()
