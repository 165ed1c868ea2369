"""What an exploration found, as a value. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from .cell import Cell


class FailureKind(StrEnum):
    """The closed list of what an exploration calls wrong."""

    LEAK = "leak"
    OTHER_CALLS = "other_calls"
    OTHER_OUTCOME = "other_outcome"
    REFUSED_REQUEST = "refused_request"
    HANG = "hang"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that went wrong in a schedule.

    Attributes:
        kind: What.
        session: In which session; ``None`` if the trial as a whole could not go on, or if it was
            work that sessions share.
        owner: Of a leak, the session whose text it is; below 0 for one of the warm-up.
        model_call: Of a leak or of a refused request, in which of its model calls, counted from 1;
            0 in its answer.
        place: The place in the user's code, if it is known.
        error: What the session or the trial died of.
        reason: Of a refused request, what it holds that the real API refuses.
        calls: Of other calls, how many model calls the session made.
        calls_alone: How many it makes alone.
        at_s: When, in virtual seconds from the start of the sessions, if it is known.
    """

    kind: FailureKind
    session: int | None = None
    owner: int | None = None
    model_call: int = 0
    place: str = ""
    error: str = ""
    reason: str = ""
    calls: int = 0
    calls_alone: int = 0
    at_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A failure, with the smallest case that shows it.

    Attributes:
        failure: As it shows in that case.
        schedule: The first schedule in which it was seen.
        sessions: With how few sessions that schedule shows it.
        seen_in: In how many schedules it was seen.
    """

    failure: Failure
    schedule: int
    sessions: int
    seen_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What was found in one cell.

    Attributes:
        cell: The cell; its seed is that of the exploration.
        schedules: How many schedules were run.
        found: The distinct failures, in the order in which they were seen first.
        not_applicable: Why there is nothing to explore; ``None`` if there is.
        elapsed_s: Real seconds that it took.
    """

    cell: Cell
    schedules: int = 0
    found: tuple[Found, ...] = ()
    not_applicable: str | None = None
    elapsed_s: float = 0.0
