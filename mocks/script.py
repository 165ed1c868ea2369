"""The script: a scenario drawn with a seed, every wait of every session fixed before the run."""

from dataclasses import dataclass
from enum import StrEnum


class ToolKind(StrEnum):
    """How a tool spends its time."""

    ASYNC = "async"
    BLOCKING = "blocking"
    CPU = "cpu"


@dataclass(frozen=True, slots=True)
class ToolCallScript:
    """One call that an answer asks for.

    Attributes:
        name: Name of the tool.
        arguments: Its arguments as the scenario gives them.
        kind: How the tool spends its time.
        latency_ns: What the call takes: waited for, or computed by a ``cpu`` tool.
    """

    name: str
    arguments: dict[str, object]
    kind: ToolKind
    latency_ns: int


@dataclass(frozen=True, slots=True)
class ModelCallScript:
    """One model call: what it takes, and what its answer asks for (nothing: it is final)."""

    latency_ns: int
    prompt_tokens: int
    completion_tokens: int
    tool_calls: tuple[ToolCallScript, ...]


@dataclass(frozen=True, slots=True)
class SessionScript:
    """The model calls of one session in order; only the last asks for no tools."""

    session: int
    model_calls: tuple[ModelCallScript, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """All the sessions of one scenario, drawn with one seed."""

    scenario: str
    seed: int
    sessions: tuple[SessionScript, ...]
