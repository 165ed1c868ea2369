"""Puts the scope's clock behind the time that other code reads, and the sleep it calls.

A *sync* ``time.sleep`` in an agent or a library (the retry of the sync openai client, say)
costs clock time. What is read must then agree with what is slept, or code that loops until
``time.monotonic()`` has passed a deadline never ends. Patched in the scope:

============================== =========================================================
``time.sleep``                 a wait on the clock, for participants
``time.monotonic[_ns]``        the clock; also where ``threading`` and ``queue`` bound it
``time.perf_counter[_ns]``     likewise (``response.elapsed`` of httpx reads this one)
``time.time[_ns]``             the clock, moved to an epoch (``Retry-After`` dates)
============================== =========================================================

Not patched, so still real: ``datetime.now`` and other readings in C, ``process_time`` and
``thread_time`` (computing *is* real), names that a module bound before the scope began
(``from time import sleep`` in a module imported earlier), and httpcore's keep-alive expiry
over real sockets, which the skipping clocks refuse anyway.
"""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from .patching import patched
from .protocol import seconds, waited_nanoseconds
from .skipping import SkippingClock

VIRTUAL_EPOCH_NS = 1_767_225_600 * 1_000_000_000
"""``time.time()`` at virtual time 0: 2026-01-01T00:00:00Z, the same in every run."""

_real_sleep = time.sleep
_real_time_ns = time.time_ns
_real_monotonic_ns = time.monotonic_ns


@contextmanager
def readings_of(clock: SkippingClock) -> Iterator[None]:
    """Let ``time.sleep`` wait on ``clock``, and ``time``'s readings show it, in this scope."""
    if clock.mode.charges_cpu:
        epoch_ns = _real_time_ns() - _real_monotonic_ns()
    else:
        epoch_ns = VIRTUAL_EPOCH_NS

    def sleep(duration_s: float, /) -> None:
        if clock.current() is None:
            _real_sleep(duration_s)
            return
        if duration_s < 0:
            raise ValueError("sleep length must be non-negative")
        clock.wait_until_ns(clock.now_ns() + waited_nanoseconds(duration_s))

    def monotonic() -> float:
        return seconds(clock.now_ns())

    def time_() -> float:
        return seconds(epoch_ns + clock.now_ns())

    def time_ns() -> int:
        return epoch_ns + clock.now_ns()

    replacements: list[tuple[object, str, object]] = [
        (time, "sleep", sleep),
        (time, "monotonic", monotonic),
        (time, "monotonic_ns", clock.now_ns),
        (time, "perf_counter", monotonic),
        (time, "perf_counter_ns", clock.now_ns),
        (time, "time", time_),
        (time, "time_ns", time_ns),
        (threading, "_time", monotonic),
        (queue, "time", monotonic),
    ]
    with ExitStack() as patches:
        for owner, name, replacement in replacements:
            patches.enter_context(patched(owner, name, replacement))
        yield
