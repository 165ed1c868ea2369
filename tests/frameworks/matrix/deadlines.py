"""Until when the matrix may run: what takes time asks how much of it there is."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass


class OutOfTimeError(Exception):
    """The time is up; what was done is kept, and what was under way is not."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment that nothing runs beyond.

    Attributes:
        at_s: When it is, as ``now_s`` counts.
        now_s: Reads the clock, in seconds.
    """

    at_s: float
    now_s: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, limit_s: float, now_s: Callable[[], float] = time.monotonic) -> "Deadline":
        """Return the moment so many seconds from now."""
        return cls(now_s() + limit_s, now_s)

    def cut_s(self, limit_s: float) -> float:
        """Return how many seconds something may take that has a limit of its own.

        Raises:
            OutOfTimeError: It may not begin.
        """
        self.check()
        return min(limit_s, self.at_s - self.now_s())

    def check(self) -> None:
        """Raise ``OutOfTimeError`` if the moment is past."""
        if self.now_s() >= self.at_s:
            raise OutOfTimeError


NO_DEADLINE = Deadline(math.inf)
