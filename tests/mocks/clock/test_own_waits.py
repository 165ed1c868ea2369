"""What an observer is told of the waits that code begins itself, on every clock that skips."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from warpbench.mocks.clock import ClockMode, SkippingClock, create_clock, keeping_time, nanoseconds
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.loops.uvloop_loop import SkippingUvloop
from warpbench.mocks.clock.own_waits import BY_STACK, JOIN, LOCK, SLEEP

LOOPS = [SkippingEventLoop, SkippingUvloop]
MODES = [ClockMode.VIRTUAL, ClockMode.WARP]


class Told:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.futures: list[asyncio.Future[Any]] = []
        self.timers: list[tuple[asyncio.Future[Any], int]] = []
        self.parked: list[tuple[str, int | None]] = []
        self.went_on: list[object] = []

    def future_made(self, future: asyncio.Future[Any]) -> None:
        self.futures.append(future)

    def timer_set(self, due_ns: int, /, *arguments: Any) -> None:
        self.timers.append((arguments[0], due_ns))

    def thread_parks(self, awaits: str, due_ns: int | None) -> object:
        self.parked.append((awaits, due_ns))
        return len(self.parked)

    def thread_goes_on(self, wait: object) -> None:
        self.went_on.append(wait)


def told(mode: ClockMode, work: Callable[[SkippingClock, Told], object]) -> Told:
    clock = create_clock(mode)
    assert isinstance(clock, SkippingClock)
    observer = Told()
    clock.wait_observer = observer
    with keeping_time(clock):
        work(clock, observer)
    return observer


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("loop", LOOPS)
def test_loops_tell_of_futures_and_of_the_timers_that_end_them(
    loop: Callable[[SkippingClock], asyncio.AbstractEventLoop], mode: ClockMode
) -> None:
    def work(clock: SkippingClock, observer: Told) -> None:
        async def main() -> None:
            before_ns = clock.now_ns()
            await asyncio.sleep(2)
            ((future, due_ns),) = observer.timers
            assert future in observer.futures
            assert future.done()
            assert before_ns + nanoseconds(2) <= due_ns <= clock.now_ns()
            event = asyncio.Event()
            asyncio.get_running_loop().call_later(1, event.set)
            await event.wait()
            await asyncio.sleep(0)

        with asyncio.Runner(loop_factory=lambda: loop(clock)) as runner:
            runner.run(main())

    observer = told(mode, work)
    assert len(observer.timers) == 1  # not one that ends nothing


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("loop", LOOPS)
def test_nobody_is_told_of_mocked_waits(
    loop: Callable[[SkippingClock], asyncio.AbstractEventLoop], mode: ClockMode
) -> None:
    def work(clock: SkippingClock, observer: Told) -> None:
        async def main() -> None:
            before = len(observer.futures)
            await clock.sleep_until_ns(clock.now_ns() + 5_000_000)
            assert len(observer.futures) == before

        clock.wait_until_ns(clock.now_ns() + 5_000_000)
        with asyncio.Runner(loop_factory=lambda: loop(clock)) as runner:
            runner.run(main())

    observer = told(mode, work)
    assert (observer.timers, observer.parked) == ([], [])


@pytest.mark.parametrize("mode", MODES)
def test_threads_tell_what_they_wait_for_and_when_they_go_on(mode: ClockMode) -> None:
    def work(clock: SkippingClock, observer: Told) -> None:
        time.sleep(0.5)
        ((what, due_ns),) = observer.parked
        assert what == SLEEP
        assert due_ns is not None
        assert due_ns <= clock.now_ns()
        thread = threading.Thread(target=time.sleep, args=(1,))
        thread.start()
        thread.join()
        found: queue.Queue[int] = queue.Queue()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: (time.sleep(1), found.put(1)))
            assert found.get() == 1

    observer = told(mode, work)
    kinds = [what for what, _ in observer.parked]
    assert kinds.count(SLEEP) == 3
    assert JOIN in kinds
    assert BY_STACK in kinds
    assert sorted(map(str, observer.went_on)) == sorted(map(str, range(1, len(kinds) + 1)))


def test_in_virtual_time_a_plain_lock_is_such_a_wait() -> None:
    def work(_clock: SkippingClock, _observer: Told) -> None:
        lock = threading.Lock()
        holding = threading.Event()

        def hold() -> None:
            with lock:
                holding.set()
                time.sleep(1)

        thread = threading.Thread(target=hold)
        thread.start()
        holding.wait()
        with lock:
            pass
        thread.join()

    assert LOCK in [what for what, _ in told(ClockMode.VIRTUAL, work).parked]


@pytest.mark.parametrize("loop", LOOPS)
def test_without_an_observer_a_loop_makes_its_futures_as_ever(
    loop: Callable[[SkippingClock], asyncio.AbstractEventLoop],
) -> None:
    clock = create_clock(ClockMode.WARP)
    assert isinstance(clock, SkippingClock)
    with keeping_time(clock):
        made = loop(clock)
        assert "create_future" not in vars(made)
        made.close()
