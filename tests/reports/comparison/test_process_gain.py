"""What more processes carry, where a run has cells in one process and in several."""

from dataclasses import replace

import pytest
from warpbench.bench.results.records import CellResult, Run, Status
from warpbench.reports.comparison.process_gain import process_gains
from warpbench.reports.comparison.summary import summarise
from warpbench.reports.comparison.summary_text import process_gain_sentence

from ..conftest import ENVIRONMENT, build_cell

pytestmark = pytest.mark.once


def cell(processes: int, strategy: str, *per_s: float, load: int = 10) -> CellResult:
    made = build_cell(strategy, "asyncio", load, processes=processes)
    figures = made.trial_figures[0]
    return replace(
        made,
        throughput_per_s=sorted(per_s)[len(per_s) // 2],
        trial_figures=tuple(replace(figures, throughput_per_s=each) for each in per_s),
    )


def run(*cells: CellResult) -> Run:
    return Run(created_at="2026-01-01", command="x", environment=ENVIRONMENT, cells=cells)


def test_the_gain_is_taken_at_the_highest_load_trial_by_trial() -> None:
    (gain,) = process_gains(
        run(
            cell(1, "gather", 5, 5, 5),
            cell(2, "gather", 5, 5, 5),
            cell(1, "gather", 10, 20, 40, load=50),
            cell(2, "gather", 19, 38, 76, load=50),
            cell(1, "threads", 10, 10, 10, load=50),
            cell(2, "threads", 9, 10, 11, load=50),
        )
    )

    assert (gain.scenario, gain.target, gain.processes, gain.load) == ("tools", "agent", 2, 50)
    first, second = gain.gains
    assert (first.result.cell.strategy, second.result.cell.strategy) == ("gather", "threads")
    assert first.times == pytest.approx(1.9)
    assert first.interval is not None
    assert (first.interval.low, first.interval.high) == pytest.approx((1.9, 1.9))
    assert second.interval is not None
    assert second.interval.low < 1 < second.interval.high


def test_it_is_told_with_its_intervals() -> None:
    sure = run(cell(1, "gather", 10, 20, 40), cell(2, "gather", 19, 38, 76))
    unsure = run(cell(1, "gather", 10, 10, 10), cell(2, "gather", 9, 10, 11))

    (told,) = map(process_gain_sentence, summarise(sure).process_gains)
    (told_with_doubt,) = map(process_gain_sentence, summarise(unsure).process_gains)

    assert told == (
        "tools (agent): at concurrency 10, 2 processes carry 1.90 times as many sessions as one "
        "with gather · asyncio (1.90 to 1.90)."
    )
    assert told_with_doubt.endswith("An interval that contains 1 shows no difference.")


def test_nothing_is_told_without_a_cell_in_one_process_that_carried_something() -> None:
    failed = replace(cell(1, "gather", 10), status=Status.FAILED)

    assert process_gains(run(cell(2, "gather", 10))) == ()
    assert process_gains(run(cell(1, "gather", 10), cell(2, "threads", 10))) == ()
    assert process_gains(run(failed, cell(2, "gather", 10))) == ()


def test_in_an_open_loop_the_plan_says_how_many_sessions_there_are() -> None:
    of_a_plan = [
        replace(each, cell=replace(each.cell, arrivals="poisson:20"))
        for each in (cell(1, "gather", 10), cell(2, "gather", 10))
    ]

    assert process_gains(run(*of_a_plan)) == ()
