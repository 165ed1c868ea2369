from collections.abc import Sequence

import pytest

from .matrix.executing import ran_in
from .matrix.frameworks import Framework
from .matrix.pairs import FEWEST_PAIRS, MOST_PAIRS, compared, is_decided
from .matrix.runs import Asked, Ran, pair_of, pairs_of
from .values import alone

pytestmark = pytest.mark.once

FRAMEWORK = Framework(name="x", distributions=("x",))


QUIET = [(2.0, 2.01)] * MOST_PAIRS


def warps(*makespans_s: float) -> list[tuple[float, float]]:
    """Pairs whose runs in wall take 2 s, and in warp so long."""
    return [(2.0, each_s) for each_s in makespans_s]


def taken(pairs: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """The pairs that are run before it is decided."""
    counts = range(len(pairs) + 1)
    return next((pairs[:count] for count in counts if is_decided(pairs[:count])), pairs)


@pytest.mark.parametrize("makespan_s", [1.95, 2.0, 2.05])
def test_on_a_quiet_machine_few_pairs_decide(makespan_s: float) -> None:
    pairs = taken(warps(*[makespan_s] * MOST_PAIRS))

    assert len(pairs) == FEWEST_PAIRS
    assert compared(pairs).agrees


@pytest.mark.parametrize("makespan_s", [1.9, 2.1])
def test_an_error_of_every_run_is_told_after_the_last_pair(makespan_s: float) -> None:
    pairs = taken(warps(*[makespan_s] * MOST_PAIRS))

    assert len(pairs) == MOST_PAIRS
    assert compared(pairs).differs


def test_runs_that_the_machine_held_up_change_nothing() -> None:
    busy = warps(2.3, 2.5, 2.2, 2.4)

    pairs = taken([*busy, *QUIET])

    assert len(pairs) == len(busy) + 2  # the floor is reached twice
    assert compared(pairs).agrees


def test_what_took_more_than_the_shortest_is_told() -> None:
    pairs = taken([*warps(2.2), *QUIET])

    assert compared(pairs).agrees
    assert str(compared(pairs)) == "+0.5% (warp 2.01 to 2.2 s, wall 2 s, 4 runs of each)"


def test_two_runs_that_took_too_little_are_an_error() -> None:
    pairs = taken([*warps(1.8, 1.8), *QUIET])

    assert compared(pairs).differs


def test_a_machine_on_which_no_run_is_like_another_leaves_it_open() -> None:
    pairs = taken(warps(*(2.0 * 1.02**number for number in range(MOST_PAIRS))))

    assert len(pairs) == MOST_PAIRS
    assert not compared(pairs).agrees
    assert not compared(pairs).differs


def scattered(ratios: Sequence[float]) -> list[tuple[float, float]]:
    """Pairs of which no two runs are alike, while warp is in each so much longer than wall."""
    walls_s = [2.0 * 1.02**number for number in range(len(ratios))]
    return [(wall_s, wall_s * ratio) for wall_s, ratio in zip(walls_s, ratios, strict=True)]


def test_pairs_that_agree_decide_where_no_run_is_like_another() -> None:
    pairs = taken(scattered([0.99, 1.0, 1.01] * (MOST_PAIRS // 3)))
    found = compared(pairs)

    assert len(pairs) == MOST_PAIRS
    assert not found.are_floors
    assert found.interval == pytest.approx((-0.01, 0.01))
    assert found.agrees


def test_a_few_pairs_that_were_held_up_change_nothing() -> None:
    assert compared(scattered([1.0, 1.3, 1.01, 0.7, *[1.01] * 8])).agrees


@pytest.mark.parametrize("ratio", [0.9, 1.02, 1.1])
def test_pairs_whose_interval_leaves_the_tolerance_leave_it_open(ratio: float) -> None:
    found = compared(scattered([ratio - 0.02, ratio, ratio + 0.02] * (MOST_PAIRS // 3)))

    assert not found.agrees
    assert not found.differs


def test_pairs_are_looked_at_by_the_dozen() -> None:
    pairs = scattered([*[1.1] * 4, *[1.0] * 20])
    decided = [count for count in range(len(pairs) + 1) if is_decided(pairs[:count])]

    assert compared(pairs[:20]).agrees
    assert decided == [2 * MOST_PAIRS]


@pytest.mark.parametrize(("count", "ends"), [(5, None), (6, (0, 5)), (12, (2, 9)), (36, (11, 24))])
def test_the_interval_of_the_median_is_that_of_a_sign_test(
    count: int, ends: tuple[int, int] | None
) -> None:
    found = compared([(100.0, 100.0 + number) for number in range(count)]).interval

    assert found == (None if ends is None else pytest.approx(tuple(end / 100 for end in ends)))


def test_each_pair_turns_the_order_of_its_clocks_round() -> None:
    clocks = [asked.clock for number in range(3) for asked in pair_of(FRAMEWORK, number)]

    assert clocks == ["wall", "warp", "warp", "wall", "wall", "warp"]


def test_pairs_end_when_they_are_decided() -> None:
    runs = ran_in(FRAMEWORK, lambda asked: alone())

    assert len(list(pairs_of(runs))) == FEWEST_PAIRS


def test_pairs_end_with_the_first_command_that_fails() -> None:
    def run(asked: Asked) -> Ran:
        return alone(succeeded=0) if asked.name == "warp-1" else alone()

    runs = ran_in(FRAMEWORK, run)

    assert [name for name in runs if name.startswith(("wall", "warp"))] == [
        "wall-0",
        "warp-0",
        "warp-1",
    ]


def noisy(asked: Asked) -> Ran:
    """A run that is like no other, nor the pair like another, before the thirteenth pair."""
    number = int(asked.name.partition("-")[2] or 0)
    if number >= MOST_PAIRS:
        return alone(makespan_s=2.0)
    rank = number if asked.clock == "wall" else MOST_PAIRS - 1 - number
    return alone(makespan_s=2.0 + 0.1 * rank)


def test_on_a_busy_machine_pairs_end_all_the_same() -> None:
    runs = ran_in(FRAMEWORK, noisy)

    assert len(list(pairs_of(runs))) == MOST_PAIRS


def test_another_time_they_go_on_from_there() -> None:
    before = ran_in(FRAMEWORK, noisy)

    runs = ran_in(FRAMEWORK, noisy, lambda asked: before.get(asked.name))

    assert len(list(pairs_of(runs))) == MOST_PAIRS + 1  # the floor is reached twice


def test_what_has_not_run_is_left_out() -> None:
    assert ran_in(FRAMEWORK, lambda asked: None) == {}
