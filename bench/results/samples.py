"""The sessions of a trial as the probe saw them, and how each ended."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a session ended; each started session has exactly one."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class SessionSample:
    """One session as the probe saw it; times in nanoseconds since the trial's start.

    Attributes:
        session: Its number.
        outcome: How it ended.
        start_ns: When it began.
        end_ns: When it ended.
        error: What it died of.
        intended_ns: When it was to begin; ``None`` where it began as soon as it had a place.
        idle_at_start_ns: How long nobody had computed until its begin; see ``Clock.idle_ns``.
        idle_at_end_ns: The same for its end.
        first_output_ns: When it yielded its first output; ``None`` if it yields none.
        is_wrong: Whether the target's own check says that its answer is wrong.
    """

    session: int
    outcome: Outcome
    start_ns: int
    end_ns: int
    error: str | None = None
    intended_ns: int | None = None
    idle_at_start_ns: int = 0
    idle_at_end_ns: int = 0
    first_output_ns: int | None = None
    is_wrong: bool = False

    @property
    def latency_ns(self) -> int:
        """What it took from its intended start, in nanoseconds."""
        return self.end_ns - self._begin_ns

    @property
    def output_latency_ns(self) -> int | None:
        """Its time to first output from its intended start, in nanoseconds, if it has any."""
        return None if self.first_output_ns is None else self.first_output_ns - self._begin_ns

    @property
    def _begin_ns(self) -> int:
        return self.start_ns if self.intended_ns is None else self.intended_ns
