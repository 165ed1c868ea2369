"""A run that was not steady says so, and one that was does not."""

from dataclasses import replace
from random import Random

import pytest
from warpbench.bench.results.records import CellResult, Finding, FindingKind
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.findings import findings_of
from warpbench.bench.statistics.steadiness import drift_within, trend_over
from warpbench.bench.statistics.summary import cell_result

from ...built import CELL, TRIAL, changed

pytestmark = pytest.mark.once

MS = 1_000_000


def trial(segment: list[float], makespan_ms: int = 1000) -> TrialResult:
    """Sessions that begin one after the other, each with a critical path of its own."""
    ideals_ns = tuple((100 + 37 * number % 200) * MS for number in range(len(segment)))
    samples = tuple(
        SessionSample(
            number, Outcome.SUCCEEDED, number * MS, number * MS + round(ideal_ns * factor)
        )
        for number, (ideal_ns, factor) in enumerate(zip(ideals_ns, segment, strict=True))
    )
    return replace(
        TRIAL,
        samples=samples,
        makespan_ns=makespan_ms * MS,
        ideal_latencies_ns=ideals_ns,
        cpu_s=1.0,
        elapsed_s=1.0,
    )


def scattered(around: float, count: int, seed: int) -> list[float]:
    draw = Random(seed)
    return [around * draw.uniform(1.0, 1.2) for _ in range(count)]


def reported(*cells: CellResult) -> list[Finding]:
    unsteady = (FindingKind.NOT_STEADY, FindingKind.MACHINE_DRIFTED)
    return [each for each in findings_of(cells) if each.kind in unsteady]


def test_sessions_that_take_longer_and_longer_are_a_drift() -> None:
    trials = [trial(scattered(1.0, 50, 1) + scattered(1.3, 50, 2))]
    assert drift_within(trials, 10) == pytest.approx(0.3, abs=0.05)
    (finding,) = reported(cell_result(CELL, trials))
    assert finding.kind is FindingKind.NOT_STEADY
    assert finding.values["drift"] == drift_within(trials, 10)
    assert finding.values["cell"] == "tools/gather/asyncio at concurrency 10"


def test_the_first_wave_and_the_last_are_no_steady_state_and_do_not_count() -> None:
    segments = scattered(5.0, 30, 1) + scattered(1.0, 80, 2) + scattered(0.2, 30, 3)
    assert drift_within([trial(segments)], 30) is None
    assert drift_within([trial(segments)], 0) is not None


def test_sessions_that_only_scatter_or_are_all_alike_do_not_drift() -> None:
    assert drift_within([trial(scattered(1.0, 100, 1))], 10) is None
    assert drift_within([trial([1.0] * 100)], 10) is None


def test_few_sessions_tell_nothing() -> None:
    assert drift_within([trial(scattered(1.0, 20, 1) + scattered(2.0, 20, 2))], 10) is None


def run_of(factors: list[float]) -> list[CellResult]:
    """Cells whose last trial took so much longer than the first."""
    return [
        changed(
            cell_result(
                CELL,
                [trial([1.0] * 10, 1000), trial([1.0] * 10, round(1000 * factor))],
            ),
            strategy=f"strategy-{index}",
        )
        for index, factor in enumerate(factors)
    ]


def test_a_machine_that_becomes_slower_is_reported_once() -> None:
    cells = run_of([1.1 + index / 1000 for index in range(12)])
    assert trend_over(cells) == pytest.approx(-0.095, abs=0.01)
    (finding,) = reported(*cells)
    assert finding.kind is FindingKind.MACHINE_DRIFTED
    assert finding.values == {"trend": trend_over(cells)}


def test_where_some_become_slower_and_some_faster_there_is_no_trend() -> None:
    assert trend_over(run_of([1.1, 0.9] * 6)) is None
    assert trend_over(run_of([1.1] * 5)) is None  # too few to tell from chance
