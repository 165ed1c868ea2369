"""Equal deadlines wake in the order in which they were asked for."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.clock import ClockMode, seconds

from .worlds import SECOND, World, examples, in_both_skipping_modes, on_each_loop

WAITERS = 200


@on_each_loop
@in_both_skipping_modes
def test_of_coroutines_on_the_clock(mode: ClockMode, loop: str) -> None:
    world = World(mode)
    woken: list[int] = []

    async def wait(number: int, deadline_ns: int) -> None:
        await world.clock.sleep_until_ns(deadline_ns)
        woken.append(number)

    async def main() -> None:
        deadline_ns = world.clock.now_ns() + SECOND
        async with asyncio.TaskGroup() as group:
            for number in range(WAITERS):
                group.create_task(wait(number, deadline_ns))

    world.run(main, loop)
    assert woken == list(range(WAITERS))


@on_each_loop
@in_both_skipping_modes
def test_of_timers_of_the_loop(mode: ClockMode, loop: str) -> None:
    world = World(mode)
    called: list[int] = []

    async def main() -> None:
        running = asyncio.get_running_loop()
        when = running.time() + 1
        for number in range(WAITERS):
            running.call_at(when, called.append, number)
        await asyncio.sleep(2)

    world.run(main, loop)
    assert called == list(range(WAITERS))


@on_each_loop
def test_of_asyncio_sleep_in_virtual(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)
    woken: list[int] = []

    async def sleep(number: int) -> None:
        await asyncio.sleep(1)
        woken.append(number)

    async def main() -> None:
        await asyncio.gather(*map(sleep, range(WAITERS)))

    world.run(main, loop)
    assert woken == list(range(WAITERS))


def test_of_threads_in_virtual() -> None:
    world = World(ClockMode.VIRTUAL)
    woken: list[int] = []

    def wait(number: int) -> None:
        world.clock.wait_until_ns(SECOND)
        woken.append(number)

    with world.scope():
        threads = [threading.Thread(target=wait, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert woken == list(range(50))


@on_each_loop
@examples(25)
@given(deadlines_s=st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_deadlines_come_first_and_the_order_of_asking_second(
    loop: str, deadlines_s: list[int]
) -> None:
    world = World(ClockMode.VIRTUAL)
    woken: list[tuple[int, int]] = []

    async def wait(number: int, deadline_s: int) -> None:
        await world.clock.sleep_until_ns(deadline_s * SECOND)
        woken.append((deadline_s, number))

    async def main() -> None:
        await asyncio.gather(*(wait(*numbered) for numbered in enumerate(deadlines_s)))

    world.run(main, loop)
    assert woken == sorted(woken)


@on_each_loop
@in_both_skipping_modes
def test_a_timer_set_for_now_by_a_timer_lets_the_rest_of_the_loop_run(
    mode: ClockMode, loop: str
) -> None:
    world = World(mode)
    turns: list[str] = []

    async def main() -> None:
        running = asyncio.get_running_loop()

        def again() -> None:
            turns.append("timer")
            if "task" not in turns:
                running.call_later(0, again)

        # One deadline for both: in warp, a moment of computing between two of them would be as
        # many turns of the timer as fit into it.
        when_s = running.time() + 1
        running.call_at(when_s, again)
        woken = running.create_future()
        running.call_at(when_s, woken.set_result, None)
        await woken
        await asyncio.sleep(0)
        turns.append("task")
        await asyncio.sleep(1)

    world.run(main, loop)
    assert "task" in turns
    assert len(turns) < 20


@on_each_loop
@in_both_skipping_modes
@pytest.mark.parametrize("timer_first", [True, False])
def test_a_mocked_wait_comes_before_a_timer_of_the_loop(
    timer_first: bool, mode: ClockMode, loop: str
) -> None:
    world = World(mode)
    events: list[str] = []

    async def wait(deadline_ns: int) -> None:
        await world.clock.sleep_until_ns(deadline_ns)
        events.append("wait")

    async def main() -> None:
        running = asyncio.get_running_loop()
        deadline_ns = world.clock.now_ns() + SECOND

        def set_timer() -> None:
            running.call_at(seconds(deadline_ns), events.append, "timer")

        if timer_first:
            set_timer()
        waiting = asyncio.create_task(wait(deadline_ns))
        await asyncio.sleep(0)
        if not timer_first:
            set_timer()
        await waiting
        await asyncio.sleep(0.1)

    world.run(main, loop)
    assert events == ["wait", "timer"]


@on_each_loop
@pytest.mark.parametrize("form", ["timeout", "wait_for", "wait"])
def test_what_is_due_with_a_timeout_is_in_time(loop: str, form: str) -> None:
    async def in_time(world: World) -> str:
        async def answer() -> str:
            await world.clock.sleep_until_ns(SECOND)
            return "answer"

        if form == "timeout":
            async with asyncio.timeout(1.0):
                return await answer()
        if form == "wait_for":
            return await asyncio.wait_for(answer(), 1.0)
        task = asyncio.create_task(answer())
        done, _ = await asyncio.wait([task], timeout=1.0)
        return task.result() if done else "late"

    for _ in range(3):
        world = World(ClockMode.VIRTUAL)
        assert world.run(lambda world=world: in_time(world), loop) == "answer"  # type: ignore[misc]


@on_each_loop
def test_a_tie_over_a_task_in_between_has_one_outcome(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)

    async def inner() -> str:
        await world.clock.sleep_until_ns(SECOND)
        return "answer"

    async def main() -> str:
        try:
            async with asyncio.timeout(1.0):
                # The task ends in time, and wakes who waits for it one iteration later.
                return await asyncio.create_task(inner())
        except TimeoutError:
            return "timed out"

    assert world.run(main, loop) == "timed out"


@on_each_loop
@in_both_skipping_modes
def test_a_timer_that_is_cancelled_by_what_was_due_with_it_is_not_called(
    mode: ClockMode, loop: str
) -> None:
    world = World(mode)
    called: list[str] = []

    async def main() -> None:
        running = asyncio.get_running_loop()
        deadline_ns = world.clock.now_ns() + SECOND
        when = seconds(deadline_ns)
        timers = [running.call_at(when, called.append, str(number)) for number in range(3)]
        await world.clock.sleep_until_ns(deadline_ns)
        timers[1].cancel()
        await asyncio.sleep(1)

    world.run(main, loop)
    assert called == ["0", "2"]


def test_seconds_and_nanoseconds_agree() -> None:
    convert: Callable[[int], float] = seconds
    assert convert(SECOND) == 1.0
