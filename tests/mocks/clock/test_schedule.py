"""Who goes on first is a schedule's choice, the same each time; without one, who could first."""

from collections.abc import Callable
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.clock import ClockMode, Manner, ScheduleSpec, create_clock, keeping_time

from ...conftest import TIMEOUT_S

WORKERS = 4
MANNERS = pytest.mark.parametrize("manner", Manner)


def order_of(spec: ScheduleSpec | None) -> list[int]:
    """Return the order in which threads that begin at once get their turns, twice each."""
    clock = create_clock(ClockMode.VIRTUAL, spec)
    order: list[int] = []

    def work(number: int) -> Callable[[], None]:
        def run() -> None:
            order.append(number)
            clock.wait_until_ns(1_000)
            order.append(number)

        return run

    with keeping_time(clock):
        threads = [Thread(target=work(number)) for number in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT_S)
    return order


def test_without_a_schedule_each_goes_on_in_its_turn() -> None:
    assert order_of(None) == [0, 1, 2, 3, 0, 1, 2, 3]


@MANNERS
def test_a_schedule_chooses_the_same_each_time_and_lets_all_go_on(manner: Manner) -> None:
    orders = {seed: order_of(ScheduleSpec(manner, seed)) for seed in range(12)}

    assert all(sorted(order) == [0, 0, 1, 1, 2, 2, 3, 3] for order in orders.values())
    assert orders == {seed: order_of(ScheduleSpec(manner, seed)) for seed in range(12)}
    assert len({tuple(order) for order in orders.values()}) > 3


@MANNERS
@given(seed=st.integers(), names=st.lists(st.text(max_size=3), min_size=2, max_size=9))
def test_what_is_chosen_is_there(manner: Manner, seed: int, names: list[str]) -> None:
    schedule = ScheduleSpec(manner, seed).schedule()

    assert all(0 <= schedule.choose(names) < len(names) for _ in range(20))
