"""Who goes on first is a schedule's choice, the same each time; without one, who could first."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.bench.trial.loops import require_loop
from warpbench.mocks.clock import (
    Choice,
    Clock,
    ClockMode,
    Manner,
    ScheduleSpec,
    choices_of,
    create_clock,
    keeping_time,
)
from warpbench.mocks.clock.schedule import Choices, FromTape

from ...conftest import TIMEOUT_S

Program = Callable[[Clock, list[object]], Coroutine[object, object, None]]

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
    orders = {seed: order_of(ScheduleSpec(manner, seed)) for seed in range(6)}

    assert all(sorted(order) == [0, 0, 1, 1, 2, 2, 3, 3] for order in orders.values())
    assert orders == {seed: order_of(ScheduleSpec(manner, seed)) for seed in range(6)}
    assert len({tuple(order) for order in orders.values()}) > 3


@MANNERS
@settings(max_examples=40)
@given(seed=st.integers(), names=st.lists(st.text(max_size=3), min_size=2, max_size=9))
def test_what_is_chosen_is_there(manner: Manner, seed: int, names: list[str]) -> None:
    schedule = ScheduleSpec(manner, seed).schedule()

    assert all(0 <= schedule.choose("", turn, names) < len(names) for turn in range(20))


def choices_in_order_of(spec: ScheduleSpec) -> tuple[list[int], tuple[Choice, ...]]:
    clock = create_clock(ClockMode.VIRTUAL, spec)
    order: list[int] = []

    def work(number: int) -> None:
        clock.wait_until_ns(1_000)
        order.append(number)

    with keeping_time(clock):
        threads = [Thread(target=work, args=(number,), name=f"t{number}") for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT_S)
    return order, choices_of(clock)


@MANNERS
def test_the_choices_of_a_run_are_a_tape_from_which_it_comes_again(manner: Manner) -> None:
    for seed in range(4):
        order, choices = choices_in_order_of(ScheduleSpec(manner, seed))

        assert choices_in_order_of(ScheduleSpec(manner, seed, choices)) == (order, choices)


def test_an_empty_tape_lets_who_came_first_go_on() -> None:
    assert choices_in_order_of(ScheduleSpec(Manner.AT_RANDOM, 1, ())) == ([0, 1, 2, 3], ())


def test_where_the_one_on_the_tape_cannot_go_on_who_came_first_does() -> None:
    tape = (Choice("t0", 0, "somebody else"),)

    order, _ = choices_in_order_of(ScheduleSpec(Manner.AT_RANDOM, 1, tape))

    assert order == [0, 1, 2, 3]


def test_names_are_told_apart_by_their_order() -> None:
    choices = Choices(FromTape([Choice("x", 0, "same (2)")]))

    assert choices.place("x", ["same", "same", "other"]) == 1
    assert choices.taken == [Choice("x", 0, "same (2)")]


def orders_on_a_loop(loop: str, program: Program) -> set[tuple[object, ...]]:
    """Return the orders in which a program's parts come under many schedules."""
    orders = set()
    for seed in range(12):
        clock = create_clock(ClockMode.VIRTUAL, ScheduleSpec(Manner.AT_RANDOM, seed))
        order: list[object] = []
        make = partial(require_loop(loop).create, clock)
        with keeping_time(clock, make), asyncio.Runner(loop_factory=make) as runner:
            runner.run(program(clock, order))
        orders.add(tuple(order))
    return orders


LOOPS = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@LOOPS
def test_answers_within_a_millisecond_come_in_any_order(loop: str) -> None:
    async def program(clock: Clock, order: list[object]) -> None:
        async def answer(after_ns: int) -> None:
            await clock.sleep_until_ns(after_ns)
            order.append(after_ns)

        await asyncio.gather(*map(answer, (5_100_000, 5_200_000, 7_000_000)))

    assert orders_on_a_loop(loop, program) == {
        (5_100_000, 5_200_000, 7_000_000),
        (5_200_000, 5_100_000, 7_000_000),
    }


@LOOPS
def test_no_answer_comes_early(loop: str) -> None:
    async def program(clock: Clock, order: list[object]) -> None:
        async def answer(due_ns: int) -> None:
            await clock.sleep_until_ns(due_ns)
            assert due_ns <= clock.now_ns() < due_ns + 1_000_000

        await asyncio.gather(*(answer(number * 333_333) for number in range(20)))

    orders_on_a_loop(loop, program)


@LOOPS
def test_timers_set_at_different_times_for_one_come_in_any_order(loop: str) -> None:
    async def program(_clock: Clock, order: list[object]) -> None:
        async def sleeper(name: str, *naps_s: float) -> None:
            for nap_s in naps_s:
                await asyncio.sleep(nap_s)
            order.append(name)

        await asyncio.gather(sleeper("whole", 2), sleeper("halves", 1, 1))

    assert orders_on_a_loop(loop, program) == {("whole", "halves"), ("halves", "whole")}


@LOOPS
def test_timers_set_at_one_time_keep_their_order(loop: str) -> None:
    async def program(_clock: Clock, order: list[object]) -> None:
        running = asyncio.get_running_loop()
        for name in range(4):
            running.call_later(1, order.append, name)
        await asyncio.sleep(2)

    assert orders_on_a_loop(loop, program) == {(0, 1, 2, 3)}
