"""How long work of a session waits for a thread, and how long for the interpreter after that."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import anyio
import anyio.to_thread
import pytest
from warpbench.bench.trial.loops import ASYNCIO
from warpbench.mocks.clock import VirtualClock, keeping_time
from warpbench.mocks.observe.meter import Meter
from warpbench.mocks.observe.session import SESSION, SessionScope
from warpbench.mocks.observe.thread_waits import noting_thread_waits
from warpbench.mocks.observe.waits import WaitKind

MS = 1_000_000


@contextmanager
def in_session(number: int | None) -> Iterator[None]:
    before = SESSION.set(SessionScope(number))
    try:
        yield
    finally:
        SESSION.reset(before)


def told(meter: Meter) -> list[tuple[int, float, float, float]]:
    """Session, start, what it waited for a place and for the interpreter, in milliseconds."""
    assert {wait.kind for wait in meter.thread_waits} <= {WaitKind.THREAD}
    return sorted(
        (wait.session, wait.start_ns / MS, wait.waited_ns / MS, wait.ready_ns / MS)
        for wait in meter.thread_waits
    )


def test_work_waits_until_a_thread_of_its_pool_is_free() -> None:
    clock = VirtualClock()
    with keeping_time(clock), ThreadPoolExecutor(2) as pool:
        meter = Meter(clock)
        with noting_thread_waits(meter):
            for number in range(5):
                with in_session(number):
                    pool.submit(time.sleep, 0.1)
                time.sleep(0.01)
            pool.shutdown()

    assert told(meter) == [
        (0, 0, 0, 0),
        (1, 10, 0, 0),
        (2, 20, 80, 0),
        (3, 30, 80, 0),
        (4, 40, 160, 0),
    ]


def test_a_thread_is_free_when_work_of_nobodys_session_has_ended_too() -> None:
    clock = VirtualClock()
    with keeping_time(clock), ThreadPoolExecutor(1) as pool:
        meter = Meter(clock)
        with noting_thread_waits(meter):
            with in_session(None):
                pool.submit(time.sleep, 0.1)
            with in_session(7):
                pool.submit(time.sleep, 0.1)
            pool.shutdown()

    assert told(meter) == [(7, 0, 100, 0)]


class Busy(Meter):
    """A meter on a clock that a test sets."""

    def __init__(self) -> None:
        super().__init__(VirtualClock())
        self.at_ns = 0
        self.now_ns = lambda: self.at_ns
        self.idle_ns = lambda: 0


def test_a_thread_that_is_there_and_runs_late_is_no_wait_for_a_place() -> None:
    meter = Busy()

    def takes_long_to_start() -> None:
        meter.at_ns += 100

    with ThreadPoolExecutor(1, initializer=takes_long_to_start) as pool:
        with noting_thread_waits(meter), in_session(7):
            pool.submit(bool).result()
        (wait,) = meter.thread_waits

    assert (wait.waited_ns, wait.ready_ns) == (0, 100)


def limited(tokens: int) -> Meter:
    clock = VirtualClock()
    meter = Meter(clock)

    async def session(number: int, limiter: anyio.CapacityLimiter) -> None:
        SESSION.set(SessionScope(number))
        await anyio.to_thread.run_sync(time.sleep, 0.1, limiter=limiter)

    async def sessions() -> None:
        await anyio.lowlevel.checkpoint()  # the backend is there
        limiter = anyio.CapacityLimiter(tokens)
        with noting_thread_waits(meter):
            await asyncio.gather(*(session(number, limiter) for number in range(3)))

    with keeping_time(clock), asyncio.Runner(loop_factory=lambda: ASYNCIO.create(clock)) as runner:
        runner.run(sessions())
    return meter


@pytest.mark.parametrize(
    ("tokens", "waits"), [(1, [(1, 0, 100, 0), (2, 0, 200, 0)]), (2, [(2, 0, 100, 0)]), (3, [])]
)
def test_who_is_not_let_in_by_anyios_limiter_waits_for_a_place(
    tokens: int, waits: list[tuple[int, float, float, float]]
) -> None:
    assert told(limited(tokens)) == waits


def test_what_was_patched_is_as_it_was() -> None:
    before = ThreadPoolExecutor.submit
    with noting_thread_waits(Meter(VirtualClock())):
        assert ThreadPoolExecutor.submit is not before
    assert ThreadPoolExecutor.submit is before
