"""What an efficiency is of, and the work that sessions took off each other, as values. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Reference(StrEnum):
    """What the ideal is made of, which an efficiency compares with."""

    SCRIPT = "script"
    """The waits of the script: the target takes the lab's tools and plays it."""

    SOLO = "solo"
    """What each session took alone: one after another, on a clock on which computing is free."""

    CONVERSATION = "conversation"
    """The longest conversation of each session, as it was played, with what own tools need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedWork:
    """What sessions were spared by others under load: by a cache, a single flight, a batch.

    Attributes:
        sessions: The sessions that were quicker than alone, or asked the model less.
        model_calls: The model calls that they made fewer than alone.
        spared_s: Seconds by which they were quicker than alone; the reference is without them.
    """

    sessions: int = 0
    model_calls: int = 0
    spared_s: float = 0.0


NOTHING_SHARED = SharedWork()


def summed(all_of_them: Iterable[SharedWork]) -> SharedWork:
    """Add up the shared work of several trials."""
    found = list(all_of_them)
    return SharedWork(
        sessions=sum(each.sessions for each in found),
        model_calls=sum(each.model_calls for each in found),
        spared_s=sum(each.spared_s for each in found),
    )
