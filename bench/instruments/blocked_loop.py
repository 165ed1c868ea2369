"""Where an event loop was blocked, and the stack that did it.

By a blocking call: the clock tells of those, exactly. By computing: the
watchdog catches it.

Nobody is blamed for what the machine did: the time in which the loop's thread was ready and got no
core is taken off. Nor is the lab's own code blamed (a strategy that joins its threads), but for its
tools, which stand for the user's.
"""

import sys
from collections.abc import Iterator
from threading import get_native_id
from types import FrameType

from ...mocks.clock.threads.activity import run_delay_ns
from ...mocks.observe.meter import TOOL
from ...mocks.observe.session import session_here
from ..results.blocked_loop import BlockedLoop, Cause
from .code_origin import Origin, origin_of, place_of

_DEEPEST = 8
_LOOP_FILES = tuple(f"asyncio/{name}.py" for name in ("events", "base_events", "runners"))


class BlockedLoops:
    """The segments of one trial.

    Args:
        shortest_ns: Waits shorter than this are left out. Where computing takes time, to start
            a thread is such a wait, and to look for the culprit takes longer than that.
    """

    def __init__(self, shortest_ns: int = 0) -> None:
        self._shortest_ns = shortest_ns
        self._noted: list[BlockedLoop] = []
        # By the loop's thread, while it is blocked.
        self._delay_at_begin_ns: dict[int, int] = {}

    def begin(self) -> None:
        """A loop is about to be blocked; called in its thread."""
        thread = get_native_id()
        self._delay_at_begin_ns[thread] = run_delay_ns(thread)

    def note(self, begin_ns: int, end_ns: int) -> None:
        """Note one; called in the thread of the loop, below the code that blocked it."""
        if end_ns - begin_ns < self._shortest_ns:
            return
        end_ns -= self._lost_to_the_machine_ns()
        frame = sys._getframe(1)
        tool = TOOL.get()
        if end_ns - begin_ns < max(1, self._shortest_ns):
            return
        if tool is None and _is_the_labs(frame):
            return
        place = culprit_of(frame) if tool is None else f"{tool} ({culprit_of(frame)})"
        stack = stack_of(frame)
        self.add(BlockedLoop(place, begin_ns, end_ns, session_here(), Cause.WAITING, stack))

    def _lost_to_the_machine_ns(self) -> int:
        thread = get_native_id()
        before_ns = self._delay_at_begin_ns.pop(thread, None)
        return 0 if before_ns is None else run_delay_ns(thread) - before_ns

    def add(self, blocked: BlockedLoop) -> None:
        """Note one that is known."""
        self._noted.append(blocked)

    def forget(self) -> None:
        """Forget those so far, of the warm-up for instance."""
        self._noted.clear()

    def noted(self) -> tuple[BlockedLoop, ...]:
        """Return those so far."""
        return tuple(self._noted)


def _is_the_labs(innermost: FrameType) -> bool:
    origins = {origin_of(frame.f_code.co_filename) for frame in frames_of_callback(innermost)}
    return origins.isdisjoint({Origin.OWN, Origin.PACKAGE})


def culprit_of(innermost: FrameType) -> str:
    """Return the innermost function of the user's, else of a package, else of the lab."""
    found: dict[Origin, str] = {}
    for frame in frames_of_callback(innermost):
        origin = origin_of(frame.f_code.co_filename)
        if origin is Origin.OWN:
            return place_of(frame.f_code)
        if origin is Origin.LAB:  # the outermost: what lies within is its clock
            found[origin] = place_of(frame.f_code)
        found.setdefault(origin, place_of(frame.f_code))
    return found.get(Origin.PACKAGE) or found.get(Origin.LAB) or place_of(innermost.f_code)


def stack_of(innermost: FrameType) -> tuple[str, ...]:
    """Return the user's functions in a stack with their lines, the outermost first."""
    own = [
        f"{place_of(frame.f_code)}:{frame.f_lineno}"
        for frame in frames_of_callback(innermost)
        if origin_of(frame.f_code.co_filename) is Origin.OWN
    ]
    return tuple(reversed(own[:_DEEPEST]))


def frames_of_callback(innermost: FrameType) -> Iterator[FrameType]:
    """Yield the frames of what an event loop runs, outwards; what called the loop is none."""
    frame: FrameType | None = innermost
    while frame is not None and not frame.f_code.co_filename.endswith(_LOOP_FILES):
        yield frame
        frame = frame.f_back
