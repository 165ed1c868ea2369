"""Draws nearer to the median: a share of the way, whatever the distribution."""

from random import Random

import pytest
from warpbench.mocks.scenario.distributions import Distribution, Lognormal, Uniform
from warpbench.mocks.scenario.nearer import Nearer

pytestmark = pytest.mark.once

WHOLES = [Uniform(0.4, 0.6), Lognormal.of_percentiles(0.5, 1.5)]


@pytest.mark.parametrize("whole", WHOLES)
def test_each_draw_is_that_share_of_the_way_from_the_median(whole: Distribution) -> None:
    drawn, nearer = Random(1), Random(1)

    for _ in range(20):
        expected = 0.5 + 0.25 * (whole.draw(drawn) - 0.5)
        assert Nearer(whole, 0.25).draw(nearer) == pytest.approx(expected)
    assert drawn.random() == nearer.random()


@pytest.mark.parametrize("whole", WHOLES)
def test_its_mean_and_quantiles_are_so_too(whole: Distribution) -> None:
    nearer = Nearer(whole, 0.25)

    assert nearer.mean == pytest.approx(0.5 + 0.25 * (whole.mean - 0.5))
    assert nearer.quantile(0.5) == pytest.approx(0.5)
    assert nearer.quantile(0.9) == pytest.approx(0.5 + 0.25 * (whole.quantile(0.9) - 0.5))
    assert Nearer(whole, -99).quantile(0.9) == 0
