"""Statistics: hand-computed percentiles, medians over trials, and counts that add up."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.records import Status
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.statistics.percentiles import percentile, summarise
from warpbench.bench.statistics.summary import cell_result

from ...built import CELL, TRIAL

pytestmark = pytest.mark.once

SECOND_NS = 1_000_000_000


def trial(*ends_s: float, outcome: Outcome = Outcome.SUCCEEDED) -> TrialResult:
    samples = tuple(
        SessionSample(number, outcome, 0, round(end_s * SECOND_NS))
        for number, end_s in enumerate(ends_s)
    )
    return replace(
        TRIAL,
        samples=samples,
        makespan_ns=max(sample.end_ns for sample in samples),
        ideal_makespan_ns=SECOND_NS,
        ideal_latencies_ns=(SECOND_NS,) * len(samples),
        llm_calls=4,
        tool_calls=8,
        peak_in_flight=2,
        cpu_s=0.5,
        peak_rss_bytes=1000,
        elapsed_s=0.25,
    )


@pytest.mark.parametrize(
    ("percent", "expected"), [(1, 1), (50, 50), (90, 90), (95, 95), (99, 99), (99.9, None)]
)
def test_a_percentile_is_the_nearest_rank(percent: float, expected: int | None) -> None:
    assert percentile(list(range(1, 101)), percent) == expected


@pytest.mark.parametrize(
    ("percent", "fewest"), [(50, 1), (90, 10), (95, 20), (99, 100), (99.9, 1000)]
)
def test_no_percentile_without_the_samples_to_carry_it(percent: float, fewest: int) -> None:
    assert percentile([1.0] * (fewest - 1), percent) is None
    assert percentile([1.0] * fewest, percent) == 1.0


def test_nothing_is_summarised_as_nothing() -> None:
    assert summarise([]).p50 is None


def test_figures_of_a_trial_are_medians_and_latencies_are_pooled() -> None:
    result = cell_result(CELL, [trial(1, 2), trial(1, 4), trial(3, 10)])

    assert result.makespan_s == 4
    assert result.efficiency == 0.25
    assert result.throughput_per_s == 0.5
    assert result.latency_s.max == 10
    assert result.latency_s.p50 == 2
    assert result.cpu_s_per_session == 0.25
    assert result.sessions.started == 6
    assert (result.latency_quantiles_s[0], result.latency_quantiles_s[-1]) == (1, 10)


def test_a_failed_session_leaves_no_efficiency_but_stays_in_the_percentiles() -> None:
    failed = trial(1, 9)
    samples = (failed.samples[0], replace(failed.samples[1], outcome=Outcome.FAILED, error="why"))

    result = cell_result(CELL, [replace(failed, samples=samples)])

    assert result.efficiency is None
    assert result.latency_s.max == 9
    assert result.error == "why"
    assert result.status is Status.MEASURED
    assert result.throughput_per_s == pytest.approx(1 / 9)


@given(st.lists(st.sampled_from(Outcome), min_size=1, max_size=50))
def test_started_is_the_sum_of_all_outcomes(outcomes: list[Outcome]) -> None:
    one = trial(*[1.0] * len(outcomes))
    samples = tuple(
        replace(sample, outcome=outcome)
        for sample, outcome in zip(one.samples, outcomes, strict=True)
    )

    counts = cell_result(CELL, [replace(one, samples=samples)]).sessions

    assert counts.started == len(outcomes)
    assert counts.started == sum(
        (counts.succeeded, counts.failed, counts.cancelled, counts.timed_out)
    )
