"""A wait: when it started, when it was over, and when the code continued."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ..workload.script import ModelCallScript


class WaitKind(StrEnum):
    """The kind of call that was waited for."""

    MODEL = "model"
    TOOL = "tool"
    SERVICE = "service"
    CONNECTION = "connection"
    """A request waited for a free connection of its client's pool, before it could be sent."""

    THREAD = "thread"
    """Work waited for a free thread of a pool, or for a place under a limiter."""


class WaitEnding(StrEnum):
    """How a call ended."""

    WHOLE = "whole"
    """It came to its end; a model call with an answer that its client takes for a proper one."""

    FAILED = "failed"
    """The model refused, or what it sent broke off or was no answer."""

    LEFT = "left"
    """The client did not wait for the end: it timed out, was cancelled, or closed a stream."""

    LEAKED = "leaked"
    """The client did not wait for the end, and never closed it either."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One call of the model, of a lab's tool or of an HTTP service, or a wait for a connection.

    ``waited_ns + ready_ns`` is its whole length, except for a stream, whose reader computes between
    pieces, and a tool that is a nested agent, whose session has waits of its own.

    Attributes:
        kind: The kind of the call.
        session: Number of the session of the call; -1 if that is not known.
        step: Number of the model call, or of the one that asked for the tool; -1 of other kinds.
        index: Number of the tool call in that answer; ``None`` for other kinds.
        name: Name of the tool, of the service's host, or of the HTTP client's library, or of what
            has the threads; empty for the model.
        start_ns: Start of the call, on the clock.
        end_ns: When the code continued after the last part of it.
        waited_ns: Nanoseconds until the result was available.
        ready_ns: Nanoseconds for which it was available and the code did not run.
        idle_at_start_ns: Nanoseconds in which nobody had computed until the start; see
            ``Clock.idle_ns``.
        idle_at_end_ns: Nanoseconds in which nobody had computed until the end.
        ending: How it ended.
        streamed: Whether the reply was a stream.
        place: Where the user's code asked for a stream, or gave up another reply, if known.
    """

    kind: WaitKind
    session: int
    step: int
    index: int | None
    name: str
    start_ns: int
    end_ns: int
    waited_ns: int = 0
    ready_ns: int = 0
    idle_at_start_ns: int = 0
    idle_at_end_ns: int = 0
    ending: WaitEnding = WaitEnding.WHOLE
    streamed: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request over sockets as its client sees it: until its answer is read or closed.

    Attributes:
        session: Number of the session; -1 if that is not known.
        start_ns: When the client was asked to send it, on the clock.
        end_ns: When its connection was free again, or when it failed.
        idle_at_start_ns: As ``Wait`` has it, as is the next.
        idle_at_end_ns: At the end.
        refusal: Number of the server's refusal, if nothing mocks it; ``None`` if it was answered.
    """

    session: int
    start_ns: int
    end_ns: int
    idle_at_start_ns: int = 0
    idle_at_end_ns: int = 0
    refusal: int | None = None


class Attempt(Protocol):
    """An attempt at a model call, as far as whoever counts it needs it."""

    @property
    def call(self) -> ModelCallScript:
        """What is played."""
        ...

    @property
    def lab_tools(self) -> int:
        """How many calls of the lab's tools its answer asks for."""
        ...

    def ends(self, *, is_answered: bool, is_given_up: bool) -> None:
        """Record how it ended."""
        ...
