"""A factor of a cell is declared at its field: reports tell cells apart by it without an edit."""

from dataclasses import fields, replace
from typing import Any

import pytest
from warpbench.bench.cli.options import FactorOptions
from warpbench.bench.results.cell import FACTORS, Factor
from warpbench.bench.results.records import Run
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.strategies import gather
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.transports.registry import RESPX
from warpbench.reports.comparison.ranking import scenarios

from ..built import CELL, HEADER, cell_result
from .added import table_of

pytestmark = pytest.mark.once

OTHER = {
    "target": "bare-sdk",
    "transport": "loopback",
    "arrivals": "poisson:5",
    "clock": CELL.clock.VIRTUAL,
    "tool_workers": 3,
    "seed": 77,
    "session_count": 55,
    "processes": 2,
    "workers": 2,
}


OPTIONS: dict[str, Any] = {
    "target": ("bare-sdk",),
    "strategy": ("threads",),
    "loop": ("uvloop",),
    "sessions": 3,
    "seed": 77,
    "tool_workers": 3,
    "provenance": "off",
}


def run_with(factor: str) -> Run:
    """Return a run of two cells that differ in one factor."""
    cells = (
        cell_result(makespan_s=1.0, throughput_per_s=1.0),
        cell_result(makespan_s=1.0, throughput_per_s=1.0, **{factor: OTHER[factor]}),
    )
    return Run(
        created_at=HEADER.created_at,
        command=HEADER.command,
        environment=HEADER.environment,
        cells=cells,
    )


def headings(run: Run) -> list[str]:
    """Return what stands above the columns of the table of a run."""
    line = next(line for line in table_of(run).splitlines() if "strategy" in line)
    return line.split()


@pytest.mark.parametrize("factor", FACTORS)
def test_each_factor_sets_cells_apart_and_has_its_column(factor: str) -> None:
    run = run_with(factor)

    (scenario,) = scenarios(run)

    assert len(scenario.groups) == 2
    assert [field.name for field in scenario.groups] == [
        FACTORS[factor].phrase(getattr(result.cell, factor)) for result in run.cells
    ]
    assert FACTORS[factor].heading in headings(run)


def test_one_that_is_added_is_shown_like_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_with("session_count")
    assert len(scenarios(before)[0].groups) == 1

    monkeypatch.setitem(  # type: ignore[misc]
        FACTORS,  # type: ignore[arg-type]
        "session_count",
        Factor(heading="sessions", explanation="Sessions in all.", text=str, is_name=False),
    )

    assert [field.name for field in scenarios(before)[0].groups] == ["100", "55"]
    assert "sessions" in headings(before)


def test_a_plan_has_a_field_for_each_factor() -> None:
    """The second file: the plan that varies it."""
    singular = {"tool_workers", "clock", "seed"}
    planned = {part.name for part in fields(Factors)}

    assert {name if name in singular else f"{name.removesuffix('s')}s" for name in FACTORS} <= (
        planned
    )


@pytest.mark.parametrize("option", [part.name for part in fields(FactorOptions)])
def test_each_option_is_passed_on_where_it_is_declared(option: str) -> None:
    """The third file: one that is declared and goes nowhere has no row in ``OPTIONS``."""
    scenarios = (load_scenario("chat"),)

    usual = FactorOptions().factors(scenarios, ClockMode.VIRTUAL)
    other = FactorOptions(**{option: OPTIONS[option]}).factors(scenarios, ClockMode.VIRTUAL)

    changed = [
        part.name
        for part in fields(Factors)
        if getattr(usual, part.name) != getattr(other, part.name)
    ]
    assert len(changed) == 1


def test_usual_values_go_without_saying() -> None:
    (spec,) = cells_of(Factors(scenarios=(load_scenario("chat"),), strategies=(gather.STRATEGY,)))[
        :1
    ]

    assert spec.cell.unusual == {}
    assert replace(spec.cell, transport=RESPX.name, arrivals="ramp:1-9").unusual == {
        "arrivals": "ramp:1-9"
    }
