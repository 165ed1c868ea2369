"""In virtual time, who blocks out of the clock's sight holds the baton for ever: a hang."""

import os
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from warpbench.bench.instruments.call_counts import CallCounter
from warpbench.bench.results.call_counts import CallCounts
from warpbench.mocks.clock import ClockMode, virtual
from warpbench.mocks.clock.real_time import real_sleep
from warpbench.mocks.clock.threads.activity import ThreadActivity
from warpbench.mocks.errors import ClockHangError

from .worlds import SECOND, World


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "STALL_AFTER_S", 0.1)
    monkeypatch.setattr(virtual, "STALL_LOOK_S", 0.02)


@pytest.fixture
def lock() -> Iterator[threading.Lock]:
    """A plain lock that is held, and let go after the test."""
    lock = threading.Lock()
    lock.acquire()
    yield lock
    if lock.locked():
        lock.release()


@contextmanager
def stall_naming(pattern: str) -> Iterator[World]:
    """Expect a stall in a virtual scope."""
    world = World(ClockMode.VIRTUAL)
    with pytest.raises(ClockHangError, match=f"blocks.*{pattern}"), world.scope():
        yield world


def test_the_root_is_told_who_blocks_where(lock: threading.Lock) -> None:
    def wants_the_lock() -> None:
        with lock:
            pass

    thread = threading.Thread(target=wants_the_lock, name="worker 7")
    with stall_naming(r"wants_the_lock \(test_stalls.py:"):
        thread.start()
        try:
            time.sleep(1)
        finally:
            lock.release()
    thread.join()


def test_also_a_thread_that_reads_a_pipe() -> None:
    reading, writing = os.pipe()

    def reads() -> None:
        os.read(reading, 1)

    thread = threading.Thread(target=reads)
    with stall_naming("reads"):
        thread.start()
        try:
            thread.join()
        finally:
            os.write(writing, b"x")
    thread.join()
    os.close(reading)
    os.close(writing)


def test_also_a_thread_that_waits_in_a_queue_by_a_method_bound_before_the_scope() -> None:
    """It is the one written in C."""
    items = queue.SimpleQueue[int]()
    get = items.get

    def consumes() -> None:
        get()

    thread = threading.Thread(target=consumes)
    with stall_naming("consumes"):
        thread.start()
        try:
            time.sleep(1)
        finally:
            items.put(1)
    thread.join()


def test_one_who_computes_does_not_stall() -> None:
    world = World(ClockMode.VIRTUAL)

    def compute() -> None:
        end_ns = time.thread_time_ns() + SECOND // 2
        while time.thread_time_ns() < end_ns:
            pass

    with world.scope():
        thread = threading.Thread(target=compute)
        thread.start()
        thread.join()
    assert world.clock.now_ns() == 0


def test_a_root_that_blocks_is_noted_and_told_when_it_comes_back() -> None:
    world = World(ClockMode.VIRTUAL)
    reading, writing = os.pipe()

    def lets_it_go() -> None:
        while world.clock.failure is None:
            real_sleep(0.001)
        os.write(writing, b"x")

    helper = threading.Thread(target=lets_it_go, daemon=True)
    helper.start()
    world.clock.tolerate(helper)
    with (
        pytest.raises(ClockHangError, match=r"blocks.*a_root_that_blocks"),
        world.scope(),
    ):
        thread = threading.Thread(target=time.sleep, args=(2,))
        thread.start()
        time.sleep(1)
        os.read(reading, 1)
        thread.join()
    thread.join()
    helper.join()
    os.close(reading)
    os.close(writing)


def test_one_who_gets_no_core_does_not_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a busy machine: for half a second nobody passes the baton on, and nobody blocks."""
    starved = ThreadActivity("R", cpu_ns=0, run_delay_ns=0, switches=0)
    seen: list[int] = []

    def starving(native_ids: Iterable[int]) -> dict[int, ThreadActivity]:
        seen.append(len(seen))
        delay_ns = SECOND * len(seen)
        return {each: replace(starved, run_delay_ns=delay_ns) for each in native_ids}

    monkeypatch.setattr(virtual, "read_activities", starving)
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        thread = threading.Thread(target=real_sleep, args=(0.5,))
        thread.start()
        thread.join()
    assert len(seen) >= 2
    assert world.clock.failure is None


def test_looking_adds_nothing_to_the_calls_that_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who looks does so when the machine is busy, and counts are the same on every machine."""
    looks: list[int] = []

    def counts_of(duration_s: float) -> CallCounts:
        world = World(ClockMode.VIRTUAL)
        counter = CallCounter()
        with counter.installed(), world.scope(), counter.counting():
            thread = threading.Thread(target=real_sleep, args=(duration_s,))
            thread.start()
            thread.join()
        return counter.counts()

    read = virtual.read_activities

    def noted(native_ids: Iterable[int]) -> Mapping[int, ThreadActivity]:
        looks.append(1)
        return read(native_ids)

    monkeypatch.setattr(virtual, "STALL_LOOKS", 1000)
    monkeypatch.setattr(virtual, "read_activities", noted)
    quick, slow = counts_of(0), counts_of(0.5)
    assert len(looks) >= 2
    own = f"{Path(__file__).name}:"
    assert {name: n for name, n in slow.python.items() if own not in name} == quick.python
    assert {name: n for name, n in slow.c.items() if n != quick.c.get(name)}.keys() <= {
        "list.append"
    }
