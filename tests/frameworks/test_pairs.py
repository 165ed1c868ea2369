from random import Random

import pytest

from .matrix.executing import ran_in
from .matrix.frameworks import Framework
from .matrix.pairs import LOOKS, MOST_PAIRS, deviation_of, is_decided
from .matrix.runs import Asked, Ran, pair_of, pairs_of
from .values import ran

FRAMEWORK = Framework(name="x", distributions=("x",))


def noisy(truth: float, spread: float, seed: int) -> list[float]:
    """Ratios around a truth, of pairs of which each is off by chance."""
    random = Random(seed)
    return [truth * random.gauss(1.0, spread) for _ in range(MOST_PAIRS)]


def pairs_taken(ratios: list[float]) -> list[float]:
    """The ratios of the pairs that are run before it is decided."""
    return next(ratios[:count] for count in range(len(ratios) + 1) if is_decided(ratios[:count]))


@pytest.mark.parametrize("ratio", [0.98, 1.0, 1.02])
def test_a_machine_without_noise_decides_at_the_first_look(ratio: float) -> None:
    taken = pairs_taken([ratio] * MOST_PAIRS)

    assert len(taken) == LOOKS[0]
    assert deviation_of(taken).is_within


@pytest.mark.parametrize("ratio", [0.93, 1.05])
def test_an_error_is_found_at_the_first_look(ratio: float) -> None:
    taken = pairs_taken([ratio] * MOST_PAIRS)

    assert len(taken) == LOOKS[0]
    assert deviation_of(taken).is_outside


def test_one_run_that_the_machine_held_up_takes_more_pairs_and_changes_nothing() -> None:
    ratios = [1.6, *[0.99, 1.01] * MOST_PAIRS]

    taken = pairs_taken(ratios)

    assert len(taken) > LOOKS[0]
    assert deviation_of(taken).is_within


def test_between_the_looks_nothing_is_decided() -> None:
    assert [count for count in range(MOST_PAIRS) if is_decided([1.0] * count)] == list(LOOKS[:-1])


def test_what_lies_beyond_the_tolerance_is_called_within_in_one_case_of_twenty_at_most() -> None:
    runs = [deviation_of(pairs_taken(noisy(1.031, 0.03, seed))) for seed in range(400)]

    assert sum(run.is_within for run in runs) <= 0.05 * len(runs)


def test_what_lies_within_the_tolerance_is_called_outside_in_one_case_of_twenty_at_most() -> None:
    runs = [deviation_of(pairs_taken(noisy(1.029, 0.03, seed))) for seed in range(400)]

    assert sum(run.is_outside for run in runs) <= 0.05 * len(runs)


def test_noise_of_three_percent_leaves_little_open() -> None:
    runs = [deviation_of(pairs_taken(noisy(1.0, 0.03, seed))) for seed in range(100)]

    assert sum(run.is_within for run in runs) >= 90


def test_each_pair_turns_the_order_of_its_clocks_round() -> None:
    clocks = [asked.clock for number in range(3) for asked in pair_of(FRAMEWORK, number)]

    assert clocks == ["wall", "warp", "warp", "wall", "wall", "warp"]


def test_pairs_end_when_they_are_decided() -> None:
    runs = ran_in(FRAMEWORK, lambda asked: ran())

    assert len(list(pairs_of(runs))) == LOOKS[0]


def test_pairs_end_with_the_first_command_that_fails() -> None:
    def run(asked: Asked) -> Ran:
        return ran(succeeded=0) if asked.name == "warp-1" else ran()

    runs = ran_in(FRAMEWORK, run)

    assert [name for name in runs if name.startswith(("wall", "warp"))] == [
        "wall-0",
        "warp-0",
        "warp-1",
    ]


def test_what_has_not_run_is_left_out() -> None:
    assert ran_in(FRAMEWORK, lambda asked: None) == {}
