"""A wait as it happened: when it began, when it was over, and when the code took that up."""

from dataclasses import dataclass
from enum import StrEnum


class WaitKind(StrEnum):
    """What was waited for."""

    MODEL = "model"
    TOOL = "tool"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Wait:
    """One call of the model, of a lab's tool or of an HTTP service.

    ``waited_ns + ready_ns`` is the whole of it, but for a stream, whose reader computes between
    its pieces, and a tool that is a nested agent, whose session has waits of its own.

    Attributes:
        kind: What was called.
        session: The session that it belongs to; -1 if that is not known.
        step: Which of the session's model calls it is, or has asked for it; -1 of a service.
        index: Which of the tool calls of that answer it is; ``None`` for other kinds.
        name: Name of the tool or of the service's host; empty for the model.
        start_ns: When it began, on the clock.
        end_ns: When the code took up the last of it.
        waited_ns: How long what was asked for was not there.
        ready_ns: How long it was there, and the code not yet running.
        idle_at_start_ns: How long nobody had computed until its begin; see ``Clock.idle_ns``.
        idle_at_end_ns: The same for its end.
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
