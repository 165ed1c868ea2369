"""The scaling law is found again in data made from it."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.bench.statistics.scaling import ScalingLaw, fit

pytestmark = pytest.mark.once

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
