"""The scaling law is found again in data made from it; goodput is what was measured."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.bench.results.records import CellResult, LatencySummary, SessionCounts
from warpbench.bench.results.verdict import ObjectiveVerdict
from warpbench.bench.statistics.scaling import (
    Objective,
    ScalingLaw,
    fit,
    goodput,
    parse_objective,
    recorded_objective,
)
from warpbench.mocks.errors import UsageError

from ...built import cell_result

LOADS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def law(one_per_s: float, contention: float, coherency: float) -> ScalingLaw:
    return ScalingLaw(one_per_s=one_per_s, contention=contention, coherency=coherency, error=0.0)


def points(true: ScalingLaw, noise: float = 0.0) -> list[tuple[int, float]]:
    draw = Random(3)
    return [
        (load, true.throughput_per_s(load) * (1 + draw.uniform(-noise, noise))) for load in LOADS
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.01, 1000),
    st.floats(0.005, 0.3),
    st.floats(-4.5, -2.5).map(lambda exponent: 10**exponent),
)
def test_parameters_are_recovered_within_five_per_cent(
    one_per_s: float, contention: float, coherency: float
) -> None:
    found = fit(points(law(one_per_s, contention, coherency)))
    assert found is not None
    assert found.one_per_s == pytest.approx(one_per_s, rel=0.05)
    assert found.contention == pytest.approx(contention, rel=0.05)
    assert found.coherency == pytest.approx(coherency, rel=0.05)
    assert found.error < 0.001


@pytest.mark.parametrize("knee", [11, 23, 45, 90, 181])
def test_the_knee_is_found_within_one_step_of_the_sweep_also_with_noise(knee: int) -> None:
    contention = 0.02
    true = law(0.8, contention, (1 - contention) / knee**2)
    found = fit(points(true, noise=0.02))
    assert found is not None
    assert found.knee is not None
    assert abs(math.log2(found.knee / knee)) < 1  # a step is a doubling
    assert found.saturation_per_s == pytest.approx(true.saturation_per_s, rel=0.05)


def test_what_grows_for_ever_has_no_knee() -> None:
    found = fit([(load, 0.8 * load) for load in LOADS])
    assert found is not None
    assert found.knee is None
    assert found.saturation_per_s is None


def test_three_loads_carry_no_fit() -> None:
    assert fit([(1, 1.0), (2, 2.0), (4, 3.9)]) is None
    assert fit([(1, 1.0), (2, 2.0), (4, 3.9), (8, 0.0)]) is None


def cell(load: int, per_s: float, p99: float | None, failed: int = 0) -> CellResult:
    return cell_result(
        concurrency=load,
        throughput_per_s=per_s,
        sessions=SessionCounts(started=100, succeeded=100 - failed, failed=failed),
        latency_s=LatencySummary(p99=p99),
    )


def test_goodput_is_the_most_that_keeps_the_objective_and_loses_nothing() -> None:
    cells = [cell(1, 1, None), cell(10, 9, 1.1), cell(50, 40, 1.9), cell(60, 45, 1.9, failed=1)]
    cells.append(cell(100, 60, 2.1))
    best = goodput(cells, Objective("p99", 2.0))
    assert best is not None
    assert best.cell.concurrency == 50
    assert goodput(cells, Objective("p99", 0.5)) is None


def test_too_few_sessions_do_not_break_an_objective_they_do_not_tell() -> None:
    objective = Objective("p99", 2.0)
    assert not objective.is_reported_by(cell(1, 1, None))
    assert objective.is_reported_by(cell(1, 1, 3.0))
    assert objective.sessions == 100


@pytest.mark.parametrize(("figure", "sessions"), [("p50", 1), ("p90", 10), ("max", 1), ("mean", 1)])
def test_an_objective_says_how_many_sessions_it_takes(figure: str, sessions: int) -> None:
    assert Objective(figure, 1.0).sessions == sessions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p99=2s", Objective("p99", 2.0)),
        ("mean=800ms", Objective("mean", 0.8)),
        ("p50=1h", Objective("p50", 3600.0)),
    ],
)
def test_an_objective_is_read(text: str, expected: Objective) -> None:
    assert parse_objective(text) == expected


@pytest.mark.parametrize("text", ["", "p99", "p98=2s", "p99=0s", "p99=-1s", "p99<2s"])
def test_what_is_no_objective_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_objective(text)
    with pytest.raises(UsageError, match="--slo"):
        recorded_objective(text)


def test_a_bare_number_is_seconds_in_an_older_run_and_refused_in_what_people_write() -> None:
    assert recorded_objective("p99=2") == recorded_objective("p99=2s") == Objective("p99", 2.0)
    with pytest.raises(ValueError, match="'2' has no unit"):
        parse_objective("p99=2")


@pytest.mark.parametrize(
    ("reached_s", "succeeded", "is_met"),
    [(2.0, 100, True), (2.1, 100, False), (1.0, 99, False), (None, 100, False)],
)
def test_sessions_meet_an_objective_by_their_figure_if_none_of_them_fails(
    reached_s: float | None, succeeded: int, is_met: bool
) -> None:
    latency_s = LatencySummary(p99=reached_s, max=9.0)

    found = Objective("p99", 2.0).verdict_on(latency_s, succeeded=succeeded, started=100)

    assert found == ObjectiveVerdict(
        figure="p99",
        limit_s=2.0,
        reached_s=reached_s,
        succeeded=succeeded,
        started=100,
        is_met=is_met,
    )
