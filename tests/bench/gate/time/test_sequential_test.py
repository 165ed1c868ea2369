"""Looks, shares of error, Holm: what is decided when, and how often wrongly."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.gate.time.sequential_test import (
    ALPHA,
    LOOKS,
    MOST_BLOCKS,
    conclude,
    control_differs,
    decide,
    estimate_of,
)
from warpbench.bench.results.verdict import Verdict

pytestmark = pytest.mark.once

MARGIN = 0.03
FIRST = min(LOOKS)


def rising(ratio: float, count: int) -> list[float]:
    """Blocks around a ratio, with a little spread so that there are no ties."""
    return [math.log(ratio) + 0.0001 * (number - count / 2) for number in range(count)]


def test_the_shares_of_the_looks_add_up_to_the_whole() -> None:
    assert math.fsum(LOOKS.values()) == pytest.approx(1.0)


def test_between_looks_nothing_is_decided() -> None:
    for count in set(range(1, MOST_BLOCKS)) - set(LOOKS):
        assert decide({"cell": rising(2.0, count)}, {}, MARGIN) == {}


def test_one_cell_can_be_told_at_the_first_look_and_four_at_the_second() -> None:
    assert decide({"a": rising(2.0, 6)}, {}, MARGIN) == {"a": Verdict.REGRESSED}
    cells = {name: rising(2.0, 6) for name in "abcd"}
    assert decide(cells, {}, MARGIN) == {}
    cells = {name: rising(2.0, 8) for name in "abcd"}
    assert decide(cells, {}, MARGIN) == dict.fromkeys("abcd", Verdict.REGRESSED)


def test_growth_within_the_margin_has_held_and_a_fall_is_an_improvement() -> None:
    assert decide({"a": rising(1.0, 6)}, {}, MARGIN) == {"a": Verdict.PASSED}
    assert decide({"a": rising(1.02, 6)}, {}, MARGIN) == {"a": Verdict.PASSED}
    assert decide({"a": rising(0.5, 12)}, {}, MARGIN) == {"a": Verdict.IMPROVED}


def test_a_cell_that_is_decided_is_not_decided_again() -> None:
    decided = {"a": Verdict.PASSED}
    assert decide({"a": rising(2.0, 8)}, decided, MARGIN) == {}


def test_at_the_end_a_cell_passes_only_if_twice_the_margin_is_ruled_out() -> None:
    assert conclude(rising(1.0, 6), MARGIN) is Verdict.PASSED
    assert conclude(rising(1.05, 6), MARGIN) is Verdict.PASSED
    assert conclude(rising(1.2, 6), MARGIN) is Verdict.INCONCLUSIVE
    assert conclude([-0.2, 0.3, -0.1, 0.2, -0.3, 0.1], MARGIN) is Verdict.INCONCLUSIVE
    assert conclude([], MARGIN) is Verdict.INCONCLUSIVE


def test_a_control_that_leans_to_one_side_differs() -> None:
    assert not control_differs([])
    assert not control_differs([0.01, -0.02, 0.015, -0.005, 0.002, -0.012, 0.02, -0.018])
    assert control_differs([0.001 * number for number in range(1, 9)])
    assert control_differs([-0.001 * number for number in range(1, 9)])


def test_an_estimate_says_how_sure_it_is() -> None:
    found = estimate_of(rising(1.05, 8))
    assert found.ratio == pytest.approx(1.05, abs=1e-3)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.ratio < found.high
    assert found.blocks == 8


def share_regressed(
    draw: Callable[[random.Random], float], cells: int, runs: int, seed: int = 1
) -> float:
    """Return how many of so many runs call any of their cells regressed."""
    lots = random.Random(seed)
    regressed = 0
    for _ in range(runs):
        decided: dict[str, Verdict] = {}
        values: dict[str, list[float]] = {str(cell): [] for cell in range(cells)}
        for _ in range(MOST_BLOCKS):
            for name in values.keys() - decided.keys():
                values[name].append(draw(lots))
            decided |= decide(values, decided, MARGIN)
            if len(decided) == cells:
                break
        regressed += Verdict.REGRESSED in decided.values()
    return regressed / runs


def test_on_the_margin_itself_the_error_stays_below_its_bound() -> None:
    """The worst case: all cells exactly on the margin, where each look may err."""
    share = share_regressed(lambda lots: math.log1p(MARGIN) + lots.gauss(0, 0.01), 4, 200)
    # Three standard errors of a share of 200 above the bound.
    assert share <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / 200)


def test_a_growth_of_twice_the_margin_is_found_under_noise_of_one_per_cent() -> None:
    assert share_regressed(lambda lots: math.log(1.06) + lots.gauss(0, 0.01), 1, 100) > 0.95


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.lists(st.floats(-0.5, 0.5), min_size=8, max_size=8),
        min_size=1,
    )
)
def test_what_is_worse_in_every_block_is_never_decided_to_be_better(
    cells: dict[str, list[float]],
) -> None:
    before = decide(cells, {}, MARGIN)
    worse = {name: [value + 0.1 for value in values] for name, values in cells.items()}
    after = decide(worse, {}, MARGIN)
    for name in cells:
        if before.get(name) is Verdict.REGRESSED:
            assert after.get(name) is Verdict.REGRESSED
