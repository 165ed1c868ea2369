"""What an exploration found, as a value. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from ...mocks.clock import Choice
from ...mocks.scenario import WaitName
from .cancellation import Cancellation
from .case import Case
from .cell import Cell
from .left_behind import LeftBehind
from .steps import Step
from .trial_result import TrialResult


class FailureKind(StrEnum):
    """The closed list of what an exploration calls wrong."""

    LEAK = "leak"
    OTHER_CALLS = "other_calls"
    OTHER_OUTCOME = "other_outcome"
    FAILED = "failed"
    REFUSED_REQUEST = "refused_request"
    LEFT_BEHIND = "left_behind"
    DEADLOCK = "deadlock"
    LIVELOCK = "livelock"
    STALL = "stall"
    TIME_LIMIT = "time_limit"
    CRASH = "crash"


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
        last_place: Where the session was last seen in the user's code before, without one.
        error: What the session or the trial died of.
        reason: Of a refused request, what it holds that the real API refuses.
        calls: Of other calls, how many model calls the session made.
        calls_alone: How many it makes alone.
        left: Of what sessions leave behind, which of it and how much, in all.
        sessions: Of how many sessions that is.
        left_by_half: How much of it half as many leave.
        at_s: When, in virtual seconds from the start of the sessions, if it is known.
    """

    kind: FailureKind
    session: int | None = None
    owner: int | None = None
    model_call: int = 0
    place: str = ""
    last_place: str = ""
    error: str = ""
    reason: str = ""
    calls: int = 0
    calls_alone: int = 0
    left: LeftBehind | None = None
    sessions: int = 0
    left_by_half: int = 0
    at_s: float | None = None


class MayDiffer(StrEnum):
    """The closed list of why sessions may rightly do otherwise than alone."""

    FAULTS = "faults"
    LIMITS = "limits"
    CANCELLATIONS = "cancellations"
    EXPIRED_TIMERS = "expired_timers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Sessions that did otherwise than alone, in schedules where that may be right.

    Attributes:
        kind: What they did: ended otherwise, or made another number of model calls.
        schedules: In how many schedules.
        sessions: How many sessions, in all of these.
        reasons: Why it may be right, and in how many of these schedules each time.
        first: The first of them.
        case: The schedule of that one.
    """

    kind: FailureKind
    schedules: int
    sessions: int
    reasons: tuple[tuple[MayDiffer, int], ...]
    first: Failure
    case: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnWait:
    """A latency that must be that of the schedule, or the failure does not show.

    Attributes:
        wait: Whose.
        tool: Name of the tool; empty for a model call.
        latency_s: Its seconds in the schedule.
        median_s: The median of what it is drawn from.
    """

    wait: WaitName
    tool: str
    latency_s: float
    median_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """A session that must be cancelled, or the failure does not show.

    Attributes:
        session: Number of the session.
        after_s: When, in seconds from the start of the sessions.
        wait: In which of its waits; ``None`` for a time that older versions drew.
        step: What the session did then, if that is known.
    """

    session: int
    after_s: float
    wait: Cancellation | None = None
    step: Step | None = None


Difference = DrawnWait | Cancelled | Choice
"""One deviation from the sessions in their usual order, without which the failure does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A failure, with the smallest case that shows it.

    Attributes:
        failure: As it shows in that case.
        case: The case: the first schedule in which it was seen, and what of it is kept.
        seen_in: In how many schedules it was seen.
        differences: What makes it show, beside that these sessions run; none can be left out.
        is_smallest: Whether all was tried that could be left out; ``False`` if time ran out.
        steps: What the sessions of the case did, in the order in which it began.
    """

    failure: Failure
    case: Case
    seen_in: int
    differences: tuple[Difference, ...] = ()
    is_smallest: bool = True
    steps: tuple[Step, ...] = ()

    @property
    def sessions(self) -> int:
        """How many sessions show it."""
        return 0 if self.case.sessions is None else len(self.case.sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What was found in one cell.

    Attributes:
        cell: The cell; its seed is that of the exploration.
        begins_at: The first schedule that was run.
        schedules: How many schedules were run.
        of: How many were to be run.
        is_interrupted: Whether it was ended by Ctrl-C.
        stopped_at_first: Whether it was to end at the first failure, and did.
        found: The distinct failures, in the order in which they were seen first.
        not_repeated: Failures that did not come again in a fresh trial of their schedule.
        notes: What sessions did otherwise than alone where that may be right; no failures.
        not_compared: In how many schedules of that kind a session failed, or made another number of
            calls than usual, and was not compared with itself alone.
        not_applicable: Why there is nothing to explore; ``None`` if there is.
        elapsed_s: Real seconds that it took.
    """

    cell: Cell
    begins_at: int = 0
    schedules: int = 0
    of: int = 0
    is_interrupted: bool = False
    stopped_at_first: bool = False
    found: tuple[Found, ...] = ()
    not_repeated: tuple[tuple[int, Failure], ...] = ()
    notes: tuple[Note, ...] = ()
    not_compared: int = 0
    not_applicable: str | None = None
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a case that was run again.

    Attributes:
        case: The case.
        trial: The trial, if it came to an end.
        failures: What went wrong.
        unfit: The choices and cancellations of the case that could not be made: there was no such
            choice or wait, or who should have gone on could not. The agent, or what it runs on, has
            changed since.
        notes: What sessions did otherwise than alone where that may be right; no failures.
    """

    case: Case
    trial: TrialResult | None
    failures: tuple[Failure, ...]
    unfit: tuple[Choice | Cancellation, ...] = ()
    notes: tuple[Note, ...] = ()
