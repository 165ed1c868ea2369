"""Looks, error rates and the control: what may be decided when, and what it is charged."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.gate.time.sequential_test import (
    ALPHA,
    CONTROL_ALPHA,
    FIRST_LOOK,
    LOOKS,
    MOST_BLOCKS,
    PASSING_ALPHA,
    SequentialTest,
    Spending,
    can_regress,
    control_differs,
    estimate_of,
    fewest_blocks,
)
from warpbench.bench.results.verdict import Verdict

pytestmark = pytest.mark.once

MARGIN = 0.03
BETWEEN_LOOKS = sorted(set(range(FIRST_LOOK, MOST_BLOCKS)) - set(LOOKS))


def rising(ratio: float, count: int) -> list[float]:
    """Blocks around a ratio, with a little spread so that there are no ties."""
    return [math.log(ratio) + 0.0001 * (number - count / 2) for number in range(count)]


def even(count: int) -> list[float]:
    """A control that favours neither side."""
    return [0.001 * (number + 1) * (-1) ** number for number in range(count)]


def looked(
    blocks: int,
    ratios: dict[str, float],
    *,
    control: list[float] | None = None,
    is_last: bool = False,
) -> dict[str, Verdict]:
    """Return what a first look decides."""
    test = SequentialTest(tuple(ratios), MARGIN)
    values = {name: rising(ratio, blocks) for name, ratio in ratios.items()}
    test.look(values, even(blocks) if control is None else control, is_last=is_last)
    return test.decided


def test_between_looks_nothing_is_decided() -> None:
    for count in set(range(1, MOST_BLOCKS)) - set(LOOKS):
        assert looked(count, {"cell": 2.0}) == {}


@given(st.integers(1, MOST_BLOCKS), st.integers(1, 24), st.booleans())
def test_no_verdict_comes_before_the_control_could_have_fired(
    blocks: int, cells: int, is_last: bool
) -> None:
    ratios = {str(number): (2.0, 1.0, 0.5)[number % 3] for number in range(cells)}
    could_have_fired = control_differs(rising(1.1, blocks))
    if looked(blocks, ratios, is_last=is_last):
        assert could_have_fired
    # As soon as it can, the end of the budget is a moment to decide.
    assert bool(looked(blocks, {"a": 1.0}, is_last=True)) is could_have_fired


@given(st.sampled_from([*LOOKS, *BETWEEN_LOOKS]), st.integers(1, 24), st.floats(0.03, 1.0))
def test_a_side_bias_that_the_control_shows_too_is_no_change(
    blocks: int, cells: int, bias: float
) -> None:
    for ratio in (1 + bias, 1 / (1 + bias)):
        names = {str(number): ratio for number in range(cells)}
        control = rising(ratio, blocks)
        for is_last in (False, True):
            found = looked(blocks, names, control=control, is_last=is_last)
            assert set(found.values()) <= {Verdict.PASSED}
        assert control_differs(control)


@given(
    st.lists(st.tuples(st.integers(1, MOST_BLOCKS), st.booleans()), max_size=40),
    st.integers(1, 24),
    st.floats(0.9, 1.2),
)
def test_no_error_rate_is_spent_twice(
    looks: list[tuple[int, bool]], cells: int, ratio: float
) -> None:
    """However often, in whatever order and at which blocks is looked."""
    test = SequentialTest(tuple(map(str, range(cells))), MARGIN)
    for blocks, is_last in looks:
        values = {name: rising(ratio, blocks) for name in test.open_cells}
        test.look(values, even(blocks), is_last=is_last)
        for spending in (test.regression, test.passing, test.control):
            assert math.fsum(spending.spent.values()) <= spending.rate * (1 + 1e-12)
    rates = (test.regression.rate, test.passing.rate, test.control.rate)
    assert rates == (ALPHA, PASSING_ALPHA, CONTROL_ALPHA)


@given(st.lists(st.integers(1, MOST_BLOCKS), max_size=20), st.integers(1, MOST_BLOCKS))
def test_what_is_spent_elsewhere_is_not_available_again(before: list[int], last: int) -> None:
    spending = Spending(0.05)
    for blocks in before:
        spending = spending.after(blocks, spending.available(blocks, is_last=False))
    spending = spending.after(last, spending.available(last, is_last=True))
    assert math.fsum(spending.spent.values()) == pytest.approx(0.05)


def test_looking_again_at_the_same_blocks_is_charged_once() -> None:
    spending = Spending(0.05).after(8, 0.02)
    assert spending.available(8, is_last=True) == 0.05
    assert spending.available(9, is_last=True) == pytest.approx(0.03)
    assert spending.after(8, 0.05).available(9, is_last=True) == 0.0


@pytest.mark.parametrize("blocks", BETWEEN_LOOKS)
def test_a_budget_that_ends_between_looks_still_says_regressed(blocks: int) -> None:
    four = {"a": 1.1, "b": 1.0, "c": 1.0, "d": 1.0}
    assert looked(blocks, four, is_last=True) == {
        "a": Verdict.REGRESSED,
        **dict.fromkeys("bcd", Verdict.PASSED),
    }


def test_a_look_that_cannot_show_a_regression_is_charged_nothing() -> None:
    cells = tuple(map(str, range(24)))
    test = SequentialTest(cells, MARGIN)
    test.look({name: rising(2.0, 8) for name in cells}, even(8))
    assert test.decided == {}
    assert test.regression.spent == {}
    assert not can_regress(8, 24)
    test.look({name: rising(2.0, 12) for name in cells}, even(12))
    assert test.decided == dict.fromkeys(cells, Verdict.REGRESSED)


@pytest.mark.parametrize(("cells", "blocks"), [(1, 7), (4, 7), (5, 7), (7, 8), (24, 9), (100, 11)])
def test_the_fewest_blocks_that_can_show_a_regression_grow_with_the_cells(
    cells: int, blocks: int
) -> None:
    assert fewest_blocks(cells) == blocks
    assert [can_regress(count, cells) for count in (blocks - 1, blocks)] == [False, True]
    names = {str(number): 2.0 for number in range(cells)}
    assert looked(blocks, names, is_last=True) == dict.fromkeys(names, Verdict.REGRESSED)
    assert looked(blocks - 1, names, is_last=True) == {}


def test_growth_within_the_margin_has_passed_and_a_fall_is_an_improvement() -> None:
    assert looked(8, {"a": 1.0}) == {"a": Verdict.PASSED}
    assert looked(8, {"a": 1.02}) == {"a": Verdict.PASSED}
    assert looked(8, {"a": 0.5}) == {"a": Verdict.IMPROVED}


def test_a_cell_that_is_decided_is_not_decided_again() -> None:
    test = SequentialTest(("a",), MARGIN, decided={"a": Verdict.PASSED})
    test.look({"a": rising(2.0, 8)}, even(8))
    assert test.decided == {"a": Verdict.PASSED}


def test_at_the_end_a_cell_passes_only_if_twice_the_margin_is_ruled_out() -> None:
    assert looked(9, {"a": 1.0}, is_last=True) == {"a": Verdict.PASSED}
    noisy = [-0.2, 0.3, -0.1, 0.2, -0.3, 0.1, 0.15, -0.25, 0.05]
    test = SequentialTest(("a",), MARGIN)
    test.look({"a": noisy}, even(9), is_last=True)
    assert test.decided == {}
    between = [0.05, 0.02, 0.055, 0.01, 0.045, 0.025, 0.04, 0.035, 0.03]  # about 3 %, below 6 %
    test.look({"a": between}, even(9))
    assert test.decided == {}
    test.look({"a": between}, even(9), is_last=True)
    assert test.decided == {"a": Verdict.PASSED}


def test_growth_counts_only_above_the_bias_that_a_noisy_control_leaves_open() -> None:
    noisy = [0.06, -0.05, 0.04, -0.03, 0.05, -0.06, 0.055, -0.045]
    assert not control_differs(noisy)
    assert looked(8, {"a": 1.05}, control=noisy) == {}
    assert looked(8, {"a": 1.1}, control=noisy) == {"a": Verdict.REGRESSED}
    test = SequentialTest(("a",), MARGIN)
    test.look({"a": rising(1.05, 8)}, noisy, is_last=True)
    bias = test.bias_in_the_way(rising(1.05, 8), noisy)
    assert bias is not None
    assert 0.05 <= bias <= 0.06
    assert test.bias_in_the_way(rising(1.02, 8), noisy) is None
    assert test.bias_in_the_way(rising(1.05, 8), even(8)) is None


def test_a_control_that_leans_to_one_side_differs() -> None:
    assert not control_differs([])
    assert not control_differs([0.01, -0.02, 0.015, -0.005, 0.002, -0.012, 0.02, -0.018])
    for pairs in (FIRST_LOOK, 8):
        assert control_differs([0.001 * number for number in range(1, pairs + 1)])
        assert control_differs([-0.001 * number for number in range(1, pairs + 1)])
    assert not control_differs([0.1] * (FIRST_LOOK - 1))


def test_an_estimate_says_how_sure_it_is() -> None:
    found = estimate_of(rising(1.05, 8))
    assert found.ratio == pytest.approx(1.05, abs=1e-3)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.ratio < found.high
    assert found.blocks == 8


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
    found = []
    for added in (0.0, 0.1):
        test = SequentialTest(tuple(cells), MARGIN)
        worse = {name: [value + added for value in values] for name, values in cells.items()}
        test.look(worse, even(8))
        found.append(test.decided)
    before, after = found
    for name in cells:
        if before.get(name) is Verdict.REGRESSED:
            assert after.get(name) is Verdict.REGRESSED


def test_swapping_the_sides_swaps_the_verdicts() -> None:
    lots = random.Random(1)
    values = [lots.gauss(0.2, 0.02) for _ in range(8)]
    control = even(8)
    for sign, verdict in ((1, Verdict.REGRESSED), (-1, Verdict.IMPROVED)):
        test = SequentialTest(("a",), MARGIN)
        swapped = [sign * each for each in control]
        test.look({"a": [sign * value for value in values]}, swapped)
        assert test.decided == {"a": verdict}
