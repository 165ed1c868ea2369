"""Where sessions waited inside their own code, as values, and summed up by place. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWait:
    """A place at which sessions were seen to wait for something of their own.

    Where the clock skips, every wait is noted. On the wall clock some sessions are looked at now
    and then, and each look stands for the time since the one before: good to compare places.

    Attributes:
        place: The user's function with its line: ``agent/tools.py:summarise:15``.
        awaits: What it waits for: ``asyncio.Lock.acquire``.
        seen_s: For how long, in seconds of all sessions together; on the wall clock, of the
            sessions that were looked at.
        waits: How many waits there were; ``None`` where sessions were looked at now and then.
        sessions: In how many sessions; likewise.
        lost_s: For how long these waits held sessions up, beyond what the target's tools need at
            least and what they lost by running in turn; likewise.
        in_turn: Whether it is a place of tools that ran one after another, though the model asked
            for them in one answer.
        blocks_loop: Whether waits there blocked an event loop.
        retry_s: For how much of it sessions paused between an attempt at a model call that failed
            and the next.
    """

    place: str
    awaits: str
    seen_s: float
    waits: int | None = None
    sessions: int | None = None
    lost_s: float | None = None
    in_turn: bool = False
    blocks_loop: bool = False
    retry_s: float = 0.0

    @property
    def waits_per_session(self) -> float | None:
        """How many waits a session had there, of those that had any."""
        if self.waits is None or not self.sessions:
            return None
        return self.waits / self.sessions

    @property
    def mean_s(self) -> float | None:
        """How long such a wait took, on average."""
        return self.seen_s / self.waits if self.waits else None


def by_place(waits: Iterable[OwnWait]) -> tuple[OwnWait, ...]:
    """Sum waits up by place and by what is waited for, the longest first."""
    at: defaultdict[tuple[str, str], list[OwnWait]] = defaultdict(list)
    for each in waits:
        at[each.place, each.awaits].append(each)
    summed = (
        OwnWait(
            place=place,
            awaits=awaits,
            seen_s=sum(each.seen_s for each in found),
            waits=_sum_of([each.waits for each in found]),
            sessions=_sum_of([each.sessions for each in found]),
            lost_s=_sum_of([each.lost_s for each in found]),
            in_turn=any(each.in_turn for each in found),
            blocks_loop=any(each.blocks_loop for each in found),
            retry_s=sum(each.retry_s for each in found),
        )
        for (place, awaits), found in at.items()
    )
    return tuple(sorted(summed, key=lambda each: (-each.seen_s, each.place, each.awaits)))


def _sum_of(values: list[T | None]) -> T | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
