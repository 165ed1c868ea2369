"""Addresses and the number of cores leave no trace in a virtual run."""

import asyncio
import concurrent.futures
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from warpbench.mocks.clock import ClockMode

from .worlds import World, on_each_loop

MANY = 300
"""Enough that a set of them in the order of their addresses is not in order by chance."""


def elsewhere() -> list[object]:
    """Return objects that take up places in memory, so that the next ones lie out of order."""
    junk = [bytearray(random.randrange(16, 2048)) for _ in range(2000)]
    random.shuffle(junk)
    return list(junk[:1000])


@on_each_loop
def test_a_failing_group_cancels_in_the_order_of_creation(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)
    cancelled: list[int] = []

    async def child(number: int) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    async def fail() -> None:
        await asyncio.sleep(1)
        raise LookupError

    async def main() -> None:
        kept = elsewhere()
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(MANY):
                    group.create_task(child(number))
                group.create_task(fail())
        except* LookupError:
            assert kept

    world.run(main, loop)
    assert cancelled == list(range(MANY))


@on_each_loop
def test_tasks_left_over_are_cancelled_in_the_order_of_creation(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)
    cancelled: list[int] = []
    tasks: list[asyncio.Task[None]] = []

    async def child(number: int) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.append(number)

    async def main() -> None:
        tasks.extend(asyncio.create_task(child(number)) for number in range(MANY))
        await asyncio.sleep(1)

    world.run(main, loop)
    assert cancelled == list(range(MANY))


@on_each_loop
def test_as_completed_starts_coroutines_in_the_order_given(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)
    started: list[int] = []

    async def child(number: int) -> int:
        started.append(number)
        await asyncio.sleep(1)
        return number

    async def main() -> list[int]:
        coroutines = [child(number) for number in range(MANY)]
        return [await done for done in asyncio.as_completed([*coroutines, coroutines[0]])]

    assert world.run(main, loop) == list(range(MANY))
    assert started == list(range(MANY))


@on_each_loop
def test_asyncio_wait_returns_calls_of_threads_in_order(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)

    async def main() -> list[int]:
        running = asyncio.get_running_loop()
        calls = [running.run_in_executor(None, int, number) for number in range(MANY)]
        done, pending = await asyncio.wait(calls)
        assert not pending
        return [call.result() for call in done]

    assert world.run(main, loop) == list(range(MANY))


def test_futures_of_a_pool_come_out_of_sets_in_the_order_of_submission() -> None:
    world = World(ClockMode.VIRTUAL)
    with world.scope(), ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(int, number) for number in range(MANY)]
        time.sleep(1)
        # The library takes those that have finished already from the end.
        finished = [future.result() for future in concurrent.futures.as_completed(futures)]
        assert finished == list(reversed(range(MANY)))
        done, _ = concurrent.futures.wait(futures)
        assert [future.result() for future in done] == list(range(MANY))


def test_the_default_pool_is_of_one_size_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    world = World(ClockMode.VIRTUAL)

    async def main() -> float:
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 1) for _ in range(12)))
        return asyncio.get_running_loop().time()

    assert world.run(main) == 2.0  # two rounds of six


def test_in_warp_tasks_are_the_loops_own() -> None:
    async def main() -> type:
        return type(asyncio.current_task())

    assert World(ClockMode.WARP).run(main) is asyncio.Task


def test_generators_without_a_seed_draw_the_same_in_each_virtual_run() -> None:
    def drawn(mode: ClockMode) -> list[float]:
        with World(mode).scope():
            return [generator.random() for generator in (random.Random(), random.Random())]

    first, again = drawn(ClockMode.VIRTUAL), drawn(ClockMode.VIRTUAL)

    assert again == first
    assert first[0] != first[1]
    assert drawn(ClockMode.WARP) != drawn(ClockMode.WARP)


def test_a_seed_that_is_given_counts() -> None:
    with World(ClockMode.VIRTUAL).scope():
        inside = random.Random(7).random()

    assert inside == random.Random(7).random()
