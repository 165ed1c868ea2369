"""What the gate concludes about a change, a cell and all cells, as values."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from .cell import Cell
from .exploration import Found
from .metrics import Metric


class Verdict(StrEnum):
    """The gate's verdict on a cell, or on all cells."""

    PASSED = "passed"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    MISSED = "objective missed"
    INCONCLUSIVE = "inconclusive"
    COULD_NOT_JUDGE = "could not judge"


_WORST_FIRST = (
    Verdict.REGRESSED,
    Verdict.MISSED,
    Verdict.COULD_NOT_JUDGE,
    Verdict.INCONCLUSIVE,
    Verdict.IMPROVED,
)


class ChangeKind(StrEnum):
    """The closed list of figures that the gate compares."""

    LEAKED_SESSIONS = "leaked_sessions"
    EXPLORED_FAILURE = "explored_failure"
    SESSIONS_SUCCEEDED = "sessions_succeeded"
    MODEL_CALLS = "model_calls"
    RETRIED_MODEL_CALLS = "retried_model_calls"
    REPEATED_MODEL_CALLS = "repeated_model_calls"
    HEDGED_MODEL_CALLS = "hedged_model_calls"
    SAMPLED_MODEL_CALLS = "sampled_model_calls"
    TOOL_CALLS = "tool_calls"
    CALLS_OF_A_TOOL = "calls_of_a_tool"
    STREAMED_MODEL_CALLS = "streamed_model_calls"
    REQUEST_BYTES = "request_bytes"
    SERVICE_REQUEST_BYTES = "service_request_bytes"
    REFUSED_REQUESTS = "refused_requests"
    PROMPT_TOKENS = "prompt_tokens"
    COMPLETION_TOKENS = "completion_tokens"
    TTFT = "ttft_s"
    ITL = "itl_s"
    FIRST_OUTPUT = "first_output_s"
    PEAK_IN_FLIGHT = "peak_in_flight"
    BLOCKED_LOOP = "blocked_loop_s"
    OVERLAP = "overlap_s"
    ROUND = "round_s"
    MAKESPAN = "makespan_s"
    LATENCY = "latency_s"
    OWN_CALLS = "own_calls"
    WORK = "work"
    CPU = "cpu_per_session"


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate of how the CPU time of a cell has changed.

    Attributes:
        ratio: After by before.
        low: Lower end of the ratio's 90 % interval; ``None`` where the blocks set none.
        high: Upper end of the interval; ``None`` likewise.
        blocks: Blocks that the estimate rests on.
    """

    ratio: float
    low: float | None
    high: float | None
    blocks: int


@dataclass(frozen=True, slots=True)
class CallerChange:
    """One function that is called more, or less, than before.

    Attributes:
        name: The function, or the caller and the function.
        per_session: By how many calls a session; negative for fewer.
        is_own_code: Whether the caller is the user's own code.
    """

    name: str
    per_session: float
    is_own_code: bool


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part of the requests to the model that is larger, or smaller, than before.

    Attributes:
        name: The part: ``messages.system``, ``tools.search``.
        per_session: By how many bytes a session; negative for fewer.
    """

    name: str
    per_session: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure that is not as it was.

    Attributes:
        kind: Which figure.
        is_worse: Whether it is worse; otherwise it is better.
        before: The figure of the baseline, in seconds where the kind ends so; of CPU it is 1.
        after: The figure of now; of CPU the ratio to the baseline.
        name: Which of several: a tool, a host, a place in the code, a percentile, a package, a
            count of the work tier.
        sessions: Sessions that a count is summed over.
        round: Number of the round of tools, from 1.
        count: How often a place blocked the loop; how many tools a session calls in the round.
        callers: Functions that account for most of a change of calls, the greatest change first;
            of the first change of a cell, the user's own calls that changed with it.
        parts: Parts of requests that account for most of a change of their bytes, likewise.
        estimate: How sure a change of CPU is.
        found: The failure that an exploration found, with its smallest case.
        explored: The cell that was explored.
    """

    kind: ChangeKind
    is_worse: bool
    before: float
    after: float
    name: str = ""
    sessions: int | None = None
    round: int | None = None
    count: int | None = None
    callers: tuple[CallerChange, ...] = ()
    parts: tuple[PartChange, ...] = ()
    estimate: Estimate | None = None
    found: Found | None = None
    explored: Cell | None = None

    @property
    def growth(self) -> float:
        """By which share of the former figure this one has grown; infinite from nothing."""
        return self.after / self.before - 1 if self.before else float("inf")


class NoteKind(StrEnum):
    """Why a change is noted that decides nothing."""

    COST_OF_THE_GAIN = "cost_of_the_gain"
    KEPT_MEMORY = "kept_memory"
    OWN_CALLS = "own_calls"
    WITHIN_TOLERANCE = "within_tolerance"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Note:
    """A change that is reported and decides nothing.

    Attributes:
        kind: Why it decides nothing.
        change: The change.
    """

    kind: NoteKind
    change: Change


class ReasonKind(StrEnum):
    """Why a cell has no clear verdict."""

    NOT_MEASURED = "not_measured"
    OTHER_WORKLOAD = "other_workload"
    OTHER_TOOL_CALLS = "other_tool_calls"
    TOO_NOISY = "too_noisy"
    TOO_FEW_BLOCKS = "too_few_blocks"
    CONTROL_DIFFERS = "control_differs"
    CONTROL_TOO_NOISY = "control_too_noisy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a cell has no clear verdict.

    Attributes:
        kind: Why.
        error: What went wrong, where the cell was not measured.
        change: What was measured nevertheless.
        control: What the same code differs by, measured against itself.
        limit: The least growth that could not be ruled out, as a share; of ``CONTROL_TOO_NOISY``
            up to which growth the sides may differ for no reason in the code.
        blocks: Blocks that were measured, where those are too few.
        needed_blocks: Blocks with which a regression can be shown.
        cells: Cells that are judged together, which sets how many blocks that takes.
        budget_s: The seconds that there were.
        needed_s: About the budget that the needed blocks take; ``None`` if nothing tells.
    """

    kind: ReasonKind
    error: str = ""
    change: Change | None = None
    control: Estimate | None = None
    limit: float | None = None
    blocks: int | None = None
    needed_blocks: int | None = None
    cells: int | None = None
    budget_s: float | None = None
    needed_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What the time tier has taken.

    Attributes:
        blocks: Blocks that were measured, and count.
        spent_s: Real seconds since the gate began.
        budget_s: Those that it may take.
        is_cut: Whether the budget ended it.
        undecided: Cells on which it has not decided.
    """

    blocks: int
    spent_s: float
    budget_s: float
    is_cut: bool
    undecided: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveVerdict:
    """Whether sessions meet an objective.

    Attributes:
        figure: Which figure the objective is about.
        metric: Of which times.
        limit_s: What the figure may be at most, in seconds.
        reached_s: What it is, in seconds; ``None`` where there are too few samples for it.
        samples: How many samples the figure takes at least.
        succeeded: Sessions that succeeded.
        started: Sessions that were started.
        is_met: Whether the figure is within its limit, and every session succeeded.
    """

    figure: str
    metric: Metric = Metric.LATENCY
    limit_s: float
    reached_s: float | None
    samples: int = 1
    succeeded: int
    started: int
    is_met: bool

    @property
    def is_known(self) -> bool:
        """Whether it can be judged: it is missed, whatever the figure, where a session is lost."""
        return self.succeeded < self.started or self.reached_s is not None


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """The gate's verdict on one cell.

    Attributes:
        cell: Name of the cell.
        verdict: The verdict.
        changes: What changed, causes first.
        reason: Why the cell could not be judged, else ``None``.
        notes: Changes that decide nothing.
        tier: The tier that judged, unless it is those of the baseline file.
        objectives: Whether the cell meets each of the objectives; empty without one.
    """

    cell: str
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    reason: Reason | None = None
    notes: tuple[Note, ...] = ()
    tier: str = ""
    objectives: tuple[ObjectiveVerdict, ...] = ()

    @property
    def missed(self) -> tuple[ObjectiveVerdict, ...]:
        """The objectives that it does not meet, or that too few samples tell of."""
        return tuple(each for each in self.objectives if not each.is_met)

    @property
    def title(self) -> str:
        """The cell's name, and the tier if it is one of its own."""
        return f"{self.cell} ({self.tier})" if self.tier else self.cell


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's verdicts.

    Attributes:
        verdict: The verdict on all cells.
        cells: The verdict on each cell.
        notes: What a reader should know as well: versions that are not those of the baseline.
    """

    verdict: Verdict
    cells: tuple[CellVerdict, ...]
    notes: tuple[str, ...] = ()


def not_measured(cell: str, error: str, tier: str = "") -> CellVerdict:
    """Return the verdict on a cell that could not be measured.

    Args:
        cell: Name of the cell.
        error: What went wrong.
        tier: The tier that could not measure it.
    """
    reason = Reason(kind=ReasonKind.NOT_MEASURED, error=error)
    return CellVerdict(cell, Verdict.COULD_NOT_JUDGE, reason=reason, tier=tier)


def verdict_on(cell: str, changes: Iterable[Change], notes: Iterable[Note] = ()) -> CellVerdict:
    """Judge a cell by its changes: one that is worse outweighs all that are better."""
    found = tuple(changes)
    if any(change.is_worse for change in found):
        verdict = Verdict.REGRESSED
    else:
        verdict = Verdict.IMPROVED if found else Verdict.PASSED
    return CellVerdict(cell, verdict, found, notes=tuple(notes))


def with_objectives(judged: CellVerdict, objectives: tuple[ObjectiveVerdict, ...]) -> CellVerdict:
    """Return the verdict on a cell that is held to objectives as well."""
    found = {judged.verdict}
    for each in objectives:
        if not each.is_met:
            found.add(Verdict.MISSED if each.is_known else Verdict.COULD_NOT_JUDGE)
    return replace(judged, verdict=_worst(found), objectives=objectives)


def overall(verdicts: Iterable[CellVerdict]) -> Verdict:
    """Return the verdict on all cells: the worst of them."""
    return _worst({each.verdict for each in verdicts})


def _worst(found: Collection[Verdict]) -> Verdict:
    return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.PASSED)
