"""The real time that the gate may take, and what happens to waits that it cuts short."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ....mocks.child_process import ChildTimeoutError
from ....mocks.errors import WarpbenchError

_FOR_ENDING_SHARE = 0.2
_FOR_ENDING_MOST_S = 5.0


class BudgetSpent(WarpbenchError):  # noqa: N818 - no mistake of anybody's
    """The budget has ended: what goes on is stopped, and does not count."""

    def __init__(self) -> None:
        super().__init__("the budget is spent")


class Budget:
    """A bound on real time, which has begun.

    A part of it is kept back for ending processes and removing worktrees.

    Args:
        total_s: Seconds in all.
        now_s: The clock that it goes by.
        began_s: When it began on that clock; ``None`` for now.
    """

    def __init__(
        self,
        total_s: float,
        now_s: Callable[[], float] = time.monotonic,
        began_s: float | None = None,
    ) -> None:
        self.total_s = total_s
        self._now_s = now_s
        self._began_s = now_s() if began_s is None else began_s

    @property
    def spent_s(self) -> float:
        """Seconds since it began."""
        return self._now_s() - self._began_s

    @property
    def left_s(self) -> float:
        """Seconds that are left for measuring; below 0 if that is over."""
        return self.total_s - _for_ending_s(self.total_s) - self.spent_s

    def total_for_s(self, measuring_s: float) -> float:
        """Return which budget has so many seconds for measuring."""
        return measuring_s + _for_ending_s(measuring_s / (1 - _FOR_ENDING_SHARE))

    @contextmanager
    def waiting(self, most_s: float) -> Iterator[float]:
        """Give the seconds for which to wait for a child process within the scope.

        Args:
            most_s: Seconds that it may take for reasons of its own.

        Raises:
            BudgetSpent: There is nothing left, or the budget has cut the wait short.
        """
        self.check()
        limit_s = min(most_s, self.left_s)
        try:
            yield limit_s
        except ChildTimeoutError as error:
            if limit_s < most_s:
                raise BudgetSpent from error
            raise

    def check(self) -> None:
        """Make sure that something is left.

        Raises:
            BudgetSpent: Nothing is.
        """
        if self.left_s <= 0:
            raise BudgetSpent


def _for_ending_s(total_s: float) -> float:
    return min(_FOR_ENDING_MOST_S, _FOR_ENDING_SHARE * total_s)
