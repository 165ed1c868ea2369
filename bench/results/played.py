"""What sessions with a structure of their own did, and what they did alone, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the sessions of a trial asked, where they are not held against the script.

    Attributes:
        model_calls: How many model calls each session made, in the script's order.
        serving_ns: The least time that the model's server needs for all of them.
        script_makespan_ns: The ideal makespan of the script, which says which workload it was.
        script_latencies_ns: The critical paths of the script, likewise.
    """

    model_calls: tuple[int, ...]
    serving_ns: int
    script_makespan_ns: int
    script_latencies_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SoloSession:
    """What one session did alone.

    Attributes:
        latency_ns: What it took, on a clock on which computing is free.
        model_calls: How many model calls it made.
    """

    latency_ns: int
    model_calls: int


@dataclass(frozen=True, slots=True)
class Solo:
    """What the sessions of a target did alone, one after another.

    Attributes:
        sessions: Those that succeeded, by number.
        files: The files of the project that this depends on, each with a digest of its content;
            ``None`` if what it depends on is not known for sure.
    """

    sessions: Mapping[int, SoloSession] = field(default_factory=dict)
    files: Mapping[str, str] | None = None
