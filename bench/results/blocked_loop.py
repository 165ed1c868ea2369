"""Where and when event loops were blocked, as values, and summed up by place. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ...mocks.clock import seconds


class Cause(StrEnum):
    """What blocked the loop."""

    WAITING = "waiting"
    COMPUTING = "computing"


@dataclass(frozen=True, slots=True)
class BlockedLoop:
    """One span of time in which a loop could not run because a callback kept it.

    Attributes:
        place: The user's function that did, ``agent/tools.py:summarise``, after the name of the
            lab's tool if it ran one.
        start_ns: When it began, on the clock.
        end_ns: When it was over.
        session: Whose code did, if that is known.
        cause: What it did.
        stack: The user's functions above it with their lines, the outermost first.
    """

    place: str
    start_ns: int
    end_ns: int
    session: int | None = None
    cause: Cause = Cause.WAITING
    stack: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopBlocker:
    """A place that blocked an event loop, over the trials of a cell.

    Attributes:
        place: The function: ``agent/tools.py:summarise``.
        cause: What it did.
        times: How often it was caught.
        total_s: For how long in all.
        longest_s: For how long at most.
        stack: The user's functions above it in the longest, with their lines.
    """

    place: str
    cause: Cause
    times: int
    total_s: float
    longest_s: float
    stack: tuple[str, ...]


def loop_blockers(segments: Iterable[BlockedLoop]) -> tuple[LoopBlocker, ...]:
    """Sum segments up by place and cause, those that blocked a loop longest first."""
    by_place: dict[tuple[str, Cause], list[BlockedLoop]] = {}
    for each in segments:
        by_place.setdefault((each.place, each.cause), []).append(each)
    blockers = (_blocker(place, cause, own) for (place, cause), own in by_place.items())
    return tuple(sorted(blockers, key=lambda blocker: (-blocker.total_s, blocker.place)))


def _blocker(place: str, cause: Cause, segments: list[BlockedLoop]) -> LoopBlocker:
    longest = max(segments, key=lambda each: each.end_ns - each.start_ns)
    return LoopBlocker(
        place=place,
        cause=cause,
        times=len(segments),
        total_s=seconds(sum(each.end_ns - each.start_ns for each in segments)),
        longest_s=seconds(longest.end_ns - longest.start_ns),
        stack=longest.stack,
    )
