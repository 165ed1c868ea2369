"""The values that the harness passes on: what was asked for, measured and concluded.

Nothing here computes or touches a file. Times that a session met are on the trial's
clock (``latency_s``, ``makespan_s``); ``elapsed_s`` alone is time on the wall.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from ...mocks.observe.pools import PoolUse
from ...mocks.observe.wrong_requests import WrongRequest
from ...mocks.scenario.diagnostics import shown
from .blocked_loop import LoopBlocker
from .cell import Cell
from .columns import require_equal_lengths
from .data_flow import DataFlow
from .isolation import NO_LEAKS, Isolation
from .model_requests import ModelRequests
from .node import Node, NodeKind
from .own_waits import OwnWait
from .reference import NOTHING_SHARED, Reference, SharedWork
from .refused_hosts import RefusedHost
from .samples import Outcome
from .service_use import ServiceUse
from .time_parts import PART_NAMES, TimeParts
from .timeline import Timeline, Vitals
from .tools_not_run import ToolsNotRun

SCHEMA_VERSION = 5

MORE_IS_BETTER = "more is better"
PERCENT = "percent"

MOST_REFUSED_SHARE = 0.01
"""The share of sessions' time that refused requests may cost in a cell that is ranked."""

_ROUNDING = 1e-9


def _figure(*, more_is_better: bool) -> Any:
    """Return a field of ``CellResult`` that has a better direction, and so a trend over runs."""
    return field(default=None, metadata={MORE_IS_BETTER: more_is_better})


def _percentile(percent: float) -> Any:
    """Return a field of ``LatencySummary`` that is a percentile."""
    return field(default=None, metadata={PERCENT: percent})


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCounts:
    """How many sessions were started, and how they ended; the four parts add up."""

    started: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    timed_out: int = 0

    @property
    def all_succeeded(self) -> bool:
        """Whether every session that was started succeeded."""
        return self.succeeded == self.started


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySummary:
    """Percentiles of the latency of sessions, or of other times, in seconds on the trial's clock.

    A percentile is ``None`` where there are too few samples for it (p99 needs 100 of them).
    """

    p50: float | None = _percentile(50)
    p90: float | None = _percentile(90)
    p95: float | None = _percentile(95)
    p99: float | None = _percentile(99)
    max: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSummary:
    """Percentiles of tokens a second, over streamed model calls: of a rate the low ones tell.

    p5 is what 5 % of the calls do not reach. A percentile is ``None`` where there are too few calls
    for it (p1 needs 100 of them).
    """

    p50: float | None = _percentile(50)
    p10: float | None = _percentile(10)
    p5: float | None = _percentile(5)
    p1: float | None = _percentile(1)
    min: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFigures:
    """What one trial of a cell came to, and each of its sessions.

    Attributes:
        makespan_s: Start to the end of the last session, on the clock.
        throughput_per_s: Succeeded sessions per second of makespan.
        cpu_s_per_session: CPU seconds per started session, all threads.
        elapsed_s: What the sessions really took on the wall.
        session: The sessions, in the order of their ends.
        outcome: How each of them ended.
        start_ns: When each of them began, on the clock, since the trial's start.
        latency_ns: What each of them took, from its intended start.
        intended_ns: When each of them was to begin, in an open loop.
        time_parts_ns: Where that went: each part of ``TimeParts`` that is not 0 throughout.
        first_output_ns: The time to first output of each, from its intended start; -1 for one
            without. Empty if no session yields its output, as are the next if none has a stream.
        longest_ttft_ns: The longest time to first token of each session's streamed model calls; -1
            for one without.
        longest_gap_ns: The longest time between two pieces of those; likewise.
        nodes: The nodes of a cluster that it ran on, several if it was sharded; else none.
    """

    makespan_s: float
    throughput_per_s: float
    cpu_s_per_session: float
    elapsed_s: float
    session: tuple[int, ...]
    outcome: tuple[Outcome, ...]
    start_ns: tuple[int, ...]
    latency_ns: tuple[int, ...]
    intended_ns: tuple[int, ...] = ()
    time_parts_ns: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    first_output_ns: tuple[int, ...] = ()
    longest_ttft_ns: tuple[int, ...] = ()
    longest_gap_ns: tuple[int, ...] = ()
    nodes: tuple[Node, ...] = ()

    def __post_init__(self) -> None:
        require_equal_lengths(
            {
                "session": self.session,
                "outcome": self.outcome,
                "start_ns": self.start_ns,
                "latency_ns": self.latency_ns,
            },
            {
                "intended_ns": self.intended_ns,
                "first_output_ns": self.first_output_ns,
                "longest_ttft_ns": self.longest_ttft_ns,
                "longest_gap_ns": self.longest_gap_ns,
            },
        )
        require_equal_lengths({"session": self.session, **self.time_parts_ns}, {})
        for name in self.time_parts_ns:
            if name not in PART_NAMES:
                raise ValueError(f"time_parts_ns: no such part: {shown(name)}")


