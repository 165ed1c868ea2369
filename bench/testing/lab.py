"""Runs a cell inside a test, in virtual time, and returns what it looked like.

``pytest_plugin`` gives this to tests as the fixture ``lab``.

Connections stay on this machine as far as Python sees them (``mocks.network.guard``). A process
that continues cannot have a network of its own.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial

from ...mocks.clock import ClockMode, seconds
from ...mocks.errors import TrialError, UsageError
from ...mocks.observe.waits import Wait
from ...mocks.redaction import redacted
from ...mocks.scenario import Scenario, load_scenario
from ...reports.comparison.gate import objective_text
from ...reports.terminal.swim_lanes import SwimLanes, swim_lanes
from ..results.cell import Cell
from ..results.model_requests import ModelRequests
from ..results.records import LatencySummary, SessionCounts, keeps_concurrency
from ..results.reference import Reference, SharedWork
from ..results.refused_hosts import RefusedHost
from ..results.samples import Outcome
from ..results.time_parts import TimeParts, in_seconds
from ..results.tools_not_run import ToolsNotRun
from ..results.trial_result import TrialResult
from ..runner.choices import one_of
from ..runner.plan import Factors, cells_of
from ..statistics.scaling import Objective, parse_objective
from ..statistics.summary import count_sessions, efficiency, summarise
from ..strategies import available_strategies
from ..targets.loading import name_of_target
from ..trial.loops import LOOPS, require_loop
from ..trial.spec import NotApplicable, TrialSpec
from ..trial.trial import prepared_here
from .held import Held, run_alone


@dataclass(frozen=True, slots=True)
class Ideal:
    """What a costless scheduler would reach.

    Attributes:
        makespan: Seconds.
        latency: The sessions' references, summarised, in seconds: their critical paths.
    """

    makespan: float
    latency: LatencySummary


@dataclass(frozen=True, slots=True)
class Blocked:
    """One span of time in which an event loop was blocked.

    Attributes:
        place: The function that did it: ``agent/tools.py:summarise``.
        start: Seconds after the trial's start.
        duration: Seconds.
    """

    place: str
    start: float
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LabResult:
    """What a cell looked like; times in seconds on the trial's clock, exact if it is virtual.

    Attributes:
        cell: What was run.
        makespan: Start to the end of the last session.
        latency: Percentiles of session latency.
        latencies: Latency of each session, in the order of their numbers.
        sessions: How many were started, and how they ended.
        errors: What the sessions that did not succeed died of.
        llm_calls: Model calls.
        tool_calls: Calls of the lab's tools.
        tools_not_run: The tool calls of the script that did not run, where that is no failure.
        model_requests: How the requests to the model were booked, and how they relate.
        http_requests: Requests that reached the mocked network.
        peak_in_flight: Greatest number of model calls waiting at one time.
        blocked_loop: When and where an event loop was blocked.
        refused: The hosts to which requests were refused, since nothing mocks them, and what that
            cost; what cost most comes first.
        cpu_s_per_session: CPU seconds a session: real, and so with noise.
        time_parts: Where the time of each session went, in the order of their numbers; the
            parts add up to its latency.
        held: What the sessions are compared with; of those that play no script it is known when
            somebody asks for it.
    """

    cell: Cell
    makespan: float
    latency: LatencySummary
    latencies: tuple[float, ...]
    sessions: SessionCounts
    errors: tuple[str, ...]
    llm_calls: int
    tool_calls: int
    tools_not_run: ToolsNotRun
    model_requests: ModelRequests
    http_requests: int
    peak_in_flight: int
    blocked_loop: list[Blocked]
    refused: tuple[RefusedHost, ...]
    cpu_s_per_session: float
    time_parts: tuple[TimeParts, ...]
    lanes: SwimLanes = field(compare=False)
    held: Held = field(compare=False)

    @property
    def ideal(self) -> Ideal:
        """What a costless scheduler would reach.

        Sessions that play no script are held against what they do alone: the first time that this,
        ``efficiency``, ``reference`` or ``shared_work`` is asked for, the target is made anew, once
        for each of its forms, and its sessions run one after another, in virtual time.
        """
        trial = self.held.trial
        return Ideal(
            seconds(trial.ideal_makespan_ns),
            summarise([seconds(each) for each in trial.ideal_latencies_ns]),
        )

    @property
    def reference(self) -> Reference:
        """What the ideal is made of: the script, the sessions alone, or their conversations."""
        return self.held.trial.reference

    @property
    def shared_work(self) -> SharedWork:
        """What sessions were spared by others, where they are held against themselves alone."""
        return self.held.trial.shared_work

    @property
    def efficiency(self) -> float | None:
        """``ideal.makespan / makespan``, 1 is the best; ``None`` unless all sessions succeeded.

        Nor is there one if more sessions were in flight than the cell's concurrency.
        """
        in_flight = sum(self.latencies) / self.makespan if self.makespan else None
        return efficiency(
            self.ideal.makespan,
            self.makespan,
            is_complete=self.sessions.all_succeeded,
            keeps_concurrency=keeps_concurrency(in_flight, self.cell.concurrency),
        )

    @property
    def throughput(self) -> float:
        """Sessions that succeeded, per second of makespan."""
        return self.sessions.succeeded / self.makespan if self.makespan else 0.0

    @property
    def waits(self) -> tuple[Wait, ...]:
        """Each call of the model and of tools."""
        return tuple(self.lanes.waits)

    def figures(self) -> dict[str, object]:
        """Return its figures by name, flat, for a benchmark's ``extra_info``."""
        cell = self.cell
        return {
            "scenario": cell.scenario,
            "target": cell.target,
            "strategy": cell.strategy,
            "loop": cell.loop,
            "clock": str(cell.clock),
            "concurrency": cell.concurrency,
            "makespan_s": self.makespan,
            "ideal_makespan_s": self.ideal.makespan,
            "efficiency": self.efficiency,
            "reference": str(self.reference),
            "throughput_per_s": self.throughput,
            **{f"latency_{name}_s": value for name, value in asdict(self.latency).items()},
            **{f"sessions_{name}": count for name, count in asdict(self.sessions).items()},
            "llm_calls": self.llm_calls,
            "tool_calls": self.tool_calls,
            "peak_in_flight": self.peak_in_flight,
            "cpu_s_per_session": self.cpu_s_per_session,
        }

    def timeline(self) -> str:
        """Return the sessions as swim lanes, in text."""
        return f"{self!r}\n{swim_lanes(self.lanes)}"

    def __repr__(self) -> str:
        cell = self.cell
        ideal = f", ideal {self.ideal.makespan:.3f} s" if self.held.is_known else ""
        return (
            f"<{cell.scenario}/{cell.target}/{cell.strategy}/{cell.loop}@{cell.concurrency}: "
            f"{self.sessions.succeeded} of {self.sessions.started} sessions in "
            f"{self.makespan:.3f} s{ideal}>"
        )


