"""Counting calls: each one, of the right function, and the same in every repeat."""

import asyncio
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import TypeAdapter
from warpbench.bench.instruments.call_counts import CallCounter
from warpbench.bench.results.call_counts import CallCounts
from warpbench.mocks.clock import ClockMode, create_clock, keeping_time
from warpbench.mocks.clock.real_time import real_sleep
from warpbench.mocks.errors import TrialError


def counts_of(work: Any) -> CallCounts:
    counter = CallCounter()
    with counter.installed(), counter.counting():
        work()
    return counter.counts()


def callee() -> int:
    return len("abc")


def caller() -> None:
    for _ in range(7):
        callee()


def named(counts: Any, ending: str) -> int:
    return sum(count for name, count in counts.items() if name.endswith(ending))


def test_python_and_c_calls_are_counted_by_name_and_by_the_users_caller() -> None:
    counts = counts_of(caller)
    assert named(counts.python, "test_call_counts.py:callee") == 7
    assert counts.c["len"] == 7
    assert named(counts.own, "test_call_counts.py:caller → test_call_counts.py:callee") in (0, 7)
    assert named(counts.own, "test_call_counts.py:callee → len") == 7


class OfAnyAttribute:
    """As mocks and loggers are: whatever is asked of it is another one of its kind."""

    def __getattr__(self, name: str) -> "OfAnyAttribute":
        return OfAnyAttribute()

    def __call__(self) -> None: ...


def test_an_object_of_any_attributes_can_be_called() -> None:
    counts = counts_of(lambda: [OfAnyAttribute().any() for _ in range(3)])
    assert named(counts.python, "__call__") == 3


def test_a_thread_from_before_is_not_counted() -> None:
    """One by which a test runner gets its tests, say: what it does is up to the machine."""
    may_run, has_run = threading.Event(), threading.Event()

    def work() -> None:
        may_run.wait()
        caller()
        has_run.set()

    thread = threading.Thread(target=work)
    thread.start()

    def let_it_run() -> None:
        may_run.set()
        has_run.wait()

    counts = counts_of(let_it_run)
    thread.join()
    assert named(counts.python, "test_call_counts.py:callee") == 0
    assert named(counts.own, "callee → len") == 0


def test_going_on_after_an_await_is_one_more_call() -> None:
    async def twice() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    counts = counts_of(lambda: asyncio.run(twice()))
    assert named(counts.python, "twice") == 3


def test_nothing_is_counted_outside_the_scope() -> None:
    counter = CallCounter()
    with counter.installed():
        caller()
        with counter.counting():
            pass
        caller()
    caller()
    assert named(counter.counts().python, "callee") == 0


def test_memory_that_is_kept_is_counted_in_blocks() -> None:
    kept: list[object] = []
    held = counts_of(lambda: kept.extend([number] for number in range(10_000))).blocks_kept
    dropped = counts_of(lambda: [[number] for number in range(10_000)]).blocks_kept
    assert held >= 10_000
    assert dropped < 1_000


def test_another_profiler_is_not_pushed_aside() -> None:
    with CallCounter().installed(), pytest.raises(TrialError, match="another profiler is active"):
        CallCounter().installed().__enter__()
    # And the first has been taken away.
    assert sys.getprofile() is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are chosen on Linux")
def test_threads_that_start_and_end_are_counted_alike_however_they_are_scheduled() -> None:
    def work() -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(time.sleep, [0.1] * 8))

    def counted() -> tuple[int, int]:
        counter = CallCounter()
        clock = create_clock(ClockMode.VIRTUAL)
        with counter.installed(), keeping_time(clock), counter.counting():
            work()
        counts = counter.counts()
        return sum(counts.python.values()), sum(counts.c.values())

    counted()  # weak references to the first clock's threads end in a later one
    usual_s, usual_cores = sys.getswitchinterval(), os.sched_getaffinity(0)
    seen = set()
    try:
        os.sched_setaffinity(0, {min(usual_cores)})  # where threads come in each other's way most
        for turn in range(45):
            sys.setswitchinterval((1e-6, 1e-5, usual_s)[turn % 3])
            seen.add(counted())
    finally:
        sys.setswitchinterval(usual_s)
        os.sched_setaffinity(0, usual_cores)
    assert len(seen) == 1


def test_a_thread_that_is_torn_down_late_is_counted_like_one_that_is_gone_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last_step = threading.Thread._delete  # type: ignore[attr-defined]

    def work() -> None:
        threads = []
        for _ in range(3):
            thread = threading.Thread(target=time.sleep, args=(1,))
            thread.start()
            time.sleep(5)  # it ends meanwhile, and time is skipped on beside what is left of it
            threads.append(thread)
        for thread in threads:
            thread.join()

    def counted(torn_down_after_s: float) -> CallCounts:
        def late(thread: threading.Thread) -> None:
            last_step(thread)
            real_sleep(torn_down_after_s)

        monkeypatch.setattr(threading.Thread, "_delete", late)
        counter = CallCounter()
        clock = create_clock(ClockMode.VIRTUAL)
        with counter.installed(), keeping_time(clock), counter.counting():
            work()
        return counter.counts()

    counted(0)  # see above
    at_once, late = counted(0), counted(0.02)
    assert at_once.python == late.python
    assert at_once.c == late.c


def test_the_packages_that_had_a_part_are_named_and_no_others() -> None:
    adapter = TypeAdapter(dict[str, int])
    modules = counts_of(lambda: adapter.validate_python({"one": 1})).modules
    assert "pydantic" in modules
    assert not modules & {"pytest", "_pytest", "hypothesis", "warpbench"}
