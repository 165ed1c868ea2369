"""How a session is cancelled, as by a client that goes away: in which of its waits, and when. Pure.

A wait is one of the session's own task in which its event loop may run others. It is named by what
is awaited and by which of these it is, so that it is the same one whatever other sessions do:
``answer 2`` is the second wait for the model or a tool, ``Lock.acquire 1`` the first one for a
lock.
"""

from dataclasses import dataclass

AT_ITS_BEGIN = 0
"""The moment at which a wait begins."""

AT_ITS_END = None
"""The moment at which a wait is over, and its task has not gone on yet."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """When a session is cancelled.

    Attributes:
        session: Number of the session.
        what: What it awaits then, in a word; empty: the time is counted from its start instead.
        ordinal: Which of the session's waits of this kind that is, counted from 1.
        after_ns: Nanoseconds from the begin of the wait, or until its end if that comes first;
            ``AT_ITS_END`` for the end itself.
    """

    session: int
    what: str = ""
    ordinal: int = 0
    after_ns: int | None = AT_ITS_BEGIN


@dataclass(frozen=True, slots=True)
class CancelledAt:
    """A cancellation that took place.

    Attributes:
        cancellation: Which.
        at_ns: When, in nanoseconds from the start of the sessions.
    """

    cancellation: Cancellation
    at_ns: int


@dataclass(frozen=True, slots=True)
class WaitMade:
    """A wait that a session made.

    Attributes:
        what: What it awaited, in a word.
        ordinal: Which of the session's waits of this kind, counted from 1.
        length_ns: How long it waited.
    """

    what: str
    ordinal: int
    length_ns: int
