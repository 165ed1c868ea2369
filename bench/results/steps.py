"""What sessions did one after another, with the places in the code, as values. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class StepKind(StrEnum):
    """What a session did."""

    MODEL_CALL = "model_call"
    TOOL = "tool"
    SERVICE = "service"
    OWN_WAIT = "own_wait"
    """It waited in its own code: for a lock, a queue, a sleep."""

    ADMISSION = "admission"
    """It waited for a thread or a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that a session did.

    Attributes:
        session: Its number.
        kind: What it did.
        name: Name of the tool or host, or what it awaited; empty for a model call.
        model_call: Which of the session's model calls, counted from 1; 0 of other kinds.
        begin_s: When it began, in seconds from the start of the sessions.
        end_s: When the code went on.
        place: The place in the user's code; empty if it is not known.
    """

    session: int
    kind: StepKind
    name: str = ""
    model_call: int = 0
    begin_s: float
    end_s: float
    place: str = ""