def spec_of(
    target: object,
    *,
    scenario: str | Scenario = "tools",
    strategy: str = "gather",
    loop: str = "asyncio",
    sessions: int = 10,
    concurrency: int | None = None,
    clock: str = "virtual",
    seed: int = 1,
    tool_workers: int | None = None,
) -> TrialSpec:
    """Return the cell that a test asks for.

    Args:
        target: A name (``agent``, ``module:factory``), a factory, the coroutine function that
            is its session, or a ``Target``.
        scenario: A built-in name, the path of a file, or a ``Scenario``.
        strategy: Name of a strategy.
        loop: Name of an event loop.
        sessions: Sessions in all.
        concurrency: Sessions in flight at most; ``None`` for all at once.
        clock: ``virtual``, ``warp`` or ``wall``.
        seed: Seed of the script.
        tool_workers: Threads for blocking tools; ``None`` for as many as the load needs.

    Raises:
        UsageError: One of them cannot be used.
    """
    if isinstance(scenario, str):
        scenario = load_scenario(scenario)
    strategies = available_strategies()
    require_loop(one_of("loop", loop, LOOPS))
    for name, count in (("sessions", sessions), ("concurrency", concurrency)):
        if count is not None and (not isinstance(count, int) or count < 1):
            raise UsageError(f"{name}={count!r}: expected a whole number from 1")
    factors = Factors(
        scenarios=(scenario,),
        targets=(name_of_target(target),),
        strategies=(strategies[one_of("strategy", strategy, strategies)],),
        loops=(loop,),
        concurrency=(concurrency or sessions,),
        session_count=sessions,
        clock=ClockMode(one_of("clock", clock, [mode.value for mode in ClockMode])),
        seed=seed,
        tool_workers=tool_workers,
    )
    (spec,) = cells_of(factors)
    return replace(spec, notes_waits=True, accounts_time=True)


