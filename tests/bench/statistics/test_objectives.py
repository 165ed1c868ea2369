"""Objectives as people write them, which cells meet them, and how goodput is counted."""

from dataclasses import replace

import pytest
from warpbench.bench.results.metrics import Metric
from warpbench.bench.results.records import CellResult, LatencySummary, SessionCounts
from warpbench.bench.results.samples import Outcome
from warpbench.bench.results.verdict import ObjectiveVerdict
from warpbench.bench.statistics.objectives import (
    Objective,
    Objectives,
    fastest_within,
    parse_objectives,
    recorded_objectives,
)
from warpbench.mocks.errors import UsageError

from ...built import cell_result, trial_figures, trial_with_streams

pytestmark = pytest.mark.once

MS = 1_000_000
TWO_SECONDS = parse_objectives("p99=2s")


def cell(load: int, per_s: float, p99: float | None, failed: int = 0) -> CellResult:
    return cell_result(
        concurrency=load,
        throughput_per_s=per_s,
        sessions=SessionCounts(started=100, succeeded=100 - failed, failed=failed),
        latency_s=LatencySummary(p99=p99),
    )


def test_the_highest_throughput_that_meets_the_objectives_loses_no_session() -> None:
    cells = [cell(1, 1, None), cell(10, 9, 1.1), cell(50, 40, 1.9), cell(60, 45, 1.9, failed=1)]
    cells.append(cell(100, 60, 2.1))

    best = fastest_within(cells, TWO_SECONDS)

    assert best is not None
    assert best.cell.concurrency == 50
    assert fastest_within(cells, parse_objectives("p99=500ms")) is None


def test_a_cell_meets_several_if_it_meets_each() -> None:
    found = replace(cell(10, 9, 1.9), ttft_s=LatencySummary(p95=0.8))

    assert parse_objectives("p99=2s,ttft_p95=800ms").are_met_by(found)
    assert not parse_objectives("p99=2s,ttft_p95=799ms").are_met_by(found)
    assert not parse_objectives("p99=1s,ttft_p95=800ms").are_met_by(found)


def test_too_few_samples_do_not_miss_an_objective_that_they_do_not_tell_of() -> None:
    both = parse_objectives("p99=2s,ttft_p95=1s")

    assert both.first_unreported([cell(1, 1, 3.0)]) == both.each[1]
    assert both.first_unreported([cell(1, 1, None)]) == both.each[0]


@pytest.mark.parametrize(
    ("text", "samples", "sessions"),
    [
        *(("p50=1s", 1, 1), ("p90=1s", 10, 10), ("max=1s", 1, 1), ("mean=1s", 1, 1)),
        *(("first_output_p99=1s", 100, 100), ("ttft_p95=1s", 20, 1), ("itl_p99=1s", 100, 1)),
    ],
)
def test_an_objective_says_how_many_samples_it_takes_and_how_many_sessions(
    text: str, samples: int, sessions: int
) -> None:
    (objective,) = parse_objectives(text).each
    assert (objective.samples, objective.sessions) == (samples, sessions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p99=2s", [Objective("p99", 2.0)]),
        ("mean=800ms", [Objective("mean", 0.8)]),
        ("p50=1h", [Objective("p50", 3600.0)]),
        (
            "ttft_p95=800ms, p99=10s",
            [Objective("p95", 0.8, Metric.TTFT), Objective("p99", 10.0)],
        ),
        (
            "itl_max=1s,first_output_p50=2s",
            [Objective("max", 1.0, Metric.ITL), Objective("p50", 2.0, Metric.FIRST_OUTPUT)],
        ),
    ],
)
def test_objectives_are_read(text: str, expected: list[Objective]) -> None:
    assert parse_objectives(text) == Objectives(tuple(expected))


@pytest.mark.parametrize(
    "text",
    [
        *("", "p99", "p98=2s", "p99=0s", "p99=-1s", "p99<2s", "ttft=1s", "ttft_p98=1s"),
        *("p99=2s,", "latency_p99=2s,ttfp_p99=1s", "p99=1s,p99=2s"),
    ],
)
def test_what_is_no_objective_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_objectives(text)
    with pytest.raises(UsageError, match="--slo"):
        recorded_objectives(text)


