"""A thread that nobody manages may run the garbage collector, and so wake one that is managed."""

import _thread
import asyncio
import ctypes
import gc
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from warpbench.mocks.clock import ClockMode, create_clock, keeping_time
from warpbench.mocks.clock.threads.collecting import Collecting, collections_noted

from ..worlds import in_both_skipping_modes

PATIENCE_S = 20.0


class Pooled:
    """A pool in a cycle: its threads are woken by the collector, when it finds the pool."""

    def __init__(self) -> None:
        self.itself = self
        self.pool = ThreadPoolExecutor(1)


@pytest.fixture(autouse=True)
def no_collection_of_its_own() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@in_both_skipping_modes
def test_a_finaliser_that_wakes_a_pool_is_no_influence_from_outside(mode: ClockMode) -> None:
    begin, end = _thread.allocate_lock(), _thread.allocate_lock()
    begin.acquire()
    end.acquire()

    def collect() -> None:
        begin.acquire()
        gc.collect()
        end.release()

    outside = threading.Thread(target=collect, daemon=True)
    outside.start()
    clock = create_clock(mode)
    clock.tolerate(outside)

    with keeping_time(clock):
        pooled = Pooled()
        pooled.pool.submit(int).result()
        del pooled
        begin.release()
        while not end.acquire(blocking=False):
            pass
        time.sleep(1)

    assert clock.failure is None
    outside.join(PATIENCE_S)


@in_both_skipping_modes
def test_a_thread_that_looks_at_frames_may_let_go_of_a_generator_last(mode: ClockMode) -> None:
    begin, end = _thread.allocate_lock(), _thread.allocate_lock()
    begin.acquire()
    end.acquire()
    held: list[AsyncIterator[int]] = []

    def look() -> None:
        begin.acquire()
        held.clear()  # the last reference: the generator asks its loop to close it
        end.release()

    looker = threading.Thread(target=look, daemon=True)
    looker.start()
    clock = create_clock(mode)
    clock.tolerate(looker, looks_at_frames=True)

    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def main() -> None:
        held.append(numbers())
        await anext(held[0])
        begin.release()
        while not end.acquire(blocking=False):
            pass
        await asyncio.sleep(1)

    with keeping_time(clock):
        asyncio.run(main())

    assert clock.failure is None
    looker.join(PATIENCE_S)


class Interrupting:
    """Garbage that raises a signal when it is collected, without any code in Python."""

    def __init__(self) -> None:
        self.itself = self

    __del__ = staticmethod(partial(ctypes.CDLL(None)["raise"], int(signal.SIGUSR1)))


@in_both_skipping_modes
def test_a_signal_that_comes_during_a_collection_is_not_lost(mode: ClockMode) -> None:
    """What a handler raises in a callback of the collector would be."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise InterruptedError

    # Those of others, hypothesis for one, are in Python.
    others, gc.callbacks[:] = list(gc.callbacks), []
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with keeping_time(create_clock(mode)):
            Interrupting()
            with pytest.raises(InterruptedError):
                gc.collect()
    finally:
        signal.signal(signal.SIGUSR1, before)
        gc.callbacks[:] = others


def test_nothing_is_left_of_it_after_the_scope() -> None:
    before = list(gc.callbacks)
    with collections_noted(Collecting()):
        assert gc.callbacks != before
    assert gc.callbacks == before


def test_it_knows_another_thread_that_collects() -> None:
    collecting = Collecting()
    seen: dict[str, bool] = {}
    in_finaliser, looked = threading.Event(), threading.Event()

    class Finalised:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            seen["collects"] = collecting.is_here()
            in_finaliser.set()
            looked.wait(PATIENCE_S)

    with collections_noted(collecting):
        Finalised()
        thread = threading.Thread(target=gc.collect)
        thread.start()
        in_finaliser.wait(PATIENCE_S)
        seen["another"] = collecting.is_here()
        looked.set()
        thread.join()
    assert seen == {"collects": True, "another": False}


def test_it_knows_the_thread_that_collects_while_it_does() -> None:
    collecting = Collecting()
    seen: list[bool] = []

    class Finalised:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            seen.append(collecting.is_here())

    with collections_noted(collecting):
        Finalised()
        gc.collect()
        after = collecting.is_here()

    assert (seen, after) == ([True], False)
