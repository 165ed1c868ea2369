"""Makes the threads of a scope participants of its clock.

Four seams of the standard library are enough, because all that blocks in ``threading``,
``queue`` and ``concurrent.futures`` blocks in ``Condition.wait``, and that waits for one
bare lock which it allocates for the purpose:

- ``threading._allocate_lock``, asked by ``Condition.wait``, gives a ``ParkingLock``. What
  ``notify`` releases is then a parking, so the woken thread counts as running before the
  notifier goes on: the invariant that the clock needs, kept by the library's own code.
- ``Thread.start`` admits the thread before it exists.
- ``Thread.join`` parks until the thread has ended.
- ``queue.SimpleQueue``, in which pool workers wait for work, is written in C and out of
  sight; ``simple_queue`` has one that is not.

A thread started below ``threading`` is refused at its start: the interpreter itself counts
it only once it runs, and until then time could be skipped over it.

Unseen, and therefore taken for running: bare locks, sockets, subprocesses, C code (a
``SimpleQueue`` that was made before the scope, too; for pools see ``older_pools``), and whatever is
asked without waiting (``acquire(timeout=0)``). The last must not even give way to others: a pool's
``submit`` asks so while it holds plain locks that others want.
"""

import _thread
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from types import FrameType
from typing import Any

from ...errors import ClockHangError
from ..own_waits import BY_STACK
from ..participants import Leave, Parking, Participant
from ..patching import patched
from ..protocol import waited_nanoseconds
from ..real_locks import real_acquire, real_allocate_lock, real_release
from ..skipping import SkippingClock
from . import stacks
from .older_queues import older_queues_taking_part
from .simple_queue import Item, SeenSimpleQueue, WaitersLock

_AFTER_FORK = vars(threading)["_after_fork"].__code__
_ASKS_ONCE = threading.Semaphore.acquire.__code__
_STARTS_THREADS = "_start_joinable_thread" if sys.version_info >= (3, 13) else "_start_new_thread"


