"""Puts the scope's clock behind the time that other code reads, and the sleep it calls.

A *sync* ``time.sleep`` in an agent or a library (the retry of the sync openai client, say)
costs clock time. What is read must then agree with what is slept, or code that loops until
``time.monotonic()`` has passed a deadline never ends. In the scope:

========================================== ===================================================
``time.sleep``                             a wait on the clock
``time.monotonic[_ns]``                    the clock
``time.perf_counter[_ns]``                 likewise (``response.elapsed`` of httpx reads this)
``time.clock_gettime[_ns]``                likewise, of a monotonic clock or the date
``time.time[_ns]``, ``datetime.now``, ...  the clock, moved to an epoch (see ``date``)
``time.ctime``, ``time.asctime``           likewise, where they are asked for now
========================================== ===================================================

The functions themselves are changed (see ``c_functions``), so it does not matter who bound which
name when: ``from time import sleep``, a default of a parameter and a compiled module are reached.
No name is replaced, so what a module binds in the scope is right after it.

A thread that does not take part (a test runner's) reads real time, since it sleeps for real, too.
So does ``subprocess``: what it waits for is real.

Real as ever: ``process_time``, ``thread_time`` and ``clock_gettime`` of those (computing *is*
real), and timeouts that compiled code counts by itself, as ``select`` does.
"""

import datetime
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import BuiltinFunctionType, SimpleNamespace
from typing import Any

from .c_functions import redirected
from .date import date_of
from .patching import patched
from .protocol import NowNs, seconds, waited_nanoseconds
from .real_time import (
    real_asctime,
    real_clock_gettime,
    real_clock_gettime_ns,
    real_ctime,
    real_monotonic,
    real_monotonic_ns,
    real_perf_counter,
    real_perf_counter_ns,
    real_sleep,
)
from .skipping import SkippingClock

_MONOTONIC = frozenset(
    getattr(time, name)
    for name in ("CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "CLOCK_BOOTTIME", "CLOCK_UPTIME_RAW")
    if hasattr(time, name)
)

KEPT_FUNCTIONS = frozenset(
    {
        "time.sleep",
        "time.monotonic",
        "time.monotonic_ns",
        "time.perf_counter",
        "time.perf_counter_ns",
        "time.time",
        "time.time_ns",
    }
)
"""The functions of ``time`` of which each call is one of the clock's."""


_NAMES_RESTORED = (
    (datetime, "datetime"),
    (datetime, "date"),
    *((time, name.partition(".")[2]) for name in sorted(KEPT_FUNCTIONS)),
    (time, "gmtime"),
    (time, "localtime"),
    (time, "strftime"),
)


def _original(name: str) -> Callable[..., Any]:
    """Return a function of ``time``, also if freezegun had replaced it before this import."""
    function: Callable[..., Any] = getattr(time, name)
    if isinstance(function, BuiltinFunctionType):
        return function
    original: Callable[..., Any] = getattr(
        sys.modules.get("freezegun.api"), f"real_{name}", function
    )
    return original


_ORIGINALS = {
    name: _original(name)
    for name in (
        *(name.partition(".")[2] for name in KEPT_FUNCTIONS),
        "clock_gettime",
        "clock_gettime_ns",
        "ctime",
        "asctime",
    )
}


@contextmanager
def readings_of(clock: SkippingClock) -> Iterator[None]:
    """Let ``time.sleep`` wait on ``clock``, and all that reads time show it, in this scope.

    Raises:
        ClockRefusedError: Something else freezes the process's time already.
    """
    with date_of(clock) as date_ns, ExitStack() as scope:
        for name, replacement in _replacements(clock, date_ns).items():
            scope.enter_context(redirected(_ORIGINALS[name], replacement))
        # freezegun puts some of them back, and not all if two of its freezes overlap.
        for owner, name in _NAMES_RESTORED:
            scope.enter_context(patched(owner, name, getattr(owner, name)))
        # What a subprocess takes is real time, and so are the limits of it.
        scope.enter_context(patched(subprocess, "_time", real_monotonic))
        scope.enter_context(patched(subprocess, "time", SimpleNamespace(sleep=real_sleep)))
        yield


_Replacements = Mapping[str, Callable[..., Any]]


def _replacements(clock: SkippingClock, date_ns: NowNs) -> _Replacements:
    def time_() -> float:
        return seconds(date_ns())

    return {
        **_of_waiting(clock),
        **_of_intervals(clock),
        "time": time_,
        "time_ns": date_ns,
        **_of_clocks_by_number(time_, date_ns),
        "ctime": _ctime,
        "asctime": _asctime,
    }


def _of_waiting(clock: SkippingClock) -> _Replacements:
    def sleep(duration_s: float) -> None:
        if clock.current() is None:
            real_sleep(duration_s)
            return
        if duration_s < 0:
            raise ValueError("sleep length must be non-negative")
        clock.sleep_here(clock.now_ns() + waited_nanoseconds(duration_s))

    return {"sleep": sleep}


def _of_intervals(clock: SkippingClock) -> _Replacements:
    current, now_ns = clock.current, clock.now_ns

    def monotonic() -> float:
        return real_monotonic() if current() is None else seconds(now_ns())

    def monotonic_ns() -> int:
        return real_monotonic_ns() if current() is None else now_ns()

    def perf_counter() -> float:
        return real_perf_counter() if current() is None else seconds(now_ns())

    def perf_counter_ns() -> int:
        return real_perf_counter_ns() if current() is None else now_ns()

    return {
        "monotonic": monotonic,
        "monotonic_ns": monotonic_ns,
        "perf_counter": perf_counter,
        "perf_counter_ns": perf_counter_ns,
    }


def _of_clocks_by_number(time_: Callable[[], float], time_ns: NowNs) -> _Replacements:
    monotonic, monotonic_ns = _ORIGINALS["monotonic"], _ORIGINALS["monotonic_ns"]

    def clock_gettime(clock_id: int) -> float:
        if clock_id == time.CLOCK_REALTIME:
            return time_()
        return monotonic() if clock_id in _MONOTONIC else real_clock_gettime(clock_id)

    def clock_gettime_ns(clock_id: int) -> int:
        if clock_id == time.CLOCK_REALTIME:
            return time_ns()
        return monotonic_ns() if clock_id in _MONOTONIC else real_clock_gettime_ns(clock_id)

    return {"clock_gettime": clock_gettime, "clock_gettime_ns": clock_gettime_ns}


def _ctime(at_s: float | None = None) -> str:
    return real_ctime(time.time() if at_s is None else at_s)


def _asctime(at: Any = None) -> str:
    return real_asctime(time.localtime() if at is None else at)
