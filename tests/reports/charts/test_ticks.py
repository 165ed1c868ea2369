"""A logarithmic axis has labels in every range."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.reports.charts.ticks import logarithmic_ticks

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1, 1000, (1, 10, 100, 1000)),
        (0.8, 30, (1, 2, 5, 10, 20)),
        (3.1, 4.6, (3.5, 4, 4.5)),  # holds no power of ten, nor a two or a five of one
        (0.00096, 0.00104, (0.00096, 0.00098, 0.001, 0.00102, 0.00104)),
        (299.8, 300.2, (299.8, 300, 300.2)),
        (1e-6, 1e6, (1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6)),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: tuple[float, ...]) -> None:
    assert logarithmic_ticks(low, high) == expected


@given(st.floats(1e-9, 1e9), st.floats(1.0001, 1e15))
def test_every_range_has_three_to_twelve_ticks(low: float, ratio: float) -> None:
    high = low * ratio
    ticks = logarithmic_ticks(low, high)
    assert 3 <= len(ticks) <= 12
    assert all(low <= tick * (1 + 1e-9) and tick * (1 - 1e-9) <= high for tick in ticks)
    assert all(first < second for first, second in pairwise(ticks))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (2, 2), (3, 2), (1, float("inf"))])
def test_a_range_that_no_logarithm_has_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="must begin above zero"):
        logarithmic_ticks(low, high)
