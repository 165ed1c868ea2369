"""Where the time went: what is a loss worth reporting."""

from collections.abc import Callable

import pytest
from warpbench.bench.results.records import CellResult, Run
from warpbench.bench.results.time_parts import TimeParts
from warpbench.reports.charts.palette import Palette
from warpbench.reports.charts.time_parts import describe_time_parts
from warpbench.reports.comparison.ranking import scenarios
from warpbench.reports.comparison.time_breakdown import MEANINGS, times_lost

pytestmark = pytest.mark.once

Cell = Callable[..., CellResult]
RunOf = Callable[..., Run]


def lost(run: Run) -> list[tuple[int, str, list[tuple[float, str]]]]:
    (scenario,) = scenarios(run)
    return [
        (each.load, each.part, [(share, cell.cell.strategy) for share, cell in each.losers])
        for group in scenario.groups
        for each in times_lost(group)
    ]


def test_who_waits_for_nothing_but_the_model_and_tools_gets_no_word(
    cell: Cell, run_of: RunOf
) -> None:
    parts = TimeParts(llm=2.0, tool=0.5, ready=0.1)
    assert lost(run_of([cell("gather", "asyncio", 10, time_parts_s=parts)])) == []


def test_each_cause_has_its_share_of_each_strategy_the_greatest_first(
    cell: Cell, run_of: RunOf
) -> None:
    blocked = TimeParts(llm=1.0, ready=3.0)
    in_turn = TimeParts(llm=1.0, tool=0.5, serialised=0.5)
    run = run_of(
        [
            cell("gather", "asyncio", 10, time_parts_s=blocked),
            cell("taskgroup", "asyncio", 10, time_parts_s=blocked),
            cell("threads", "none", 10, time_parts_s=in_turn),
        ]
    )
    assert lost(run) == [
        (10, "ready", [(0.75, "gather"), (0.75, "taskgroup")]),
        (10, "serialised", [(0.25, "threads")]),
    ]


def test_a_run_that_did_not_account_for_time_says_nothing(cell: Cell, run_of: RunOf) -> None:
    assert lost(run_of([cell("gather", "asyncio", 10, time_parts_s=None)])) == []


def test_the_bars_of_a_cell_are_as_long_as_its_latency(cell: Cell, run_of: RunOf) -> None:
    parts = TimeParts(llm=1.0, tool=0.5, ready=0.25, cpu=0.25)
    run = run_of([cell("gather", "asyncio", 10, time_parts_s=parts)])
    (scenario,) = scenarios(run)

    panel = describe_time_parts(scenario.groups[0], 10, Palette.of(run))

    assert panel is not None
    assert sum(span.end - span.begin for span in panel.spans) == 2.0
    assert [entry.label for entry in panel.legend] == [
        MEANINGS[part] for part in ("llm", "tool", "ready", "cpu")
    ]