class Status(StrEnum):
    """Whether a cell has a result, and why not."""

    MEASURED = "measured"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """A cell with its result: medians over the trials, percentiles over all their samples.

    Attributes:
        cell: Which cell it is the result of.
        status: Whether the numbers below mean anything.
        error: Why there are none, or the first error of a session; else ``None``.
        trials: Trials that went into the numbers.
        sessions: How many were started and how they ended, summed over the trials.
        makespan_s: Start to the end of the last session, on the clock.
        ideal_makespan_s: The same for a costless scheduler, from the references of the sessions.
        efficiency: ``ideal_makespan_s / makespan_s``, at most 1; ``None`` where a session did not
            succeed, or more were in flight than the ideal has.
        reference: What the ideal is made of.
        shared_work: What sessions were spared by others, where the reference is themselves alone;
            summed over the trials.
        sessions_without_solo: How many of these are held against their longest conversation, since
            alone they failed, or did not run; summed over the trials.
        throughput_per_s: Succeeded sessions per second of makespan.
        latency_s: Percentiles of session latency; in an open loop from the intended start.
        raw_latency_s: The same from the real start, in an open loop: without what a session
            waited because the client was late.
        asked_per_s: Sessions a second that were to begin, in an open loop.
        delivered_per_s: Sessions a second that did.
        mean_in_flight: Sessions in flight, the mean over the makespan.
        latency_quantiles_s: The 0th to 100th percentile in steps of one, for a CDF.
        ideal_latency_s: Percentiles of the sessions' references: their critical paths.
        llm_calls: Model calls per trial.
        streamed_calls: Model calls whose answer came as a stream, over all trials; ``None`` if that
            is not known, as in an older file.
        streams_without_token: Those of them that were left, or broke off, before their first token.
        ttft_s: Percentiles of the time to first token, over all streams that had one. A call whose
            answer comes as a whole has none.
        itl_s: Percentiles of the inter-token latency: of the times between two pieces of a stream.
        tokens_per_s: Percentiles of the tokens a second of each stream, after its first token.
        first_output_s: Percentiles of the time to first output of the sessions that yield it.
        prompt_tokens: Tokens of the prompts per trial, as the model reports them.
        completion_tokens: Tokens of the answers per trial, as far as they were taken up.
        tool_calls: Calls of the lab's tools per trial.
        tools_not_run: The tool calls of the script that did not run, where that is no failure;
            summed over the trials.
        model_requests: How the requests to the model were booked, and how they relate; summed over
            the trials.
        isolation: Text of one session that another took up; summed over the trials.
        wrong_requests: The requests to the model that the real API refuses, over all trials; in
            nanoseconds from the start of their trial, and up to 100 of them.
        peak_in_flight: Greatest number of model calls waiting at one time.
        cpu_s_per_session: CPU seconds per started session, all threads.
        peak_rss_bytes: Greatest resident set of the trial's process.
        elapsed_s: What a trial's sessions really took on the wall.
        server_capacity_per_s: Requests without latency that the mock model's server can
            answer a second; ``None`` in-process.
        server_utilisation: CPU seconds that it took per second of a trial, at most.
        time_parts_s: Where the time of a session went, the mean over all of them.
        loop_blockers: Which places blocked an event loop, the worst first; at most ten.
        own_waits: Where sessions were seen to wait inside their own code, the longest first; at
            most ten.
        pools: The HTTP clients' pools in which requests waited for a free connection, summed over
            the trials; those of most waits first.
        refused: The hosts to which requests were refused, since nothing mocks them, summed over
            the trials; what cost most comes first.
        vitals: How the process of the first trial was over time.
        timeline: What the first sessions of the first trial did.
        data_flow: The data flow of one session that runs alone, in the fastest cell of a scenario
            and target.
        probe_share: Which share of the CPU time the lab's own accounting took.
        service: What a service as deployed took, over all its trials, if one is the target.
        drift: How much longer sessions took in the second half of the trials than in the first,
            as a share; ``None`` where that is no more than chance, or not known.
        trial_figures: Each trial by itself.
    """

    cell: Cell
    status: Status = Status.MEASURED
    error: str | None = None
    trials: int = 0
    sessions: SessionCounts = field(default_factory=SessionCounts)
    makespan_s: float | None = _figure(more_is_better=False)
    ideal_makespan_s: float | None = None
    efficiency: float | None = _figure(more_is_better=True)
    reference: Reference = Reference.SCRIPT
    shared_work: SharedWork = NOTHING_SHARED
    sessions_without_solo: int = 0
    throughput_per_s: float | None = _figure(more_is_better=True)
    latency_s: LatencySummary = field(default_factory=LatencySummary)
    raw_latency_s: LatencySummary | None = None
    asked_per_s: float | None = None
    delivered_per_s: float | None = None
    mean_in_flight: float | None = None
    latency_quantiles_s: tuple[float, ...] = ()
    ideal_latency_s: LatencySummary = field(default_factory=LatencySummary)
    llm_calls: int | None = _figure(more_is_better=False)
    streamed_calls: int | None = None
    streams_without_token: int = 0
    ttft_s: LatencySummary = field(default_factory=LatencySummary)
    itl_s: LatencySummary = field(default_factory=LatencySummary)
    tokens_per_s: RateSummary = field(default_factory=RateSummary)
    first_output_s: LatencySummary = field(default_factory=LatencySummary)
    prompt_tokens: int | None = _figure(more_is_better=False)
    completion_tokens: int | None = _figure(more_is_better=False)
    tool_calls: int | None = _figure(more_is_better=False)
    tools_not_run: ToolsNotRun = field(default_factory=ToolsNotRun)
    model_requests: ModelRequests = field(default_factory=ModelRequests)
    isolation: Isolation = NO_LEAKS
    wrong_requests: tuple[WrongRequest, ...] = ()
    peak_in_flight: int | None = _figure(more_is_better=False)
    cpu_s_per_session: float | None = _figure(more_is_better=False)
    peak_rss_bytes: int | None = _figure(more_is_better=False)
    elapsed_s: float | None = _figure(more_is_better=False)
    server_capacity_per_s: float | None = None
    server_utilisation: float | None = None
    time_parts_s: TimeParts | None = None
    loop_blockers: tuple[LoopBlocker, ...] = ()
    own_waits: tuple[OwnWait, ...] = ()
    pools: tuple[PoolUse, ...] = ()
    refused: tuple[RefusedHost, ...] = ()
    vitals: Vitals | None = None
    timeline: Timeline | None = field(default=None, hash=False)
    data_flow: DataFlow | None = field(default=None, hash=False)
    probe_share: float | None = None
    drift: float | None = None
    service: ServiceUse | None = None
    trial_figures: tuple[TrialFigures, ...] = field(default=(), hash=False)

    @property
    def keeps_concurrency(self) -> bool:
        """Whether no more sessions were in flight, in the mean, than were to be."""
        return keeps_concurrency(self.mean_in_flight, self.cell.concurrency)

    def share_of_time(self, lost_s: float) -> float:
        """Return which share of the time of all sessions, over all trials, ``lost_s`` is."""
        all_s = (self.latency_s.mean or 0.0) * self.sessions.started
        return lost_s / all_s if all_s > 0 else 0.0

    @property
    def refused_share(self) -> float:
        """The share of all sessions' time that refused requests cost."""
        return self.share_of_time(sum(each.cost_s for each in self.refused))

    @property
    def is_undistorted(self) -> bool:
        """Whether refused requests cost so little that the figures are those of the agent."""
        return self.refused_share <= MOST_REFUSED_SHARE

    @property
    def node_kinds(self) -> frozenset[NodeKind]:
        """The kinds of nodes that its trials ran on, if that was on a cluster."""
        return frozenset(node.kind for trial in self.trial_figures for node in trial.nodes)

    @property
    def achieved_per_s(self) -> float:
        """Return the cell's throughput; 0 if no session succeeded, or it has no result."""
        return self.throughput_per_s or 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFigures:
    """What a cell looked like on one clock: medians over the pairs; ``elapsed_s`` on the wall."""

    makespan_s: float | None
    p50_s: float | None
    p99_s: float | None
    elapsed_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """One cell with real waiting and with ``warp``, run in pairs.

    Attributes:
        cell: The cell, as it is in ``warp``.
        pairs: How many.
        wall: With real waiting.
        warp: Without.
    """

    cell: Cell
    pairs: int
    wall: ClockFigures
    warp: ClockFigures

    def deviation(self, figure: str) -> float | None:
        """Return how far ``warp`` is off in a figure of ``ClockFigures``, as a share."""
        wall: float | None = getattr(self.wall, figure)
        warp: float | None = getattr(self.warp, figure)
        return None if not wall or warp is None else warp / wall - 1

    @property
    def speed_up(self) -> float | None:
        """How many times sooner ``warp`` is there."""
        if not self.wall.elapsed_s or not self.warp.elapsed_s:
            return None
        return self.wall.elapsed_s / self.warp.elapsed_s


