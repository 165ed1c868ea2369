"""A wait that was cancelled leaves nothing: no time passes for it, and it hides no hang."""

import asyncio
import gc
import weakref

import pytest
from warpbench.mocks.clock import ClockMode, create_clock, keeping_time
from warpbench.mocks.errors import ClockHangError

from .worlds import SECOND, World, in_both_skipping_modes, on_each_loop


@on_each_loop
def test_no_time_passes_for_it(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)

    async def main() -> int:
        tasks = [asyncio.create_task(world.sleep_ns(n * SECOND)) for n in (1, 50, 60, 70)]
        await asyncio.sleep(2)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return world.clock.now_ns()

    assert world.run(main, loop) == 2 * SECOND
    assert world.clock.now_ns() == 2 * SECOND


@on_each_loop
@in_both_skipping_modes
def test_it_hides_no_hang(mode: ClockMode, loop: str) -> None:
    world = World(mode)

    async def main() -> None:
        for wait in (world.sleep_ns(3600 * SECOND), asyncio.sleep(3600)):
            task = asyncio.create_task(wait)
            await asyncio.sleep(1)
            task.cancel()
        await asyncio.Event().wait()

    start_ns = world.clock.now_ns()
    with pytest.raises(ClockHangError):
        world.run(main, loop)
    assert world.clock.now_ns() - start_ns < 3000 * SECOND


@on_each_loop
def test_the_next_wait_is_still_woken(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)

    async def main() -> int:
        first = asyncio.create_task(world.sleep_ns(1 * SECOND))
        second = asyncio.create_task(world.sleep_ns(2 * SECOND))
        third = asyncio.create_task(world.sleep_ns(3 * SECOND))
        await asyncio.sleep(0)
        first.cancel()
        third.cancel()
        await second
        return world.clock.now_ns()

    assert world.run(main, loop) == 2 * SECOND


@on_each_loop
def test_a_timeout_ends_it_on_time(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)

    async def main() -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await world.sleep_ns(10 * SECOND)
        return world.clock.now_ns()

    assert world.run(main, loop) == 5 * SECOND


@on_each_loop
def test_a_wait_that_was_closed_half_way_is_a_cancelled_one(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)

    async def main() -> int:
        wait = world.sleep_ns(60 * SECOND)
        wait.send(None)
        wait.close()
        await world.sleep_ns(SECOND)
        return world.clock.now_ns()

    world.run(main, loop)
    assert world.clock.now_ns() == SECOND


@on_each_loop
def test_thousands_of_cancelled_timers_are_cleared_away(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)

    async def main() -> int:
        running = asyncio.get_running_loop()
        for _ in range(3_000):
            running.call_later(3600, print).cancel()
        await asyncio.sleep(1)
        return world.clock.now_ns()

    assert world.run(main, loop) == SECOND


@pytest.mark.parametrize("mode", ClockMode)
def test_a_clock_does_not_keep_loops_alive(mode: ClockMode) -> None:
    """Found in review: a nested ``asyncio.run`` in each session would have piled them up."""
    clock = create_clock(mode)
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def main() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await clock.sleep_until_ns(clock.now_ns() + 1)

    with keeping_time(clock):
        asyncio.run(main())
    gc.collect()
    assert loops[0]() is None
