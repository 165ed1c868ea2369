"""The values that the harness passes on: what was asked for, measured and concluded.

Nothing here computes or touches a file. Times that a session met are on the trial's
clock (``latency_s``, ``makespan_s``); ``elapsed_s`` alone is time on the wall.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from ...mocks.clock import ClockMode
from ...mocks.observe.waits import Wait
from ..instruments.blocked_loop import BlockedLoop, LoopHolder
from ..instruments.call_counts import CallCounts

SCHEMA_VERSION = 3

NO_LOOP = "none"
"""The loop of a cell whose strategy runs without one."""


class Outcome(StrEnum):
    """How a session ended; each started session has exactly one."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination of the factors at one load: the identity of a measurement.

    Attributes:
        scenario: Name of the scenario.
        target: The target as it was named (``agent``, ``bare-sdk``, ``module:attribute``).
        strategy: Name of the strategy.
        loop: Name of the event loop, or ``none`` for a strategy that runs without one.
        transport: How the model is reached; ``respx`` is in-process.
        clock: How time passes.
        concurrency: Sessions in flight at most; ``sync`` has one, whatever the load.
        session_count: Sessions in all.
        seed: Seed of the script.
        tool_workers: Threads for blocking tools that the target is handed.
        arrivals: When sessions arrive, as ``arrivals`` writes it: ``closed``, ``poisson:20``.
    """

    scenario: str
    target: str
    strategy: str
    loop: str
    transport: str
    clock: ClockMode
    concurrency: int
    session_count: int
    seed: int
    tool_workers: int
    arrivals: str = "closed"


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
    """Percentiles of session latency in seconds on the trial's clock.

    A percentile is ``None`` where the samples cannot carry it (p99 needs 100 of them).
    """

    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeParts:
    """Where the time of a session went; the parts add up to its latency.

    Attributes:
        llm: Waits for the model on the session's path.
        tool: Waits for tools and services on its path.
        serialised: Waits for tools that could have overlapped, and did not.
        admission: Waits for a place: under the concurrency limit, or in a pool of threads.
        ready: A wait was over, or code could go on, and it did not run yet: the event loop or
            the interpreter was busy.
        retry: Attempts that failed, and what was waited before the next.
        cpu: The session's own computing.
        remainder: Waits for what no mock knows of.
    """

    llm: float = 0
    tool: float = 0
    serialised: float = 0
    admission: float = 0
    ready: float = 0
    retry: float = 0
    cpu: float = 0
    remainder: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How a trial's process was over time: columns of samples, at most some hundred.

    Attributes:
        at_ns: When each was taken, on the clock, since the trial's start.
        loop_lag_ns: The longest since the sample before that an event loop took to come round:
            so late is at most what was due in between.
        in_flight: Model calls that waited; 0 throughout where a server has them.
        sessions: Sessions that ran.
        threads: Threads that were alive.
        tasks: Tasks of the event loop.
        rss_bytes: Resident memory.
        cpu_ns: CPU time of the process since the trial's start.
        gc_pause_ns: What garbage collections took since the sample before, of CPU.
    """

    at_ns: tuple[int, ...] = ()
    loop_lag_ns: tuple[int, ...] = ()
    in_flight: tuple[int, ...] = ()
    sessions: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()
    tasks: tuple[int, ...] = ()
    rss_bytes: tuple[int, ...] = ()
    cpu_ns: tuple[int, ...] = ()
    gc_pause_ns: tuple[int, ...] = ()


