"""What the sessions of a trial left behind, as values."""

from dataclasses import dataclass
from enum import StrEnum


class LeftKind(StrEnum):
    """The kind of what is left."""

    TASK = "task"
    """A task of the event loop that is not done."""

    THREAD = "thread"
    """A thread that runs, or a pool that has threads."""

    PERMIT = "permit"
    """A permit of a semaphore that was not given back, or a lock that is held."""

    CLIENT = "client"
    """An HTTP client that was not closed, and that somebody still refers to."""

    STREAM = "stream"
    """A streamed answer of the model that was neither read to its end nor closed."""

    EXCEPTION = "exception"
    """An exception of a task or a future that nobody retrieved."""

    COROUTINE = "coroutine"
    """A coroutine that nobody awaited."""


@dataclass(frozen=True, slots=True, order=True)
class LeftBehind:
    """How much of one thing was left.

    Attributes:
        kind: The kind of it.
        what: Its name, the same in each run: a function, a class, or a function and the class of
            its exception.
        place: The place in the user's code that made it, or at which its code begins:
            ``my_agent.py:build.<locals>.session:15``; empty if that is not known.
        count: How many there are; the permits that are missing, of semaphores.
    """

    kind: LeftKind
    what: str
    place: str
    count: int