class FindingKind(StrEnum):
    """The closed list of warnings that travel with a run."""

    SESSIONS_LOST = "sessions_lost"
    SESSIONS_FAILED = "sessions_failed"
    ABOVE_CONCURRENCY = "above_concurrency"
    ABOVE_IDEAL = "above_ideal"
    SERVER_BOUND = "server_bound"
    LOOP_BLOCKED = "loop_blocked"
    OWN_WAIT = "own_wait"
    TOOLS_IN_TURN = "tools_in_turn"
    POOL_TOO_SMALL = "pool_too_small"
    REQUESTS_REFUSED = "requests_refused"
    NOT_STEADY = "not_steady"
    MACHINE_DRIFTED = "machine_drifted"
    LOAD_NOT_DELIVERED = "load_not_delivered"
    TOOLS_ANSWERED = "tools_answered"
    TOOLS_LEFT_OUT = "tools_left_out"
    TEXT_LEAKED = "text_leaked"
    REQUESTS_WRONG = "requests_wrong"
    LIMITS_SPLIT = "limits_split"
    PROCESS_ENDED = "process_ended"
    SERVICE_LIMIT = "service_limit"
    CLIENT_BOUND = "client_bound"
    WORKER_LOST = "worker_lost"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Finding:
    """A warning as a value: shown in table, page and JSON alike.

    Attributes:
        kind: Which warning.
        message: The warning in a sentence.
        values: What the sentence is made of: the cell, figures in seconds, shares of 1.
    """

    kind: FindingKind
    message: str
    values: Mapping[str, int | float | str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where a run was made; what a reader needs to judge or repeat it."""

    python: str
    implementation: str
    platform: str
    cores: int
    packages: Mapping[str, str]
    commit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All the cells of one invocation; the only link between running and reporting.

    Attributes:
        created_at: ISO 8601 time in UTC at which the run began.
        command: The exact command that repeats it.
        environment: Where it was made.
        cells: One result per cell, in the order in which they were asked for.
        findings: Warnings about the run as a whole or some of its cells.
        schema_version: Version of the results file's layout.
        objective: The latency objective that was asked for: ``p99=2s``.
        fidelity: How true ``warp`` was in the cells that were chosen to be run in ``wall`` too.
    """

    # For pydantic, before version 2.12 as well: keys that are not known are refused at any depth.
    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    created_at: str
    command: str
    environment: Environment
    cells: tuple[CellResult, ...]
    findings: tuple[Finding, ...] = ()
    schema_version: int = SCHEMA_VERSION
    objective: str | None = None
    fidelity: tuple[Fidelity, ...] = ()


def keeps_concurrency(mean_in_flight: float | None, concurrency: int) -> bool:
    """Return whether no more sessions were in flight, in the mean, than were to be."""
    return (mean_in_flight or 0.0) <= concurrency * (1 + _ROUNDING)
