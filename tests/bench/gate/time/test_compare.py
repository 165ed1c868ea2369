"""The time tier on a simulated machine: its budget is a bound, and what it says when that ends."""

import random
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.gate.time.compare import Compared
from warpbench.bench.gate.time.sequential_test import FIRST_LOOK, MOST_BLOCKS, fewest_blocks
from warpbench.bench.gate.time.worktrees import BASE, HEAD, SAME
from warpbench.bench.results.verdict import CellVerdict, Reason, ReasonKind, Verdict

from .simulated_machine import Drawn, Recorded, SimulatedMachine, simulated

pytestmark = pytest.mark.once

ONE_OF_FOUR = {"a": 0.1, "b": 0.0, "c": 0.0, "d": 0.0}
QUIET = Drawn(layout=0.002, trial=0.002)


def machine(growth: Mapping[str, float], seed: int = 1, **more: float) -> SimulatedMachine:
    return SimulatedMachine(QUIET, growth, lots=random.Random(seed), **more)


def reasons(compared: Compared) -> list[Reason]:
    return [each.reason for each in compared.verdicts if each.reason is not None]


def budget_for(blocks: int, growth: Mapping[str, float]) -> float:
    """Return a budget that holds so many blocks, and most of another one."""
    measured = machine(growth)
    at_s = [0.0]
    simulated(measured, 1e6, progress=lambda _blocks, _open: at_s.append(measured.now_s))
    block_s = at_s[2] - at_s[1]
    whole_s = at_s[1] + (blocks - 0.2) * block_s
    return whole_s + 5.0


@given(st.floats(0.01, 400.0), st.sampled_from([1, 4, 24]), st.floats(0.2, 30.0), st.integers(0, 9))
def test_the_budget_is_a_bound(budget_s: float, cells: int, slowness: float, seed: int) -> None:
    """Whatever the machine's speed: nothing goes on, and nothing runs, after the budget's end."""
    growth = {str(number): 0.1 * (number == 0) for number in range(cells)}
    measured = machine(growth, seed, slowness=slowness)
    compared = simulated(measured, budget_s)
    assert measured.now_s <= budget_s
    assert compared.effort.spent_s <= budget_s
    assert measured.running == 0
    assert [each.cell for each in compared.verdicts] == list(growth)
    undecided = [each for each in compared.verdicts if each.verdict is Verdict.INCONCLUSIVE]
    assert len(reasons(compared)) == len(undecided)
    if compared.effort.blocks < FIRST_LOOK:
        assert len(undecided) == cells
        assert compared.effort.is_cut
        assert {each.kind for each in reasons(compared)} == {ReasonKind.TOO_FEW_BLOCKS}


def test_a_block_that_the_budget_cuts_counts_for_no_side_and_no_cell() -> None:
    growth = dict.fromkeys("abcd", 0.03)  # on the margin: no look decides
    measured = machine(growth)
    trials: list[int] = []

    def suddenly_busy(blocks: int, _open: int) -> None:
        trials.append(measured.trials_begun)
        measured.slowness = 1.0 if blocks < 9 else 3.0

    compared = simulated(measured, budget_for(11, growth), progress=suddenly_busy)
    assert measured.trials_begun > trials[-1]  # the tenth block had begun
    assert compared.effort.blocks == len(trials) == 9
    assert {blocks_of(each) for each in compared.verdicts} == {9}


def blocks_of(verdict: CellVerdict) -> int:
    """Return how many blocks a verdict rests on."""
    (change,) = (*verdict.changes, *(note.change for note in verdict.notes))
    assert change.estimate is not None
    return change.estimate.blocks


@pytest.mark.parametrize("cells", [1, 4, 24])
def test_what_the_budget_was_too_short_for_is_told_with_the_budget_that_is_not(cells: int) -> None:
    growth = {str(number): 0.1 * (number == 0) for number in range(cells)}
    short_s = budget_for(3, growth)
    compared = simulated(machine(growth), short_s)
    assert {each.verdict for each in compared.verdicts} == {Verdict.INCONCLUSIVE}
    first = reasons(compared)[0]
    assert (first.kind, first.cells) == (ReasonKind.TOO_FEW_BLOCKS, cells)
    assert first.needed_blocks == fewest_blocks(cells)
    assert first.budget_s == short_s
    assert first.needed_s is not None
    assert first.needed_s > short_s
    again = simulated(machine(growth), first.needed_s * 1.02)
    assert again.verdicts[0].verdict is Verdict.REGRESSED


