"""A lesson and its observations, as values."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ...mocks.clock import seconds


class Doing(StrEnum):
    """The state of a lane."""

    WAITS = "waits"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of time in a lane, in nanoseconds since the act began.

    Attributes:
        lane: Name of the lane.
        doing: Its state.
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
    """The observations of an act.

    Attributes:
        segments: What went on, in the order of its begins.
        said: What was said, and when, in nanoseconds since the act began.
        took_ns: Duration of the whole act.
    """

    segments: tuple[Segment, ...]
    said: tuple[tuple[int, str], ...]
    took_ns: int

    @property
    def took_s(self) -> float:
        """Return the duration of the whole act, in seconds."""
        return seconds(self.took_ns)

    @property
    def words(self) -> tuple[str, ...]:
        """Return what the act said, in order."""
        return tuple(text for _, text in self.said)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a claim.

    Attributes:
        holds: Whether it holds.
        values: The observations, by name: what a report's sentence about them is made of.
    """

    holds: bool
    values: Mapping[str, float | str | tuple[str, ...]]


Act = Callable[[Any], Awaitable[None]]
"""A few lines of code, played on a stage (``lessons.stage``)."""


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
