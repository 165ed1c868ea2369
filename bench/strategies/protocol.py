"""What a strategy is: a way of driving many sessions, at most N of them at a time.

The session that it drives is watched. One that fails returns an empty text and does not raise,
and in an open loop one waits for its arrival by itself: a strategy needs no code for either.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

AsyncSession = Callable[[str], Awaitable[str]]
SyncSession = Callable[[str], str]


class Drives(StrEnum):
    """Which form of the target's session a strategy calls."""

    ASYNC = "async"
    SYNC = "sync"


@dataclass(frozen=True, slots=True)
class Strategy:
    """A named way of driving sessions.

    Attributes:
        name: As it is asked for and shown.
        summary: What it does, in one line.
        drives: The form of session that it needs.
        run: Called with the session, the tasks in order, and N; returns when every session
            has ended. What it returns is not read. A coroutine function is run on an event loop,
            a plain one without.
        one_at_a_time: Whether it has one session in flight, whatever N is. It is then held
            against the ideal at every load.
        is_default: Whether ``warpbench run`` measures it unless other strategies are named.
    """

    name: str
    summary: str
    drives: Drives
    run: Callable[..., object]
    one_at_a_time: bool = False
    is_default: bool = False

    @property
    def on_loop(self) -> bool:
        """Whether the strategy runs on an event loop."""
        return inspect.iscoroutinefunction(self.run)

    def places(self, concurrency: int) -> int | None:
        """Return how many sessions it lets in; ``None`` if it starts them all.

        One that has one at a time on an event loop starts them all, and they wait for the loop.
        """
        if not self.one_at_a_time:
            return concurrency
        return None if self.on_loop else 1


Tasks = Sequence[str]