class ParkingLock:
    """The lock of one ``Condition.wait``: acquired twice, and released by ``notify``."""

    __slots__ = ("_clock", "_held", "_parking")

    def __init__(self, clock: SkippingClock, participant: Participant) -> None:
        self._clock = clock
        describe = partial(_describe, participant)
        self._parking = Parking(participant, describe, awaits=BY_STACK)
        self._held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock at once the first time; park until ``release`` the second."""
        if not self._held:
            self._held = True
            return True
        if not blocking or timeout == 0:
            # Not a wait. To park even for no time would give way to others while the caller
            # holds a bare lock (a pool asks so for an idle worker), and they may want it.
            taken = self._clock.take_release(self._parking)
            if not taken and not _is_asked_once(sys._getframe(2)):
                self._clock.poll(self._parking)
        else:
            duration_ns = waited_nanoseconds(timeout)
            deadline_ns = None if timeout < 0 else self._clock.now_ns() + duration_ns
            taken = self._clock.park(self._parking, deadline_ns) is Leave.RELEASED
        self._held = taken
        return taken

    def release(self) -> None:
        """Let the waiting thread go on; it counts as running from here."""
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False
        self._clock.release(self._parking)


@contextmanager
def threads_taking_part(clock: SkippingClock) -> Iterator[None]:
    """Make each thread that starts in this scope a participant of ``clock``."""

    def allocate_lock() -> WaitersLock:
        participant = clock.current()
        # In the child of a fork the module makes a lock of its own anew, which is no waiter's.
        if participant is None or sys._getframe(1).f_code is _AFTER_FORK:
            return real_allocate_lock()
        return ParkingLock(clock, participant)

    class SimpleQueue(SeenSimpleQueue[Item]):
        def __init__(self) -> None:
            super().__init__(allocate_lock)

    replacements: list[tuple[object, str, object]] = [
        (threading, "_allocate_lock", allocate_lock),
        (threading.Thread, "start", _start_on(clock)),
        (threading.Thread, "join", _join_on(clock)),
        (queue, "SimpleQueue", SimpleQueue),
        (threading, _STARTS_THREADS, _start_and_shake_hands_on(clock)),
        (_thread, "start_new_thread", _refuse_to_start_on(clock)),
    ]
    with ExitStack() as patches:
        for owner, name, replacement in replacements:
            patches.enter_context(patched(owner, name, replacement))
        patches.enter_context(older_queues_taking_part(clock, allocate_lock))
        yield


def _start_on(clock: SkippingClock) -> Callable[[threading.Thread], None]:
    real_start = threading.Thread.start

    @wraps(real_start)
    def start(thread: threading.Thread) -> None:
        starter = clock.current()
        if starter is None or thread.ident is not None:  # or it refuses to start again
            real_start(thread)
            return
        participant = clock.admit(thread)
        has_begun = real_allocate_lock()
        real_acquire(has_begun)
        run = thread.run

        def run_as_participant() -> None:
            try:
                real_release(has_begun)
                clock.begin(participant)
                run()
            except ClockHangError:
                # Raised when the scope closed, to end a thread that would wait for ever: who opened
                # it has the error already.
                if not participant.ended:
                    raise
            finally:
                thread.__dict__.pop("run", None)  # which made the thread refer to itself
                clock.end(participant)

        thread.run = run_as_participant  # type: ignore[method-assign]  # of this one thread
        starter.handshake = has_begun
        try:
            real_start(thread)
        except Exception:
            # No thread came into being. (One may have if it was Ctrl-C: then it does run.)
            thread.__dict__.pop("run", None)
            clock.dismiss(participant)
            raise
        finally:
            starter.handshake = None

    return start


def _start_and_shake_hands_on(clock: SkippingClock) -> Callable[..., object]:
    """Return what starts a thread for ``Thread.start``, and waits until it has been set up.

    ``Thread.start`` waits for that itself, in the standard library's own code, or finds that
    it need not: who of the two is faster is up to the scheduler. This wait is real and short,
    and after it all goes one way. Were it to park, who runs first would be chance as well.
    """
    real_start: Callable[..., object] = getattr(threading, _STARTS_THREADS)

    @wraps(real_start)
    def start(*args: Any, **kwargs: Any) -> object:
        started = real_start(*args, **kwargs)
        starter = clock.current()
        if starter is not None and starter.handshake is not None:
            real_acquire(starter.handshake)
        return started

    return start


def _join_on(clock: SkippingClock) -> Callable[[threading.Thread, float | None], None]:
    real_join = threading.Thread.join

    @wraps(real_join)
    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        participant = clock.participant_of(thread)
        here = clock.current()
        # To join itself is for the library to refuse.
        if participant is not None and here is not None and here is not participant:
            timeout_ns = None if timeout is None else waited_nanoseconds(timeout)
            if not clock.await_end(participant, timeout_ns):
                return
        real_join(thread, timeout)

    return join


def _refuse_to_start_on(clock: SkippingClock) -> Callable[..., int]:
    real_start_new_thread = _thread.start_new_thread

    @wraps(real_start_new_thread)
    def start_new_thread(*args: Any, **kwargs: Any) -> int:
        if clock.current() is not None:
            raise clock.refuse("a thread was started with _thread.start_new_thread")
        return real_start_new_thread(*args, **kwargs)

    return start_new_thread


def _is_asked_once(asking: FrameType) -> bool:
    """Say whether a semaphore asks, which gives up then; others may ask again and again."""
    # Between it and the lock is its condition, whose method may be wrapped (``bare_locks``).
    beyond = asking.f_back
    return asking.f_code is _ASKS_ONCE or (beyond is not None and beyond.f_code is _ASKS_ONCE)


def _describe(participant: Participant) -> str:
    return f"blocked in {stacks.of_thread(participant.thread)}"
