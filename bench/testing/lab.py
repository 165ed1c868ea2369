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
from ...mocks.observe.wrong_requests import WrongRequest
from ...mocks.redaction import redacted
from ...mocks.scenario import Scenario, load_scenario
from ...reports.comparison.objectives import figure_text, objective_text
from ...reports.terminal.swim_lanes import SwimLanes, lanes_of, swim_lanes
from ..results.cell import Cell
from ..results.isolation import Isolation, TextLeak
from ..results.model_requests import ModelRequests
from ..results.own_waits import OwnWait
from ..results.records import LatencySummary, RateSummary, SessionCounts, keeps_concurrency
from ..results.reference import Reference, SharedWork
from ..results.refused_hosts import RefusedHost
from ..results.samples import Outcome
from ..results.time_parts import TimeParts, in_seconds
from ..results.tools_not_run import ToolsNotRun
from ..results.trial_result import TrialResult
from ..runner.choices import one_of
from ..runner.plan import Factors, cells_of
from ..statistics.objectives import Objectives, Times, parse_objectives
from ..statistics.percentiles import summarise
from ..statistics.streams import first_output_of, itl_of, tokens_per_s_of, ttft_of
from ..statistics.summary import count_sessions, efficiency
from ..strategies import strategy_named
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
        streamed_calls: Those whose answer came as a stream; the next three are of them alone.
        ttft: Percentiles of the time to first token.
        itl: Percentiles of the inter-token latency: of the times between two pieces of a stream.
        tokens_per_s: Percentiles of the tokens a second of each stream, after its first token.
        first_output: Percentiles of the time to first output of sessions that yield it.
        first_outputs: That of each session, in the order of their numbers; ``None`` for none.
        prompt_tokens: Tokens of the prompts, as the model reports them.
        completion_tokens: Tokens of the answers that were taken up.
        tool_calls: Calls of the lab's tools.
        tools_not_run: The tool calls of the script that did not run, where that is no failure.
        model_requests: How the requests to the model were booked, and how they relate.
        isolation: Text of one session that another took up, and outputs of nobody's text.
        wrong_requests: The requests to the model that the real API refuses, in order of time.
        http_requests: Requests that reached the mocked network.
        peak_in_flight: Greatest number of model calls waiting at one time.
        blocked_loop: When and where an event loop was blocked.
        refused: The hosts to which requests were refused, since nothing mocks them, and what that
            cost; what cost most comes first.
        cpu_s_per_session: CPU seconds a session: real, and so with noise.
        time_parts: Where the time of each session went, in the order of their numbers; the
            parts add up to its latency.
        own_waits: Where sessions waited inside their own code, the longest first.
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
    streamed_calls: int
    ttft: LatencySummary
    itl: LatencySummary
    tokens_per_s: RateSummary
    first_output: LatencySummary
    first_outputs: tuple[float | None, ...]
    prompt_tokens: int
    completion_tokens: int
    tool_calls: int
    tools_not_run: ToolsNotRun
    model_requests: ModelRequests
    isolation: Isolation
    wrong_requests: tuple[WrongRequest, ...]
    http_requests: int
    peak_in_flight: int
    blocked_loop: list[Blocked]
    refused: tuple[RefusedHost, ...]
    cpu_s_per_session: float
    time_parts: tuple[TimeParts, ...]
    own_waits: tuple[OwnWait, ...]
    lanes: SwimLanes = field(compare=False)
    held: Held = field(compare=False)

    @property
    def leaks(self) -> tuple[TextLeak, ...]:
        """Text of one session that another took up, in the order in which it was seen."""
        return self.isolation.leaks

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
    def times(self) -> Times:
        """The percentiles that an objective can be about."""
        return Times(self.latency, self.ttft, self.itl, self.first_output)

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
            **{
                f"{metric.removesuffix('_s')}_{name}_s": value
                for metric, summary in asdict(self.times).items()
                for name, value in summary.items()
            },
            **{f"sessions_{name}": count for name, count in asdict(self.sessions).items()},
            "llm_calls": self.llm_calls,
            "streamed_calls": self.streamed_calls,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
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
        target: A name (``agent``, ``module:factory``, ``asgi:module:app``), a factory, the
            coroutine function that is its session, or a ``Target``.
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
    require_loop(one_of("loop", loop, LOOPS))
    for name, count in (("sessions", sessions), ("concurrency", concurrency)):
        if count is not None and (not isinstance(count, int) or count < 1):
            raise UsageError(f"{name}={count!r}: expected a whole number from 1")
    factors = Factors(
        scenarios=(scenario,),
        targets=(name_of_target(target),),
        strategies=(strategy_named(strategy),),
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


def assert_objectives(result: LabResult, objectives: Objectives | None) -> None:
    """Hold a result to objectives, if there are any.

    Raises:
        AssertionError: The cell misses one, or has too few samples for it.
    """
    __tracebackhide__ = True  # pytest shows the line of the test instead
    if objectives is None:
        return
    counts = result.sessions
    found = objectives.verdicts_on(result.times, succeeded=counts.succeeded, started=counts.started)
    missed = [objective_text(each) for each in found if not each.is_met]
    if missed:
        raise AssertionError(f"{result.cell.name}: {'; '.join(missed)}")


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


def objectives_of(slo: str | None, sessions: int) -> Objectives | None:
    """Return the objectives that a cell is to meet.

    Args:
        slo: The objectives: ``max=5s``, ``ttft_max=800ms,max=5s``; ``None`` for none.
        sessions: How many sessions the cell has.

    Raises:
        UsageError: They are none, or so few sessions do not tell.
    """
    if slo is None:
        return None
    try:
        objectives = parse_objectives(slo)
    except ValueError as error:
        raise UsageError(f"slo={error}") from None
    for objective in objectives.each:
        if sessions < objective.sessions:
            raise UsageError(
                f"slo={slo!r}: {figure_text(objective)} takes {objective.sessions} sessions, and "
                f"this cell has {sessions}: ask for more, or for another figure, such as max"
            )
    return objectives


def _result(spec: TrialSpec, target: object, trial: TrialResult) -> LabResult:
    cell = spec.cell
    in_order = sorted(
        zip(trial.samples, trial.time_parts_ns, strict=True), key=lambda pair: pair[0].session
    )
    samples = [sample for sample, _ in in_order]
    streams = trial.streams
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
        streamed_calls=len(streams.session),
        ttft=ttft_of([streams]),
        itl=itl_of([streams]),
        tokens_per_s=tokens_per_s_of([streams]),
        first_output=first_output_of(samples),
        first_outputs=tuple(
            None if each.output_latency_ns is None else seconds(each.output_latency_ns)
            for each in samples
        ),
        prompt_tokens=streams.prompt_tokens,
        completion_tokens=streams.completion_tokens,
        tool_calls=trial.tool_calls,
        tools_not_run=trial.tools_not_run,
        model_requests=trial.model_requests,
        isolation=trial.isolation,
        wrong_requests=trial.wrong_requests,
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
        own_waits=trial.own_waits,
        lanes=lanes_of(trial),
        held=Held(trial, cell.concurrency, partial(run_alone, spec, target)),
    )
