"""Nobody runs and nobody ever will: an error that says who waits where, not an endless wait."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import ClockHangError

from .worlds import SECOND, World, in_both_skipping_modes, on_each_loop


@contextmanager
def hang_naming(*names: str) -> Iterator[None]:
    with pytest.raises(ClockHangError) as caught:
        yield
    for name in names:
        assert name in str(caught.value)


# ---- on a loop ----------------------------------------------------------------------------


async def await_a_future_nobody_completes() -> None:
    await asyncio.get_running_loop().create_future()


async def await_a_queue_nobody_feeds() -> None:
    await asyncio.Queue[None]().get()


async def await_locks_that_wait_for_each_other() -> None:
    first, second = asyncio.Lock(), asyncio.Lock()

    async def take(one: asyncio.Lock, other: asyncio.Lock) -> None:
        async with one:
            await asyncio.sleep(1)
            await other.acquire()

    await asyncio.gather(take(first, second), take(second, first))


async def await_a_call_in_a_thread_that_never_returns() -> None:
    blocked = queue.Queue[None]()
    try:
        await asyncio.to_thread(blocked.get)
    finally:
        blocked.put(None)


@on_each_loop
@in_both_skipping_modes
@pytest.mark.parametrize(
    ("main", "place"),
    [
        (await_a_future_nobody_completes, "await_a_future_nobody_completes (test_hangs.py:"),
        (await_a_queue_nobody_feeds, "await_a_queue_nobody_feeds (test_hangs.py:"),
        (await_locks_that_wait_for_each_other, "take (test_hangs.py:"),
        (
            await_a_call_in_a_thread_that_never_returns,
            "await_a_call_in_a_thread_that_never_returns (test_hangs.py:",
        ),
    ],
)
def test_on_a_loop(
    mode: ClockMode, loop: str, main: Callable[[], Coroutine[None, None, None]], place: str
) -> None:
    with hang_naming("MainThread", place):
        World(mode).run(main, loop)


@on_each_loop
@in_both_skipping_modes
def test_only_after_all_that_still_can_happen_has_happened(mode: ClockMode, loop: str) -> None:
    world = World(mode)
    done: list[str] = []

    async def other() -> None:
        await asyncio.sleep(3600)
        done.append("other")

    async def main() -> None:
        task = asyncio.create_task(other(), name="other")
        await asyncio.Event().wait()
        await task

    with hang_naming("main (test_hangs.py:"):
        world.run(main, loop)
    assert done == ["other"]


@on_each_loop
@in_both_skipping_modes
def test_of_a_nested_loop_in_a_worker_is_told_to_the_root(mode: ClockMode, loop: str) -> None:
    inner_loops: list[asyncio.AbstractEventLoop] = []
    inner_tasks: list[asyncio.Task[None]] = []

    async def inner() -> None:
        task = asyncio.current_task()
        assert task is not None
        inner_tasks.append(task)
        inner_loops.append(asyncio.get_running_loop())
        await asyncio.Event().wait()

    def work() -> None:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(inner())

    async def main() -> None:
        try:
            await asyncio.to_thread(work)
        finally:
            inner_loops[0].call_soon_threadsafe(inner_tasks[0].cancel)

    with hang_naming("inner (test_hangs.py:", "main (test_hangs.py:"):
        World(mode).run(main, loop)


@on_each_loop
@in_both_skipping_modes
def test_tasks_are_called_by_their_names(mode: ClockMode, loop: str) -> None:
    async def main() -> None:
        never = asyncio.Event()
        tasks = [asyncio.create_task(never.wait(), name=f"session {n}") for n in range(20)]
        await asyncio.wait(tasks)

    with hang_naming("session 0 in ", "session 3 in ", "and 16 more"):
        World(mode).run(main, loop)


@on_each_loop
def test_in_virtual_also_those_without_a_name_have_one(loop: str) -> None:
    with hang_naming("Task-"):
        World(ClockMode.VIRTUAL).run(await_a_future_nobody_completes, loop)


# ---- in plain code ------------------------------------------------------------------------


def get_from_a_queue_nobody_feeds() -> None:
    queue.Queue[None]().get()


def get_from_a_simple_queue_nobody_feeds() -> None:
    queue.SimpleQueue[None]().get()


def wait_for_an_event_nobody_sets() -> None:
    threading.Event().wait()


def take_a_semaphore_twice() -> None:
    slots = threading.Semaphore(1)
    slots.acquire()
    slots.acquire()


@in_both_skipping_modes
@pytest.mark.parametrize(
    "block",
    [
        get_from_a_queue_nobody_feeds,
        get_from_a_simple_queue_nobody_feeds,
        wait_for_an_event_nobody_sets,
        take_a_semaphore_twice,
    ],
)
def test_in_the_root(mode: ClockMode, block: Callable[[], None]) -> None:
    with hang_naming("MainThread", block.__name__, "test_hangs.py:"), World(mode).scope():
        block()


@in_both_skipping_modes
def test_joining_a_thread_that_is_blocked(mode: ClockMode) -> None:
    never = threading.Event()

    def blocked_worker() -> None:
        never.wait()

    thread = threading.Thread(target=blocked_worker, name="worker 7")
    names = ("worker 7", "blocked_worker (test_hangs.py:", "MainThread")
    with hang_naming(*names), World(mode).scope():
        thread.start()
        thread.join()
    never.set()
    thread.join()


@in_both_skipping_modes
def test_threads_that_wait_for_each_others_events(mode: ClockMode) -> None:
    events = [threading.Event(), threading.Event()]

    def wait_for(number: int) -> None:
        time.sleep(number)
        events[number].wait()
        events[1 - number].set()

    with (
        hang_naming("wait_for", "test_hangs.py:"),
        World(mode).scope(),
        ThreadPoolExecutor(2) as pool,
    ):
        futures = [pool.submit(wait_for, number) for number in range(2)]
        try:
            futures[0].result()
        finally:
            events[0].set()


@in_both_skipping_modes
def test_the_root_gets_out_of_a_pool_whose_workers_never_return(mode: ClockMode) -> None:
    """Leaving the pool's block joins its workers, which is the same hang again."""
    never = threading.Event()
    with pytest.raises(ClockHangError), World(mode).scope(), ThreadPoolExecutor(1) as pool:
        pool.submit(never.wait).result()
    never.set()
    pool.shutdown()