def run_cell(spec: TrialSpec, target: object) -> LabResult:
    """Run a cell in this process, and leave the process as it was.

    Args:
        spec: The cell, of ``spec_of``.
        target: The target that it names, or whose name it has.

    Raises:
        UsageError: The target cannot be used.
        TrialError: The target lacks the form of session that the strategy drives, or an event
            loop runs in this thread already.
        ClockError: Time could not be kept truthfully.
    """
    with prepared_cell(spec, target) as measure:
        return measure()


def assert_objective(result: LabResult, objective: Objective | None) -> None:
    """Hold a result to a latency objective, if there is one.

    Raises:
        AssertionError: The cell misses it.
    """
    __tracebackhide__ = True  # pytest shows the line of the test instead
    if objective is None:
        return
    counts = result.sessions
    found = objective.verdict_on(result.latency, succeeded=counts.succeeded, started=counts.started)
    if not found.is_met:
        raise AssertionError(f"{result.cell.name}: {objective_text(found)}")


@contextmanager
def prepared_cell(spec: TrialSpec, target: object) -> Iterator[Callable[[], LabResult]]:
    """Prepare a cell to be run in this process, any number of times; see ``run_cell``."""
    if asyncio._get_running_loop() is not None:
        raise TrialError(
            "an event loop runs in this thread: a trial brings its own, so call it from a plain "
            "test (def, not async def)"
        )
    with prepared_here(spec, target) as measure:
        if isinstance(measure, NotApplicable):
            raise TrialError(
                f"{measure.reason}, but strategy {spec.cell.strategy!r} drives one: choose another"
            )
        yield lambda: _result(spec, target, measure())


def objective_of(slo: str | None, sessions: int) -> Objective | None:
    """Return the latency objective that a cell is to meet.

    Args:
        slo: The objective: ``max=5s``; ``None`` for none.
        sessions: How many sessions the cell has.

    Raises:
        UsageError: It is none, or so few sessions do not tell.
    """
    if slo is None:
        return None
    try:
        objective = parse_objective(slo)
    except ValueError as error:
        raise UsageError(f"slo={error}") from None
    if sessions < objective.sessions:
        raise UsageError(
            f"slo={slo!r}: {objective.figure} takes {objective.sessions} sessions, and "
            f"this cell has {sessions}: ask for more, or for another figure, such as max"
        )
    return objective


def _result(spec: TrialSpec, target: object, trial: TrialResult) -> LabResult:
    cell = spec.cell
    in_order = sorted(
        zip(trial.samples, trial.time_parts_ns, strict=True), key=lambda pair: pair[0].session
    )
    samples = [sample for sample, _ in in_order]
    latencies = tuple(seconds(sample.end_ns - sample.start_ns) for sample in samples)
    failed = [sample for sample in samples if sample.outcome is not Outcome.SUCCEEDED]
    return LabResult(
        cell=cell,
        makespan=seconds(trial.makespan_ns),
        latency=summarise(latencies),
        latencies=latencies,
        sessions=count_sessions(samples),
        errors=redacted(tuple(str(sample.error or sample.outcome) for sample in failed)),
        llm_calls=trial.llm_calls,
        tool_calls=trial.tool_calls,
        tools_not_run=trial.tools_not_run,
        model_requests=trial.model_requests,
        http_requests=trial.http_requests,
        peak_in_flight=trial.peak_in_flight,
        blocked_loop=[
            Blocked(
                each.place,
                seconds(each.start_ns - trial.origin_ns),
                seconds(each.end_ns - each.start_ns),
            )
            for each in trial.blocked_loop
        ],
        refused=trial.refused,
        cpu_s_per_session=trial.cpu_s / len(samples),
        time_parts=tuple(in_seconds(parts_ns) for _, parts_ns in in_order),
        lanes=SwimLanes(
            samples=samples,
            waits=trial.waits,
            blocked_loop=trial.blocked_loop,
            origin_ns=trial.origin_ns,
            end_ns=trial.makespan_ns,
        ),
        held=Held(trial, cell.concurrency, partial(run_alone, spec, target)),
    )
