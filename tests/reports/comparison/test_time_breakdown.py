"""What the report says of where the time went."""

from collections.abc import Callable

from warpbench.bench.results.records import CellResult, Run
from warpbench.bench.results.time_parts import TimeParts
from warpbench.reports.charts.palette import Palette
from warpbench.reports.charts.time_parts import describe_time_parts
from warpbench.reports.comparison.ranking import scenarios
from warpbench.reports.comparison.time_breakdown import MEANINGS, time_sentences

Cell = Callable[..., CellResult]
RunOf = Callable[..., Run]


def sentences(run: Run) -> list[str]:
    (scenario,) = scenarios(run)
    return [sentence for field in scenario.fields for sentence in time_sentences(field)]


def test_who_waits_for_nothing_but_the_model_and_tools_gets_no_word(
    cell: Cell, run_of: RunOf
) -> None:
    parts = TimeParts(llm=2.0, tool=0.5, ready=0.1)
    assert sentences(run_of([cell("gather", "asyncio", 10, time_parts_s=parts)])) == []


def test_the_cause_is_named_with_its_share_and_those_alike_together(
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
    assert sentences(run) == [
        "With 10 sessions, time was lost ready to go on, while the event loop or the interpreter "
        "was busy: 75 % by gather and taskgroup on asyncio.",
        "With 10 sessions, time was lost on tools that could have run side by side, and ran in "
        "turn: 25 % by threads.",
    ]


def test_a_run_that_did_not_account_for_time_says_nothing(cell: Cell, run_of: RunOf) -> None:
    assert sentences(run_of([cell("gather", "asyncio", 10, time_parts_s=None)])) == []


def test_the_bars_of_a_cell_are_as_long_as_its_latency(cell: Cell, run_of: RunOf) -> None:
    parts = TimeParts(llm=1.0, tool=0.5, ready=0.25, cpu=0.25)
    run = run_of([cell("gather", "asyncio", 10, time_parts_s=parts)])
    (scenario,) = scenarios(run)

    panel = describe_time_parts(scenario.fields[0], 10, Palette.of(run))

    assert panel is not None
    assert sum(span.end - span.begin for span in panel.spans) == 2.0
    assert [entry.label for entry in panel.legend] == [
        MEANINGS[part] for part in ("llm", "tool", "ready", "cpu")
    ]
