"""Ends a stall of the root in virtual time, which nobody else could.

The root is the thread that is told when time cannot be kept. If it blocks where the clock cannot
see it (a real ``select``, a read from a pipe), nobody can tell it; and if it is alone, nobody would
notice. So a thread of real time looks after it, and interrupts it by a signal, whose handler raises
the error in the midst of the system call.

A process with children is left in peace: who waits for one that computes is held up, and does not
hang.

For a process that runs one trial: the signal's handler is the process's, and whoever reads from a
terminal, as a debugger does, would be taken for stalled.
"""

import _thread
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import cast

from .protocol import Clock
from .skipping import is_skipping
from .virtual import VirtualClock

_SIGNAL = signal.SIGURG
"""Of no meaning to most programs, and ignored by default: it harms nobody if it comes late."""


def root_watched(clock: Clock) -> AbstractContextManager[None]:
    """Return the scope in which a root that stalls is interrupted, by a ``ClockHangError``.

    Enter it in the main thread, before the scope of the clock. In real time, and where computing
    takes time, a root that blocks is merely slow: nothing is done.
    """
    if is_skipping(clock) and not clock.mode.charges_cpu:
        return _watched(cast("VirtualClock", clock))
    return nullcontext()


@contextmanager
def _watched(clock: VirtualClock) -> Iterator[None]:
    main = threading.main_thread().ident
    assert main is not None

    def raise_failure(_signal: int, _frame: object) -> None:
        if clock.failure is not None:
            raise clock.failure

    begun, is_over, has_ended = (_thread.allocate_lock() for _ in range(3))
    for each in (begun, is_over, has_ended):
        each.acquire()

    def watch() -> None:
        clock.tolerate_below_threading(_thread.get_ident(), _thread.get_native_id())
        begun.release()
        seen = clock.hand_overs
        while not is_over.acquire(timeout=clock.patience_s):
            if not _has_children() and clock.is_root_stalled(seen):
                signal.pthread_kill(main, _SIGNAL)
            seen = clock.hand_overs
        has_ended.release()

    before = signal.signal(_SIGNAL, raise_failure)
    # Below `threading`, which a library may replace (gevent) between its begin and its end.
    _thread.start_new_thread(watch, ())
    begun.acquire()
    try:
        yield
    finally:
        is_over.release()
        has_ended.acquire()
        signal.signal(_SIGNAL, before)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
