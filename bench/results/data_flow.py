"""The data flow of a session, as a value: what it waited for, and which wait needs which."""

from dataclasses import dataclass
from enum import StrEnum


class FlowKind(StrEnum):
    """What is waited for."""

    MODEL = "model"
    TOOL = "tool"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowNode:
    """One wait of a session; times in nanoseconds since the session's begin.

    Attributes:
        kind: What is waited for.
        name: Name of the tool, or of the service's host; empty for the model.
        place: The place in the user's code that asked, or empty text.
        begin_ns: When it was asked for.
        end_ns: When the code continued.
        lead_ns: What the session's own code waited before it, after the last wait that it came
            after.
    """

    kind: FlowKind
    name: str = ""
    place: str = ""
    begin_ns: int
    end_ns: int
    lead_ns: int = 0

    @property
    def length_ns(self) -> int:
        """How long it was waited for."""
        return self.end_ns - self.begin_ns


@dataclass(frozen=True, slots=True)
class Overlap:
    """Waits that ran one after another, though none of them needs the one before.

    Attributes:
        waits: Their numbers, in the order in which they ran.
        saving_ns: By how much the session is shorter if they overlap, and nothing else changes.
    """

    waits: tuple[int, ...]
    saving_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFlow:
    """The data flow of one session that runs alone.

    Attributes:
        latency_ns: How long the session took.
        bound_ns: The data-flow bound: its latency if each wait began as soon as what it needs was
            there.
        nodes: Its waits, in the order of their begins.
        needs: Which wait needs the output of which earlier one: pairs of their numbers, the
            earlier first.
        critical: The numbers of the waits that set the bound, in their order.
        overlaps: The waits that could overlap, those that save most first.
    """

    latency_ns: int
    bound_ns: int
    nodes: tuple[FlowNode, ...] = ()
    needs: tuple[tuple[int, int], ...] = ()
    critical: tuple[int, ...] = ()
    overlaps: tuple[Overlap, ...] = ()

    @property
    def saving_ns(self) -> int:
        """By how much the session is shorter at its bound."""
        return self.latency_ns - self.bound_ns
