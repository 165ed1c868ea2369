"""Threads of a scope are participants from before their first line until after their last."""

import asyncio
import os
import queue
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from warpbench.mocks.clock import ClockMode

from .worlds import LOOPS, SECOND, World, in_both_skipping_modes, on_each_loop


@in_both_skipping_modes
def test_one_that_cannot_be_started_leaves_nothing_behind(
    mode: ClockMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found in review: in virtual the baton went to a thread that never was."""
    real_start = threading.Thread.start

    def fail_to_start(thread: threading.Thread) -> None:
        if thread.name == "one too many":
            raise RuntimeError("can't start new thread")
        real_start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail_to_start)
    world = World(mode)
    with world.scope():
        start_ns = world.clock.now_ns()
        with pytest.raises(RuntimeError, match="can't start"):
            threading.Thread(target=print, name="one too many").start()
        thread = threading.Thread(target=time.sleep, args=(60,))
        thread.start()
        thread.join()
        assert world.clock.now_ns() - start_ns >= 60 * SECOND


@in_both_skipping_modes
def test_one_that_is_started_twice_stays_what_it_is(mode: ClockMode) -> None:
    with World(mode).scope():
        thread = threading.Thread(target=time.sleep, args=(60,))
        thread.start()
        with pytest.raises(RuntimeError, match="only be started once"):
            thread.start()
        time.sleep(1)
        thread.join(timeout=1)
        assert thread.is_alive()
        thread.join()
        assert not thread.is_alive()


@in_both_skipping_modes
def test_one_that_joins_itself_or_what_never_began_is_refused_by_the_library(
    mode: ClockMode,
) -> None:
    with World(mode).scope(), ThreadPoolExecutor(1) as pool:
        with pytest.raises(RuntimeError, match="current thread"):
            pool.submit(lambda: threading.current_thread().join()).result()
        with pytest.raises(RuntimeError, match="before it is started"):
            threading.Thread().join()


@in_both_skipping_modes
def test_one_that_ends_wakes_all_who_join_it(mode: ClockMode) -> None:
    world = World(mode)
    joined: list[int] = []

    def join(number: int) -> None:
        first.join()
        joined.append(number)

    with world.scope():
        first = threading.Thread(target=time.sleep, args=(5,))
        first.start()
        joiners = [threading.Thread(target=join, args=(number,)) for number in range(5)]
        for thread in joiners:
            thread.start()
        for thread in joiners:
            thread.join()
    assert sorted(joined) == list(range(5))


@in_both_skipping_modes
def test_one_that_fails_ends_like_any_other(
    mode: ClockMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def fail() -> None:
        time.sleep(1)
        raise LookupError

    with World(mode).scope():
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        time.sleep(1)


@in_both_skipping_modes
def test_one_that_others_outlive_does_not_hold_them_up(mode: ClockMode) -> None:
    with World(mode).scope():
        items = queue.Queue[int]()
        workers = [threading.Thread(target=items.get) for _ in range(3)]
        for thread in workers:
            thread.start()
        feeder = threading.Thread(target=lambda: [items.put(n) for n in range(3)])
        feeder.start()
        for thread in workers:
            thread.join()


@in_both_skipping_modes
def test_a_timer_thread_fires_on_the_clock(mode: ClockMode) -> None:
    world = World(mode)
    fired_ns: list[int] = []
    with world.scope():
        start_ns = world.clock.now_ns()
        timer = threading.Timer(30, lambda: fired_ns.append(world.clock.now_ns()))
        timer.start()
        cancelled = threading.Timer(20, lambda: fired_ns.append(0))
        cancelled.start()
        cancelled.cancel()
        timer.join()
    assert len(fired_ns) == 1
    assert fired_ns[0] - start_ns >= 30 * SECOND


@in_both_skipping_modes
def test_barriers_and_conditions_are_seen(mode: ClockMode) -> None:
    world = World(mode)
    with world.scope():
        start_ns = world.clock.now_ns()
        barrier = threading.Barrier(3)

        def meet(pause_s: float) -> int:
            time.sleep(pause_s)
            barrier.wait()
            return world.clock.now_ns() - start_ns

        with ThreadPoolExecutor(3) as pool:
            met_ns = list(pool.map(meet, [1, 2, 7]))
    assert min(met_ns) >= 7 * SECOND


def test_in_virtual_submitting_many_calls_never_gives_the_baton_away_under_a_lock() -> None:
    """``submit`` asks a semaphore without waiting, holding locks that others then want."""
    world = World(ClockMode.VIRTUAL)
    done: list[int] = []

    def submit(number: int) -> None:
        with ThreadPoolExecutor(2) as pool:
            for _ in range(300):
                pool.submit(done.append, number)

    with world.scope():
        threads = [threading.Thread(target=submit, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(done) == 900


@on_each_loop
@in_both_skipping_modes
def test_a_call_scheduled_from_a_thread_before_the_first_wait_of_a_loop_is_not_lost(
    mode: ClockMode, loop: str
) -> None:
    """Found in review: the loop could not be released before it had parked once."""
    world = World(mode)

    def call(running: asyncio.AbstractEventLoop, future: asyncio.Future[int]) -> None:
        running.call_soon_threadsafe(future.set_result, 1)

    async def main() -> int:
        running = asyncio.get_running_loop()
        future: asyncio.Future[int] = running.create_future()
        thread = threading.Thread(target=call, args=(running, future))
        thread.start()
        result = await future
        thread.join()
        return result

    with world.scope():
        for _ in range(100):
            assert world.run_here(main, loop) == 1


@on_each_loop
@in_both_skipping_modes
def test_one_loop_may_run_in_one_thread_after_another(mode: ClockMode, loop: str) -> None:
    world = World(mode)

    async def main() -> None:
        await asyncio.to_thread(time.sleep, 1)
        await asyncio.sleep(1)

    with world.scope():
        start_ns = world.clock.now_ns()
        with asyncio.Runner(loop_factory=lambda: LOOPS[loop](world.clock)) as runner:
            runner.run(main())
            with ThreadPoolExecutor(1) as pool:
                pool.submit(runner.get_loop().run_until_complete, main()).result()
        assert world.clock.now_ns() - start_ns >= 4 * SECOND


def test_threads_do_not_refer_to_themselves_when_they_have_ended() -> None:
    with World(ClockMode.VIRTUAL).scope():
        thread = threading.Thread(target=time.sleep, args=(1,))
        thread.start()
        thread.join()
        assert "run" not in vars(thread)


@in_both_skipping_modes
def test_the_child_of_a_fork_has_the_locks_of_the_module_as_they_are(mode: ClockMode) -> None:
    """It makes them anew, as waiters make theirs, and starts its threads under them."""
    with World(mode).scope(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside other threads
        child = os.fork()
        if not child:
            lock = vars(threading).get("_shutdown_locks_lock", threading.Lock())
            os._exit(0 if type(lock) is type(threading.Lock()) else 1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
