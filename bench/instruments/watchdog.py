"""Catches code that computes on an event loop for too long, with the stack that did it.

A blocking *wait* is caught by the clock, exactly (see ``blocked_loop``). Blocking *computing*
leaves no trace there: so a thread looks every few milliseconds of real time how long the loop's
iteration has been running, and which callback it is in. A long iteration is no crime if many
callbacks share it: only one that is itself seen for longer than the threshold is told of. What it
took is told to some twenty milliseconds at either end, and never too long: time in which the loop's
thread was ready and got no core is taken off.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident, get_native_id
from types import FrameType

from ...mocks.clock import Clock
from ...mocks.clock.real_time import real_monotonic_ns
from ...mocks.clock.threads.activity import run_delay_ns
from ...mocks.clock.threads.frames import frames_by_thread
from ..results.blocked_loop import BlockedLoop, Cause
from .blocked_loop import culprit_of, frames_of_callback, stack_of
from .code_origin import Origin, origin_of

BLOCKED_FROM_NS = 50_000_000
"""What counts as held up, in nanoseconds of real time."""

_LOOKS_FROM_NS = 20_000_000
_LOOKS_EVERY_S = 0.02
_real_allocate_lock = threading.Lock


@dataclass(slots=True)
class _Seen:
    """A callback that the loop was seen in.

    It holds the frame itself: the identity of one that has ended may belong to another.
    """

    frame: FrameType
    from_ns: int
    until_ns: int
    delay_from_ns: int
    delay_until_ns: int
    places: Counter[str] = field(default_factory=Counter)
    stacks: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def end_ns(self) -> int:
        """When it was last seen, less the time for which its thread got no core."""
        return self.until_ns - (self.delay_until_ns - self.delay_from_ns)

    def look(self, innermost: FrameType, now_ns: int, delay_ns: int) -> None:
        place = culprit_of(innermost)
        self.until_ns, self.delay_until_ns = now_ns, delay_ns
        self.places[place] += 1
        self.stacks[place] = stack_of(innermost)


class Watchdog:
    """Watches the event loops of one trial; follows their iterations (see ``LoopObserver``).

    Args:
        now_ns: Reads the trial's clock.
        note: Called with each segment in which a loop was held up.
    """

    def __init__(self, now_ns: Callable[[], int], note: Callable[[BlockedLoop], None]) -> None:
        self._now_ns = now_ns
        self._note = note
        self._stop = _real_allocate_lock()
        self._running: tuple[int, int, int] | None = None
        # Guards what was seen: the loop tells of it at its end while this may still look.
        self._lock = _real_allocate_lock()
        self._seen: _Seen | None = None

    @contextmanager
    def looking(self, clock: Clock) -> Iterator[None]:
        """Look in this scope, from a thread that the clock takes no notice of."""
        thread = threading.Thread(target=self._look_on, name="warpbench-watchdog", daemon=True)
        self._stop.acquire()
        thread.start()
        clock.tolerate(thread, looks_at_frames=True)
        try:
            yield
        finally:
            self._stop.release()
            thread.join()

    def runs(self) -> None:
        """A loop runs what is ready."""
        self._running = get_ident(), real_monotonic_ns(), get_native_id()

    def polls(self) -> None:
        """It has run all of it."""
        self._running = None
        if self._seen is not None:
            with self._lock:
                self._tell()

    def _look_on(self) -> None:
        while not self._stop.acquire(timeout=_LOOKS_EVERY_S):
            running = self._running
            if running is None or real_monotonic_ns() - running[1] < _LOOKS_FROM_NS:
                continue
            self._look(*running)

    def _look(self, thread: int, since_ns: int, native_id: int) -> None:
        frame = frames_by_thread().get(thread)
        callback = None if frame is None else _callback_of(frame)
        if frame is None or callback is None:
            return
        with self._lock:
            # Only now is it sure that this frame ran in this iteration.
            if self._running != (thread, since_ns, native_id):
                return
            now_ns, delay_ns = self._now_ns(), run_delay_ns(native_id)
            if self._seen is None or self._seen.frame is not callback:
                self._tell()
                self._seen = _Seen(callback, now_ns, now_ns, delay_ns, delay_ns)
            self._seen.look(frame, now_ns, delay_ns)

    def _tell(self) -> None:
        seen, self._seen = self._seen, None
        if seen is None or seen.end_ns - seen.from_ns < BLOCKED_FROM_NS:
            return
        place = seen.places.most_common(1)[0][0]
        self._note(
            BlockedLoop(
                place,
                seen.from_ns,
                seen.end_ns,
                cause=Cause.COMPUTING,
                stack=seen.stacks[place],
            )
        )


def _callback_of(innermost: FrameType) -> FrameType | None:
    """Return the outermost frame of a callback that is the user's or a package's, if one is.

    There is none in a loop that waits for the interpreter, which others keep busy.
    """
    found = None
    for frame in frames_of_callback(innermost):
        if origin_of(frame.f_code.co_filename) in {Origin.OWN, Origin.PACKAGE}:
            found = frame
    return found