@in_both_skipping_modes
def test_a_hang_that_the_code_under_test_swallows(mode: ClockMode) -> None:
    world = World(mode)
    with pytest.raises(ClockHangError), world.scope(), pytest.raises(ClockHangError):
        threading.Event().wait()
    assert isinstance(world.clock.failure, ClockHangError)


@in_both_skipping_modes
def test_a_timeout_is_no_hang(mode: ClockMode) -> None:
    world = World(mode)
    with world.scope():
        start_ns = world.clock.now_ns()
        assert not threading.Event().wait(5)
        with pytest.raises(queue.Empty):
            queue.Queue[None]().get(timeout=5)
        with pytest.raises(queue.Empty):
            queue.SimpleQueue[None]().get(timeout=5)
        assert not threading.Semaphore(0).acquire(timeout=5)
        assert world.clock.now_ns() - start_ns >= 20 * SECOND


@in_both_skipping_modes
def test_threads_from_before_are_named_once_as_what_might_have_been_waited_for(
    mode: ClockMode,
) -> None:
    ended = threading.Event()
    wait_out_of_sight = ended.wait
    threads = [threading.Thread(target=wait_out_of_sight, name="A library") for _ in range(2)]
    for thread in threads:
        thread.start()
    world = World(mode)
    world.clock.tolerate_those_alive()
    found = r"Threads from before the trial are ignored \((.*, )?'A library'(, .*)?\)"
    with pytest.raises(ClockHangError, match=found) as caught, world.scope():
        threading.Event().wait()
    assert str(caught.value).count("A library") == 1
    ended.set()
    for thread in threads:
        thread.join()