class LaneState(StrEnum):
    """What a session does at a moment, as a picture shows it."""

    MODEL = "model"
    TOOL = "tool"
    TOOLS = "tools"
    READY = "ready"
    ADMISSION = "admission"
    RETRY = "retry"
    OWN = "own"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One session over time, in nanoseconds on the clock, since the trial's start.

    Attributes:
        session: Its number.
        outcome: How it ended.
        end_ns: When it ended.
        from_ns: When each of its states began; each lasts until the next.
        state: The states; ``tools`` are several at one time.
    """

    session: int
    outcome: Outcome
    end_ns: int
    from_ns: tuple[int, ...]
    state: tuple[LaneState, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A stretch of time in which an event loop was held, and by what; as ``Lane`` has it."""

    begin_ns: int
    end_ns: int
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What the first sessions of a trial did, and when an event loop was held meanwhile."""

    lanes: tuple[Lane, ...] = ()
    held: tuple[Held, ...] = ()


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
    """

    session: int
    outcome: Outcome
    start_ns: int
    end_ns: int
    error: str | None = None
    intended_ns: int | None = None
    idle_at_start_ns: int = 0
    idle_at_end_ns: int = 0

    @property
    def latency_ns(self) -> int:
        """What it took from its intended start, in nanoseconds."""
        return self.end_ns - (self.start_ns if self.intended_ns is None else self.intended_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What one trial measured, as its process sends it back.

    Attributes:
        samples: One sample per started session.
        makespan_ns: Start of the trial to the end of its last session, on the clock.
        ideal_makespan_ns: The same for a costless scheduler, from the script alone.
        ideal_latencies_ns: Critical path of each session, in the script's order.
        origin_ns: Time on the clock at which it began.
        http_requests: Requests that reached the mocked network.
        llm_calls: Model calls answered.
        tool_calls: Calls of the lab's tools.
        peak_in_flight: Greatest number of model calls waiting at one time.
        cpu_s: CPU seconds of the process over the measured sessions, all threads.
        peak_rss_bytes: Greatest resident set of the process.
        elapsed_s: What the measured sessions took on the wall.
        waits: Each call of the model and of tools, if the trial was to note them; in times
            of the clock, as are the next.
        blocked_loop: Where an event loop was blocked, if the trial was to note that.
        calls: What was called, if the trial was to count that.
        server_capacity_per_s: Requests without latency that the mock model's server can
            answer a second; ``None`` in-process.
        server_utilisation: CPU seconds that it took per second of the trial.
        time_parts_ns: Where the time of each sample went, in their order, if the trial was to
            account for it.
        vitals: How its process was over time, likewise.
        timeline: What its first sessions did, likewise.
        probe_cpu_s: CPU seconds that the accounting took, of ``cpu_s``: the cost of one mark,
            measured before the trial, for all the marks of it, and that of the samples.
    """

    samples: tuple[SessionSample, ...]
    makespan_ns: int
    ideal_makespan_ns: int
    ideal_latencies_ns: tuple[int, ...]
    llm_calls: int
    tool_calls: int
    peak_in_flight: int
    cpu_s: float
    peak_rss_bytes: int
    elapsed_s: float
    origin_ns: int = 0
    http_requests: int = 0
    waits: tuple[Wait, ...] = ()
    blocked_loop: tuple[BlockedLoop, ...] = ()
    calls: CallCounts | None = None
    server_capacity_per_s: float | None = None
    server_utilisation: float | None = None
    time_parts_ns: tuple[TimeParts, ...] = ()
    vitals: Vitals | None = None
    timeline: Timeline | None = None
    probe_cpu_s: float | None = None


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


class Status(StrEnum):
    """Whether a cell has a result, and why not."""

    MEASURED = "measured"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult(Cell):
    """A cell with its result: medians over the trials, percentiles over all their samples.

    Attributes:
        status: Whether the numbers below mean anything.
        error: Why there are none, or the first error of a session; else ``None``.
        trials: Trials that went into the numbers.
        sessions: How many were started and how they ended, summed over the trials.
        makespan_s: Start to the end of the last session, on the clock.
        ideal_makespan_s: The same for a costless scheduler on the same script.
        efficiency: ``ideal_makespan_s / makespan_s``, at most 1.
        throughput_per_s: Succeeded sessions per second of makespan.
        latency_s: Percentiles of session latency; in an open loop from the intended start.
        raw_latency_s: The same from the real start, in an open loop: without what a session
            waited because the client was late.
        asked_per_s: Sessions a second that were to begin, in an open loop.
        delivered_per_s: Sessions a second that did.
        mean_in_flight: Sessions in flight, the mean over the makespan.
        latency_quantiles_s: The 0th to 100th percentile in steps of one, for a CDF.
        ideal_latency_s: Percentiles of the sessions' critical paths.
        llm_calls: Model calls per trial.
        tool_calls: Calls of the lab's tools per trial.
        peak_in_flight: Greatest number of model calls waiting at one time.
        cpu_s_per_session: CPU seconds per started session, all threads.
        peak_rss_bytes: Greatest resident set of the trial's process.
        elapsed_s: What a trial's sessions really took on the wall.
        server_capacity_per_s: Requests without latency that the mock model's server can
            answer a second; ``None`` in-process.
        server_utilisation: CPU seconds that it took per second of a trial, at most.
        time_parts_s: Where the time of a session went, the mean over all of them.
        loop_holders: Which places held an event loop, the worst first; at most ten.
        vitals: How the process of the first trial was over time.
        timeline: What the first sessions of the first trial did.
        probe_share: Which share of the CPU time the lab's own accounting took.
        drift: How much longer sessions took in the second half of the trials than in the first,
            as a share; ``None`` where that is no more than chance, or not known.
        trial_figures: Each trial by itself.
    """

    status: Status = Status.MEASURED
    error: str | None = None
    trials: int = 0
    sessions: SessionCounts = field(default_factory=SessionCounts)
    makespan_s: float | None = None
    ideal_makespan_s: float | None = None
    efficiency: float | None = None
    throughput_per_s: float | None = None
    latency_s: LatencySummary = field(default_factory=LatencySummary)
    raw_latency_s: LatencySummary | None = None
    asked_per_s: float | None = None
    delivered_per_s: float | None = None
    mean_in_flight: float | None = None
    latency_quantiles_s: tuple[float, ...] = ()
    ideal_latency_s: LatencySummary = field(default_factory=LatencySummary)
    llm_calls: int | None = None
    tool_calls: int | None = None
    peak_in_flight: int | None = None
    cpu_s_per_session: float | None = None
    peak_rss_bytes: int | None = None
    elapsed_s: float | None = None
    server_capacity_per_s: float | None = None
    server_utilisation: float | None = None
    time_parts_s: TimeParts | None = None
    loop_holders: tuple[LoopHolder, ...] = ()
    vitals: Vitals | None = None
    timeline: Timeline | None = field(default=None, hash=False)
    probe_share: float | None = None
    drift: float | None = None
    trial_figures: tuple[TrialFigures, ...] = field(default=(), hash=False)

    @property
    def cell(self) -> Cell:
        """Which cell it is the result of."""
        return Cell(**{part.name: getattr(self, part.name) for part in fields(Cell)})

    @property
    def carried_per_s(self) -> float:
        """Its throughput; 0 if it carried nothing, or has no result."""
        return self.throughput_per_s or 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFigures:
    """What a cell looked like on one clock: medians over the pairs; ``elapsed_s`` on the wall."""

    makespan_s: float | None
    p50_s: float | None
    p99_s: float | None
    elapsed_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity(Cell):
    """One cell with real waiting and with ``warp``, run in pairs.

    Attributes:
        pairs: How many.
        wall: With real waiting.
        warp: Without.
    """

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
    ABOVE_IDEAL = "above_ideal"
    SERVER_BOUND = "server_bound"
    LOOP_HELD = "loop_held"
    NOT_STEADY = "not_steady"
    LOAD_NOT_DELIVERED = "load_not_delivered"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Finding:
    """A warning as a value: shown in table, page and JSON alike."""

    kind: FindingKind
    message: str


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

    created_at: str
    command: str
    environment: Environment
    cells: tuple[CellResult, ...]
    findings: tuple[Finding, ...] = ()
    schema_version: int = SCHEMA_VERSION
    objective: str | None = None
    fidelity: tuple[Fidelity, ...] = ()
