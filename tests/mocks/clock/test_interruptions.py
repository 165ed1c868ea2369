"""Finalisers and signal handlers run anywhere, also half-way through the clock's own code."""

import asyncio
import gc
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from warpbench.mocks.clock import ClockMode, SkippingClock
from warpbench.mocks.clock.participants import Leave, Parking
from warpbench.mocks.clock.threads.mutex import Mutex
from warpbench.mocks.clock.threads.simple_queue import SeenSimpleQueue
from warpbench.mocks.errors import ClockHangError, ClockRefusedError

from .worlds import SECOND, World, in_both_skipping_modes, on_each_loop


@contextmanager
def on_alarm(action: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Run ``action`` in a signal handler; yields what raises the signal now."""

    def handle(_signal: int, _frame: object) -> None:
        action()

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        yield lambda: signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


@contextmanager
def alarm_while_the_root_waits(world: World, action: Callable[[], object]) -> Iterator[None]:
    """Run ``action`` in a signal handler of the main thread, once that is parked."""

    def handle(_signal: int, _frame: object) -> None:
        root = world.clock.root
        if root is None or root.parking is None:
            signal.setitimer(signal.ITIMER_REAL, 0.005)
        else:
            action()

    before = signal.signal(signal.SIGALRM, handle)
    limit_of_the_test = signal.setitimer(signal.ITIMER_REAL, 0.005)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *limit_of_the_test)


class Releaser:
    """Garbage that releases a parking when it is collected."""

    def __init__(self, clock: SkippingClock, parking: Parking) -> None:
        self.clock = clock
        self.parking = parking
        self.me = self  # a cycle, for the collector to find

    def __del__(self) -> None:
        self.clock.release(self.parking)


def test_what_interrupts_a_section_runs_when_it_is_whole() -> None:
    mutex = Mutex()
    order: list[str] = []
    with on_alarm(lambda: mutex.run(lambda: order.append("interruption"))) as interrupt:
        with mutex.section:
            interrupt()
            order.append("section")
            with mutex.section:
                interrupt()
            mutex.catch_up()
            order.append("whole")
        mutex.catch_up()
        interrupt()
    assert order == ["section", "whole", "interruption", "interruption", "interruption"]


def test_what_a_postponed_action_postpones_is_not_lost() -> None:
    mutex = Mutex()
    order: list[int] = []

    def again() -> None:
        order.append(len(order))
        if len(order) < 4:
            mutex.run(again)

    with mutex.section:
        mutex.run(again)
        assert not order
    mutex.catch_up()
    assert order == [0, 1, 2, 3]


def test_a_section_that_fails_lets_others_in() -> None:
    mutex = Mutex()
    with pytest.raises(LookupError), mutex.section:
        raise LookupError
    entered: list[bool] = []

    def enter() -> None:
        with mutex.section:
            entered.append(True)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join(5)
    assert entered == [True]


@in_both_skipping_modes
def test_a_finaliser_that_releases_half_way_through_parking_is_not_lost(mode: ClockMode) -> None:
    world = World(mode)
    with world.scope():
        parking = Parking(world.clock.participant_here(), lambda: "")
        with world.clock.mutex.section:
            Releaser(world.clock, parking)
            gc.collect()
            assert not parking.released
        assert world.clock.park(parking, None) is Leave.RELEASED
        # Nothing is left of it: the next wait is a whole one.
        assert world.clock.park(parking, world.clock.now_ns() + SECOND) is Leave.DEADLINE


@in_both_skipping_modes
def test_finalisers_that_release_everywhere_lose_nothing(mode: ClockMode) -> None:
    """The collector runs at each allocation, and so in the midst of every section."""
    world = World(mode)
    thresholds = gc.get_threshold()
    with world.scope():
        here = world.clock.participant_here()
        gc.set_threshold(1)
        try:
            for _ in range(200):
                parking = Parking(here, lambda: "")
                Releaser(world.clock, parking)
                start_ns = world.clock.now_ns()
                leave = world.clock.park(parking, start_ns + SECOND)
                assert leave is Leave.RELEASED or world.clock.now_ns() >= start_ns + SECOND
        finally:
            gc.set_threshold(*thresholds)
        time.sleep(1)


def test_a_put_may_interrupt_a_get_of_the_same_queue() -> None:
    """As the finaliser of an executor does to its own worker."""
    acquired: list[float] = []

    class InterruptedLock:
        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            acquired.append(timeout)
            items.put("before it can be seen to wait")
            return True

        def release(self) -> None:
            raise AssertionError("nobody waits")

    items: SeenSimpleQueue[str] = SeenSimpleQueue(InterruptedLock)
    assert items.get(timeout=5) == "before it can be seen to wait"
    assert acquired == [-1]  # taken once, and not waited for
    assert items.empty()


@in_both_skipping_modes
def test_a_signal_handler_wakes_the_root(mode: ClockMode) -> None:
    """Which waits for a queue, beside a thread that holds time back."""
    world = World(mode)
    over = threading.Lock()
    over.acquire()
    acquire_out_of_sight = over.acquire
    with world.scope():
        items = queue.SimpleQueue[str]()

        def tell() -> None:
            items.put("signal")
            over.release()

        thread = threading.Thread(target=acquire_out_of_sight)
        thread.start()
        with alarm_while_the_root_waits(world, tell):
            assert items.get() == "signal"
        thread.join()


@on_each_loop
def test_ctrl_c_in_warp_cancels_the_main_task(loop: str) -> None:
    world = World(ClockMode.WARP)
    over = threading.Lock()
    over.acquire()
    ended: list[str] = []

    async def main() -> None:
        thread = threading.Thread(target=over.acquire)  # holds time back, so that we wait
        thread.start()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ended.append("cancelled")
            over.release()
            thread.join()
            raise

    with (
        pytest.raises(KeyboardInterrupt),
        alarm_while_the_root_waits(world, lambda: signal.raise_signal(signal.SIGINT)),
    ):
        world.run(main, loop)
    assert ended == ["cancelled"]


@in_both_skipping_modes
def test_ctrl_c_in_plain_code_leaves_the_others_in_order(mode: ClockMode) -> None:
    world = World(mode)
    over = threading.Lock()
    over.acquire()

    def interrupt() -> None:
        over.release()
        raise KeyboardInterrupt

    with world.scope():
        start_ns = world.clock.now_ns()
        thread = threading.Thread(target=over.acquire)
        thread.start()
        with pytest.raises(KeyboardInterrupt), alarm_while_the_root_waits(world, interrupt):
            time.sleep(3600)
        sleepers = [threading.Thread(target=time.sleep, args=(5,)) for _ in range(3)]
        for sleeper in sleepers:
            sleeper.start()
        time.sleep(1)
        for each in (thread, *sleepers):
            each.join()
        passed_ns = world.clock.now_ns() - start_ns
    assert 5 * SECOND <= passed_ns < 3000 * SECOND


@in_both_skipping_modes
def test_a_signal_handler_that_waits_itself_is_refused(mode: ClockMode) -> None:
    over = threading.Lock()
    over.acquire()

    def wait() -> None:
        over.release()
        time.sleep(1)

    def root() -> None:
        world = World(mode)
        thread = threading.Thread(target=over.acquire)
        with world.scope():
            thread.start()
            try:
                with alarm_while_the_root_waits(world, wait):
                    time.sleep(3600)
            finally:
                thread.join()

    with pytest.raises(ClockRefusedError, match="signal handler"):
        root()


@in_both_skipping_modes
def test_a_hang_after_an_interruption_is_still_found(mode: ClockMode) -> None:
    over = threading.Lock()
    over.acquire()

    def interrupt() -> None:
        over.release()
        raise KeyboardInterrupt

    def root() -> None:
        world = World(mode)
        thread = threading.Thread(target=over.acquire)
        with world.scope():
            thread.start()
            with pytest.raises(KeyboardInterrupt), alarm_while_the_root_waits(world, interrupt):
                threading.Event().wait()
            thread.join()
            threading.Event().wait()

    with pytest.raises(ClockHangError):
        root()
