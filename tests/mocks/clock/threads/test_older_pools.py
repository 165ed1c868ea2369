"""A thread pool from before the scope takes part in it, whether its threads run already or not."""

import asyncio
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed, wait

import pytest
from warpbench.mocks.clock import ClockMode

from ..worlds import LOOPS, SECOND, World, in_both_skipping_modes


@pytest.fixture(params=[0, 2], ids=["without threads", "with idle threads"])
def pool(request: pytest.FixtureRequest) -> Iterator[ThreadPoolExecutor]:
    """A pool of two workers, older than any scope."""
    with ThreadPoolExecutor(2, "older") as pool:
        wait([pool.submit(time.sleep, 0.01) for _ in range(request.param)])
        yield pool


@in_both_skipping_modes
def test_what_it_is_given_inside_waits_on_the_clock(
    mode: ClockMode, pool: ThreadPoolExecutor
) -> None:
    world = World(mode)
    world.clock.tolerate_those_alive()
    with world.scope():
        futures = [pool.submit(time.sleep, 5) for _ in range(4)]
        for future in as_completed(futures):
            future.result()
        taken_ns = world.clock.now_ns()
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
    if mode is ClockMode.VIRTUAL:
        assert taken_ns == 10 * SECOND  # two at a time, as before
    else:
        assert 9 * SECOND < world.clock.idle_ns() < 11 * SECOND


@in_both_skipping_modes
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_also_from_an_event_loop(mode: ClockMode, loop: str, pool: ThreadPoolExecutor) -> None:
    async def main() -> list[str]:
        running = asyncio.get_running_loop()

        def name() -> str:
            time.sleep(5)
            return threading.current_thread().name

        return await asyncio.gather(*(running.run_in_executor(pool, name) for _ in range(2)))

    world = World(mode)
    world.clock.tolerate_those_alive()
    assert loop in LOOPS
    assert sorted(world.run(main, loop)) == ["older_0", "older_1"]
    assert world.clock.idle_ns() < 6 * SECOND


def test_its_threads_begin_as_they_would() -> None:
    begun: list[str] = []
    with ThreadPoolExecutor(1, initializer=begun.append, initargs=("begun",)) as pool:
        with World(ClockMode.VIRTUAL).scope():
            pool.submit(time.sleep, 1).result()
        assert begun == ["begun"]


def test_after_the_scope_it_goes_on_as_it_was(pool: ThreadPoolExecutor) -> None:
    for _ in range(2):
        world = World(ClockMode.VIRTUAL)
        world.clock.tolerate_those_alive()
        with world.scope():
            pool.submit(time.sleep, 5).result()
        assert world.clock.now_ns() == 5 * SECOND
        assert pool.submit(lambda: 7).result(timeout=10) == 7


def test_the_threads_of_its_stand_in_end_with_the_scope(pool: ThreadPoolExecutor) -> None:
    before = set(threading.enumerate())
    world = World(ClockMode.VIRTUAL)
    world.clock.tolerate_those_alive()
    with world.scope():
        pool.submit(time.sleep, 5).result()
        inside = set(threading.enumerate()) - before
        assert len(inside) == 1
    for thread in inside:
        thread.join(10)
        assert not thread.is_alive()


@in_both_skipping_modes
def test_one_that_is_shut_down_inside_ends_after_its_work(mode: ClockMode) -> None:
    done: list[int] = []

    def work() -> None:
        time.sleep(5)
        done.append(1)

    pool = ThreadPoolExecutor(1)
    with World(mode).scope():
        pool.submit(work)
        pool.shutdown()
        assert done == [1]
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.submit(work)


def test_events_and_queues_from_before_are_seen_too() -> None:
    event, items = threading.Event(), queue.Queue[int]()
    condition, barrier = threading.Condition(), threading.Barrier(2)
    world = World(ClockMode.VIRTUAL)
    with world.scope():

        def wakes() -> None:
            time.sleep(1)
            event.set()
            time.sleep(1)
            items.put(1)
            time.sleep(1)
            with condition:
                condition.notify()
            time.sleep(1)
            barrier.wait()

        thread = threading.Thread(target=wakes)
        thread.start()
        event.wait()
        assert world.clock.now_ns() == SECOND
        items.get()
        assert world.clock.now_ns() == 2 * SECOND
        with condition:
            condition.wait()
        assert world.clock.now_ns() == 3 * SECOND
        barrier.wait()
        assert world.clock.now_ns() == 4 * SECOND
        thread.join()
