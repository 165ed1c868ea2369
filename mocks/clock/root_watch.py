"""Ends a stall of the root in virtual time, which nobody else could.

The root is the thread that is told when time cannot be kept. If it blocks where the clock cannot
see it (a real ``select``, a read from a pipe), nobody can tell it; and if it is alone, nobody would
notice. So a thread of real time looks after it, and interrupts it by a signal, whose handler raises
the error in the midst of the system call.

A process whose children do anything is left in peace: who waits for one that computes is held up,
and does not hang. Of those that were started in the scope it is enough that they live; those from
before (of a test runner) must run.

In a process that runs one trial the signal is the lab's. In any other, such as pytest's, it is used
if nobody else handles it and the root is the main thread; else nothing is done. One who stops in a
debugger is left alone.
"""

import _thread
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count
from pathlib import Path

from .protocol import Clock
from .real_locks import real_acquire, real_allocate_lock, real_release
from .skipping import is_skipping
from .threads.frames import frames_by_thread
from .virtual import VirtualClock, passes_a_baton

_SIGNAL = signal.SIGURG
"""Of no meaning to most programs, and ignored by default: it harms nobody if it comes late."""


_PROCESSES = Path("/proc")
_TICKS = slice(11, 15)
"""Columns of ``stat`` after the name: time of the process and of its children that have ended."""

_AT_REST = frozenset("SZ")
"""States: asleep, or ended."""

_numbers = count(1)

_DEBUGGERS = frozenset({"bdb", "pdb", "code", "IPython", "ipdb", "pudb", "pydevd", "debugpy"})


def root_watched(clock: Clock) -> AbstractContextManager[None]:
    """Return the scope in which a root that stalls is interrupted, by a ``ClockHangError``.

    Enter it in the thread of the root, before the scope of the clock. In real time, and where
    computing takes time, a root that blocks is merely slow: nothing is done. Nor is it in another
    thread than the main one, or if the process handles the signal itself.
    """
    if is_skipping(clock) and passes_a_baton(clock) and _may_use_signal():
        return _watched(clock)
    return nullcontext()


def root_held_back(clock: Clock) -> AbstractContextManager[None]:
    """Return the scope in which the root waits for something else than the clock's time.

    A prepared trial that waits for its turn does so: that takes as long as others measure.
    """
    if is_skipping(clock) and passes_a_baton(clock):
        return clock.root_held_back()
    return nullcontext()


@contextmanager
def _watched(clock: VirtualClock) -> Iterator[None]:
    main = threading.main_thread().ident
    assert main is not None
    before_scope = _children()

    def raise_failure(_signal: int, _frame: object) -> None:
        if clock.failure is not None:
            raise clock.failure

    begun, is_over, has_ended = (real_allocate_lock() for _ in range(3))
    for each in (begun, is_over, has_ended):
        real_acquire(each)

    def watch() -> None:
        clock.tolerate_below_threading(_thread.get_ident(), _thread.get_native_id())
        real_release(begun)
        seen, children = clock.hand_overs, before_scope
        while not real_acquire(is_over, True, clock.patience_s):
            children, earlier = _children(), children
            is_excused = children.keys() - before_scope.keys() or children != earlier
            if not is_excused and not _is_debugged(main) and clock.is_root_stalled(seen):
                signal.pthread_kill(main, _SIGNAL)
            seen = clock.hand_overs
        real_release(has_ended)

    before = signal.signal(_SIGNAL, raise_failure)
    # Below `threading`, which a library may replace (gevent) between its begin and its end.
    _thread.start_new_thread(watch, ())
    real_acquire(begun)
    try:
        yield
    finally:
        real_release(is_over)
        real_acquire(has_ended)
        signal.signal(_SIGNAL, before)


def _may_use_signal() -> bool:
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(_SIGNAL) in (signal.SIG_DFL, signal.SIG_IGN)


def _is_debugged(ident: int) -> bool:
    frame = frames_by_thread().get(ident)
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False


def _children() -> dict[int, str]:
    """Return what each child of this process has done so far, as the system tells it, by process.

    Elsewhere than on Linux it is never the same twice.
    """
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return {}
    here, found = str(os.getpid()), {}
    try:
        for folder in _PROCESSES.iterdir():
            if folder.name.isdigit():
                done = _done_by_child(folder, here)
                if done is not None:
                    found[int(folder.name)] = done
    except OSError:
        found[-next(_numbers)] = "unknown"
    return found


def _done_by_child(folder: Path, parent: str) -> str | None:
    try:
        columns = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None  # it has ended meanwhile
    state, whose, *_ = columns
    if whose != parent:
        return None
    # One that runs may get no core, and then its time stands still.
    return " ".join(columns[_TICKS]) if state in _AT_REST else f"runs, {next(_numbers)}"