def test_a_bare_number_is_seconds_in_an_older_run_and_refused_in_what_people_write() -> None:
    assert recorded_objectives("p99=2") == recorded_objectives("p99=2s") == TWO_SECONDS
    with pytest.raises(ValueError, match="'2' has no unit"):
        parse_objectives("p99=2")


@pytest.mark.parametrize(
    ("reached_s", "succeeded", "is_met", "is_known"),
    [
        (2.0, 100, True, True),
        (2.1, 100, False, True),
        (1.0, 99, False, True),
        (None, 100, False, False),
        (None, 99, False, True),
    ],
)
def test_sessions_meet_an_objective_by_their_figure_if_none_of_them_fails(
    reached_s: float | None, succeeded: int, is_met: bool, is_known: bool
) -> None:
    figures = replace(cell(1, 1, None), ttft_s=LatencySummary(p99=reached_s, max=9.0))

    (found,) = parse_objectives("ttft_p99=2s").verdicts_on(
        figures, succeeded=succeeded, started=100
    )

    assert found == ObjectiveVerdict(
        figure="p99",
        metric=Metric.TTFT,
        limit_s=2.0,
        reached_s=reached_s,
        samples=100,
        succeeded=succeeded,
        started=100,
        is_met=is_met,
    )
    assert found.is_known is is_known


class TestGoodput:
    """Sessions a second, in trials of one second."""

    def measured(self, **changes: object) -> CellResult:
        trial = replace(trial_with_streams(good=30, bad=10), **changes)  # type: ignore[arg-type]
        return cell_result(trial_figures=(trial,))

    @pytest.mark.parametrize(
        ("text", "per_s"),
        [
            ("ttft_p50=300ms", 30.0),
            ("ttft_p99=300ms", 30.0),
            ("ttft_p99=299ms", 0.0),
            ("ttft_p99=3s", 40.0),
            ("ttft_p99=3s,p99=3s", 0.0),
            ("ttft_p99=1s,p99=4s", 30.0),
            ("first_output_p50=1s", 30.0),
            ("itl_max=20ms", 40.0),
            ("itl_max=19ms", 0.0),
        ],
    )
    def test_it_counts_the_sessions_within_every_limit_whatever_the_percentile(
        self, text: str, per_s: float
    ) -> None:
        assert parse_objectives(text).goodput_per_s(self.measured()) == per_s

    def test_a_session_that_failed_is_not_good_however_fast_it_was(self) -> None:
        outcomes = (Outcome.FAILED,) * 5 + (Outcome.SUCCEEDED,) * 35
        found = self.measured(outcome=outcomes)
        assert parse_objectives("ttft_p99=1s").goodput_per_s(found) == 25.0

    def test_a_session_without_a_stream_shows_no_time_to_first_token(self) -> None:
        found = self.measured(longest_ttft_ns=(-1,) * 10 + (300 * MS,) * 30)
        assert parse_objectives("ttft_p99=1s").goodput_per_s(found) == 30.0
        assert parse_objectives("itl_p99=1s").goodput_per_s(found) == 30.0
        assert parse_objectives("p99=4s").goodput_per_s(found) == 40.0

    def test_a_stream_of_one_piece_has_no_gap_that_could_be_too_long(self) -> None:
        found = self.measured(longest_gap_ns=())
        assert parse_objectives("itl_p99=1ms").goodput_per_s(found) == 40.0

    def test_without_any_stream_there_is_no_goodput_by_its_times(self) -> None:
        found = self.measured(longest_ttft_ns=(), longest_gap_ns=())
        assert parse_objectives("ttft_p99=1h").goodput_per_s(found) == 0.0

    def test_it_is_the_median_of_the_trials_and_unknown_without_their_sessions(self) -> None:
        trials = tuple(trial_with_streams(good=good, bad=0) for good in (10, 30, 20))
        assert parse_objectives("p99=4s").goodput_per_s(cell_result(trial_figures=trials)) == 20.0
        without = cell_result(trial_figures=(trial_figures(9.0),))
        assert parse_objectives("p99=4s").goodput_per_s(without) is None