def test_blocks_are_not_measured_in_vain() -> None:
    """Where not even a first look fits, the gate says so as soon as two blocks have shown it."""
    compared = simulated(machine(ONE_OF_FOUR), budget_for(3, ONE_OF_FOUR))
    assert compared.effort.blocks == 2
    assert compared.effort.is_cut
    # Were the machine busy by chance, twice the speed would be enough here.
    compared = simulated(machine(ONE_OF_FOUR), budget_for(6, ONE_OF_FOUR))
    assert compared.effort.blocks == 6
    assert compared.effort.is_cut


def test_a_budget_that_the_set_up_takes_compares_nothing() -> None:
    compared = simulated(machine(ONE_OF_FOUR, slowness=100.0), 60.0)
    assert [each.verdict for each in compared.verdicts] == [Verdict.INCONCLUSIVE] * 4
    assert compared.effort.blocks == 0
    assert {(each.kind, each.blocks) for each in reasons(compared)} == {
        (ReasonKind.TOO_FEW_BLOCKS, 0)
    }


@pytest.mark.parametrize("blocks", [7, 9, 11])
def test_a_budget_that_ends_between_looks_still_says_regressed(blocks: int) -> None:
    told: list[int] = []

    def progress(blocks: int, _open: int) -> None:
        told.append(blocks)

    noisy = SimulatedMachine(Drawn(), ONE_OF_FOUR, lots=random.Random(3))
    growth = dict.fromkeys(ONE_OF_FOUR, 0.1)
    if blocks > 8:  # a growth that the looks before have left open
        noisy.growth = growth = dict.fromkeys(ONE_OF_FOUR, 0.045)
    compared = simulated(noisy, budget_for(blocks, growth), progress=progress)
    assert told[-1] == blocks
    assert compared.effort.blocks == blocks
    assert Verdict.REGRESSED in {each.verdict for each in compared.verdicts}


def test_which_side_starts_first_is_drawn_anew_for_each_block() -> None:
    measured = machine({"a": 0.0})
    simulated(measured, 1e6)
    calibration, *blocks = measured.orders
    assert calibration == (BASE, HEAD)
    assert all(set(order) == {BASE, HEAD, SAME} for order in blocks)
    assert len(set(blocks)) > 2


def test_at_most_so_many_blocks_are_measured() -> None:
    measured = machine({"a": 0.0})
    measured.noise = Drawn(trial=0.3)
    compared = simulated(measured, 1e6)
    assert compared.effort.blocks == MOST_BLOCKS
    assert not compared.effort.is_cut


def verdicts_of(growth: Mapping[str, float], budget_s: float, **more: float) -> Counter[Verdict]:
    """Count what is said of the first cell in sixty comparisons, seeded."""
    found: Counter[Verdict] = Counter()
    for seed in range(60):
        lots = random.Random(seed)
        measured = SimulatedMachine(Recorded("quiet"), growth, lots=lots, **more)
        found[simulated(measured, budget_s, str(seed)).verdicts[0].verdict] += 1
    return found


def test_a_side_bias_of_a_tenth_is_never_called_a_change() -> None:
    for bias in (0.1, -0.1):
        found = verdicts_of({"a": 0.0}, 120.0, side_bias=bias)
        assert set(found) <= {Verdict.INCONCLUSIVE, Verdict.PASSED}
        assert found[Verdict.INCONCLUSIVE] >= 59


def test_growth_of_a_tenth_in_one_of_four_cells_is_found_in_seven_blocks() -> None:
    assert verdicts_of(ONE_OF_FOUR, 90.0)[Verdict.REGRESSED] >= 57


def test_code_that_has_not_changed_passes() -> None:
    found = verdicts_of({"a": 0.0, "b": 0.0}, 120.0)
    assert found[Verdict.REGRESSED] == 0
    assert found[Verdict.PASSED] >= 57
