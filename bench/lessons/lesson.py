"""What a lesson is: a claim, a few short acts that play it, and what is to be seen of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from ...mocks.clock import Clock, seconds


class Doing(StrEnum):
    """What goes on in a lane."""

    WAITS = "waits"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in a lane, in nanoseconds since the act began.

    Attributes:
        lane: Whose.
        doing: What went on.
        begin_ns: When it began.
        end_ns: When it ended.
        is_cut_short: Whether it was cancelled, or failed.
    """

    lane: str
    doing: Doing
    begin_ns: int
    end_ns: int
    is_cut_short: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """What was seen of an act.

    Attributes:
        stretches: What went on, in the order of its begins.
        said: What was said, and when, in nanoseconds since the act began.
        took_ns: What the whole act took.
    """

    stretches: tuple[Stretch, ...]
    said: tuple[tuple[int, str], ...]
    took_ns: int

    @property
    def took_s(self) -> float:
        """What the whole act took, in seconds."""
        return seconds(self.took_ns)

    @property
    def words(self) -> tuple[str, ...]:
        """What was said, in order."""
        return tuple(text for _, text in self.said)


class Stage:
    """Where an act plays: ``waits`` is ``asyncio.sleep``, ``blocks`` is ``time.sleep``, both drawn.

    Args:
        clock: Keeps its time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_ns = clock.now_ns()
        self._stretches: list[Stretch] = []
        self._said: list[tuple[int, str]] = []

    async def waits(self, lane: str, duration_s: float) -> None:
        """Wait, and let others run meanwhile."""
        with self._drawn(lane, Doing.WAITS):
            await asyncio.sleep(duration_s)

    def blocks(self, lane: str, duration_s: float) -> None:
        """Wait without giving way: the thread can do nothing else."""
        with self._drawn(lane, Doing.BLOCKS):
            time.sleep(duration_s)

    def says(self, text: str) -> None:
        """Note something, with its time."""
        self._said.append((self._now_ns(), text))

    def played(self) -> Played:
        """Return what was seen so far."""
        stretches = tuple(sorted(self._stretches, key=lambda each: each.begin_ns))
        return Played(stretches, tuple(self._said), self._now_ns())

    @contextmanager
    def _drawn(self, lane: str, doing: Doing) -> Iterator[None]:
        begin_ns = self._now_ns()
        is_cut_short = True
        try:
            yield
            is_cut_short = False
        finally:
            self._stretches.append(Stretch(lane, doing, begin_ns, self._now_ns(), is_cut_short))

    def _now_ns(self) -> int:
        return self._clock.now_ns() - self._began_ns


Act = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether a claim holds by what was seen, and what that was, in a sentence."""

    holds: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One claim about asyncio, and how to see it.

    Attributes:
        name: Name on the command line.
        claim: The claim, in a sentence.
        why: Why that is so, in two or three.
        acts: What is played, each by itself, in order.
        seen: Judges what was seen of each act, by the act's name.
        loops: Event loop of an act, by the act's name; asyncio's for the others.
    """

    name: str
    claim: str
    why: str
    acts: tuple[Act, ...]
    seen: Callable[[Mapping[str, Played]], Seen]
    loops: Mapping[str, str] = field(default_factory=dict)

    def loop_of(self, act: Act) -> str:
        """Return the event loop that an act runs on."""
        return self.loops.get(act.__name__, "asyncio")
