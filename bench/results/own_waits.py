"""Where sessions waited inside their own code, as values, and summed up by place. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWait:
    """A place at which sessions were seen to wait for something of their own.

    Attributes:
        place: The user's function with its line: ``agent/tools.py:summarise:15``.
        awaits: What it waits for: ``asyncio.Lock.acquire``.
        seen_s: For how long, in seconds of the sessions that were looked at, together. Good to
            compare places: some sessions are looked at now and then, and each look stands for
            the time since the one before.
    """

    place: str
    awaits: str
    seen_s: float


def by_place(waits: Iterable[OwnWait]) -> tuple[OwnWait, ...]:
    """Sum waits up by place and by what is waited for, the longest first."""
    seen_s: defaultdict[tuple[str, str], float] = defaultdict(float)
    for each in waits:
        seen_s[each.place, each.awaits] += each.seen_s
    summed = (
        OwnWait(place=place, awaits=awaits, seen_s=total_s)
        for (place, awaits), total_s in seen_s.items()
    )
    return tuple(sorted(summed, key=lambda each: (-each.seen_s, each.place, each.awaits)))
