"""Notes where an event loop was blocked: by a wait that should have been awaited."""

import sys
from dataclasses import dataclass
from types import FrameType

from ..mocks.metering import SESSION
from .origins import Origin, origin_of, place_of


@dataclass(frozen=True, slots=True)
class BlockedLoop:
    """One stretch of time in which a loop could not run because a callback waited.

    Attributes:
        place: The user's function that did: ``agent/tools.py:summarise``.
        start_ns: When it began, on the clock.
        end_ns: When it was over.
        session: Whose code did, if that is known.
    """

    place: str
    start_ns: int
    end_ns: int
    session: int | None = None


class BlockedLoops:
    """The stretches of one trial."""

    def __init__(self) -> None:
        self._noted: list[BlockedLoop] = []

    def note(self, begin_ns: int, end_ns: int) -> None:
        """Note one; called in the thread of the loop, below the code that blocked it."""
        culprit = _culprit(sys._getframe(1))
        self._noted.append(BlockedLoop(culprit, begin_ns, end_ns, SESSION.get()))

    def forget(self) -> None:
        """Forget those so far, of the warm-up for instance."""
        self._noted.clear()

    def noted(self) -> tuple[BlockedLoop, ...]:
        """Return those so far."""
        return tuple(self._noted)


def _culprit(innermost: FrameType) -> str:
    """Return the innermost function of the user's, else of a package, else of the lab."""
    found: dict[Origin, str] = {}
    frame: FrameType | None = innermost
    while frame is not None:
        origin = origin_of(frame.f_code.co_filename)
        if origin is Origin.OWN:
            return place_of(frame.f_code)
        found.setdefault(origin, place_of(frame.f_code))
        frame = frame.f_back
    return found.get(Origin.PACKAGE) or found[Origin.LAB]
