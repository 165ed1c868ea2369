"""The scope of a clock: what it changes, and that it leaves nothing changed."""

import _thread
import asyncio
import concurrent.futures
import concurrent.futures.thread
import os
import queue
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from warpbench.mocks.clock import ClockMode, VirtualClock, WallClock, create_clock, keeping_time
from warpbench.mocks.errors import ClockError, ClockRefusedError

from .worlds import LOOPS, SECOND, World, in_both_skipping_modes, on_each_loop

PATCHED = (
    (threading, "_allocate_lock"),
    (threading.Thread, "start"),
    (threading.Thread, "join"),
    (queue, "SimpleQueue"),
    (_thread, "start_new_thread"),
    (asyncio, "new_event_loop"),
    (asyncio.events, "new_event_loop"),
    (asyncio, "as_completed"),
    (os, "cpu_count"),
    (concurrent.futures.thread, "set"),
    (concurrent.futures.Future, "__hash__"),
)
nothing = object()


def seams() -> list[object]:
    return [vars(owner).get(name, nothing) for owner, name in PATCHED]


@in_both_skipping_modes
def test_leaves_the_process_unpatched(mode: ClockMode) -> None:
    before = seams()
    with World(mode).scope():
        assert seams() != before
    assert seams() == before


@in_both_skipping_modes
def test_leaves_the_process_unpatched_after_an_error(mode: ClockMode) -> None:
    before = seams()
    with pytest.raises(LookupError), World(mode).scope():
        raise LookupError
    assert seams() == before


@in_both_skipping_modes
def test_a_second_scope_inside_it_is_refused(mode: ClockMode) -> None:
    before = seams()
    with World(mode).scope():
        for inner in ClockMode:
            with (
                pytest.raises(ClockError, match=f"{inner} clock was entered inside that of"),
                keeping_time(create_clock(inner)),
            ):
                pass
        time.sleep(1)
    assert seams() == before


@in_both_skipping_modes
def test_a_second_scope_after_it_is_a_fresh_one(mode: ClockMode) -> None:
    world = World(mode)
    for _ in range(2):
        with world.scope(), ThreadPoolExecutor(2) as pool:
            start_ns = world.clock.now_ns()
            list(pool.map(time.sleep, [5, 5]))
            assert world.clock.now_ns() - start_ns >= 5 * SECOND


def test_a_wall_clock_needs_none() -> None:
    before = seams()
    with keeping_time(WallClock()):
        assert seams() == before


@on_each_loop
@in_both_skipping_modes
def test_a_skipping_loop_outside_of_it_is_refused(mode: ClockMode, loop: str) -> None:
    world = World(mode)

    async def main() -> None:
        await asyncio.sleep(1)

    running = LOOPS[loop](world.clock)
    coroutine = main()
    try:
        with pytest.raises(ClockRefusedError, match="inside the scope"):
            running.run_until_complete(coroutine)
    finally:
        running.close()
        coroutine.close()


@in_both_skipping_modes
def test_left_over_threads_go_on_without_a_clock(mode: ClockMode) -> None:
    """Sleepers at once, the others when somebody wakes them; and those that never began."""
    world = World(mode)
    flag, items = threading.Event(), queue.Queue[str]()
    ended: list[str] = []

    def sleeper() -> None:
        time.sleep(3600)
        ended.append("sleeper")

    def waiter() -> None:
        flag.wait()
        ended.append("waiter")

    def getter() -> None:
        items.get()
        time.sleep(0.001)
        with ThreadPoolExecutor(1) as pool:
            ended.append(pool.submit(items.get, timeout=5).result())

    def joiner() -> None:
        threads[0].join()
        ended.append("joiner")

    def unborn() -> None:
        ended.append("unborn")

    with world.scope():
        threads = [threading.Thread(target=t) for t in (sleeper, waiter, getter, joiner)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        threads.append(threading.Thread(target=unborn))
        threads[-1].start()

    flag.set()
    items.put("")
    items.put("getter")
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(ended) == ["getter", "joiner", "sleeper", "unborn", "waiter"]


@in_both_skipping_modes
def test_left_over_pool_workers_can_still_be_shut_down(mode: ClockMode) -> None:
    with World(mode).scope():
        pool = ThreadPoolExecutor(2)
        pool.submit(time.sleep, 1).result()
    assert pool.submit(int, "7").result() == 7
    pool.shutdown()


@in_both_skipping_modes
def test_loops_made_without_a_factory_are_on_the_clock(mode: ClockMode) -> None:
    world = World(mode)
    with world.scope():
        start_ns = world.clock.now_ns()
        asyncio.run(asyncio.sleep(60))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, asyncio.sleep(60)).result()
        assert world.clock.now_ns() - start_ns >= 120 * SECOND


def test_what_was_bound_in_one_scope_of_a_clock_waits_in_the_next_one() -> None:
    """A condition binds the methods of its lock when it is made, as a target's import may do."""
    clock = VirtualClock()
    with keeping_time(clock):
        lock, numbers = threading.Lock(), queue.SimpleQueue[int]()
        changed = threading.Condition(lock)
        time.sleep(3)

    clock.begin_anew()
    assert clock.now_ns() == 0
    with keeping_time(clock):

        def hold() -> None:
            with lock:
                time.sleep(1)
            time.sleep(1)
            numbers.put(1)

        thread = threading.Thread(target=hold)
        thread.start()
        time.sleep(0.5)
        changed.acquire()
        assert clock.now_ns() == SECOND
        changed.release()
        assert numbers.get() == 1
        assert clock.now_ns() == 2 * SECOND
        thread.join()


def test_a_clock_that_begins_anew_goes_on_numbering() -> None:
    clock = VirtualClock()
    drawn = []
    for _ in range(2):
        with keeping_time(clock):
            drawn.append(random.Random().random())
        clock.begin_anew()
    with keeping_time(VirtualClock()):
        assert [random.Random().random() for _ in range(2)] == drawn
