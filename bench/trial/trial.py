"""One trial: a cell, run once in this process, from its script to its samples."""

import asyncio
import gc
import os
import random
import time
import warnings
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from ...mocks.clock import Clock, VirtualClock, choices_of, create_clock, is_skipping, keeping_time
from ...mocks.clock.loops.made_inside import NewLoop
from ...mocks.clock.real_time import real_perf_counter
from ...mocks.clock.root_watch import root_watched
from ...mocks.errors import ClockError, TargetError
from ...mocks.model import is_known_as, task_of
from ...mocks.network.children import ChildRefusals
from ...mocks.network.guard import stay_on_this_machine, staying_on_this_machine
from ...mocks.network.refusals import refusals
from ...mocks.network.refusing_server import Refused
from ...mocks.observe.data_flow import DataFlowNotes
from ...mocks.observe.meter import Meter
from ...mocks.observe.refusals import Refusal
from ...mocks.observe.session import carrying_sessions, session_here
from ...mocks.observe.traffic import Traffic
from ...mocks.sandbox import hold_no_secrets, holding_no_secrets
from ...mocks.scenario import Scenario
from ...mocks.telemetry import keep_telemetry_quiet
from ...mocks.transports.registry import Opens, Reached, Seen, require_transport
from ...mocks.workload.arrivals import intended_ns, parse_arrivals
from ...mocks.workload.ideal import Waits
from ...mocks.workload.script import Script, SessionScript, draw, with_nested
from ...mocks.workload.scripts import Scripts
from ...mocks.world.tools import Delegates, ToolOutputs, lab_tools
from ...mocks.world.world import WorldSpec
from ..attribution.tools_run import ToolsRun, What, asked_in
from ..instruments.answers import Answers
from ..instruments.call_counts import CallCounter
from ..instruments.code_origin import callers_here
from ..instruments.expired_timers import ExpiredTimers
from ..instruments.kept_memory import KeptMemory
from ..instruments.left_behind import MadeBefore
from ..instruments.probe import Probe
from ..instruments.recorder import Accounting
from ..instruments.session_waits import SessionWaits
from ..results.trial_result import TrialResult
from ..services.command import command_named
from ..services.kinds import service_named
from ..strategies import AsyncSession, Drives, Strategy, SyncSession, strategy_named
from ..targets.loading import Check, Lab, Settle, Target, opened_target
from ..targets.monkey_patches import monkey_patched_by
from ..targets.outputs import AsyncOutputs, SyncOutputs, answering, answering_async
from .certificates import load_certificates_late
from .changed_runs import with_data_flow
from .children import children_kept_in, require_own_model_calls
from .driving import LoopDriver
from .left_behind import LeftBehindOfTrial
from .loops import require_loop
from .machine import ANY_WORKERS, cores_of, default_executor_workers
from .measured import Plan, Ran, steps_noted, trial_result
from .served import ServedTarget, served_target
from .spec import NotApplicable, TrialSpec
from .turn import AtOnce, Turn
from .warm_up import warm_up_sessions

with suppress(ImportError):
    # To import it takes long: before the clock keeps time, not when a target asks for it. Who asks
    # for it and cannot have it is told then.
    import openai  # noqa: F401

Around = Callable[[], AbstractContextManager[object]]

_Session = AsyncSession | AsyncOutputs | SyncSession | SyncOutputs

_AT_ONCE = AtOnce()
_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class AfterImport:
    """What a target's import, made before the trial, has left to it.

    Attributes:
        clock: The clock on whose time it was made; what the import has bound may be bound to it.
        made: What it has made that sessions may leave behind.
    """

    clock: VirtualClock
    made: MadeBefore


def run_trial(spec: TrialSpec, turn: Turn = _AT_ONCE) -> TrialResult | NotApplicable:
    """Run a cell once, and return what was measured.

    This changes the process for good (environment, audit hook): call it in a process of its
    own.

    Args:
        spec: The cell.
        turn: Holds the prepared trial back until it may measure.

    Raises:
        TargetError: The target cannot be loaded.
        ClockError: Time could not be kept truthfully.
    """
    become_process_of_trials()
    return run_in_process_of_trials(spec, turn)


def become_process_of_trials() -> None:
    """Change this process for good to what a trial runs in: environment, network guard."""
    hold_no_secrets(os.environ)
    keep_telemetry_quiet(os.environ)
    load_certificates_late(os.environ)
    stay_on_this_machine()


def run_in_process_of_trials(
    spec: TrialSpec, turn: Turn = _AT_ONCE, after: AfterImport | None = None
) -> TrialResult | NotApplicable:
    """Do what ``run_trial`` does, in a process that is a trial's already.

    Args:
        spec: The cell.
        turn: Holds the prepared trial back until it may measure.
        after: The import of the target, if it was imported; the cell is in virtual time then.

    Raises:
        TargetError: The target cannot be loaded.
        ClockError: Time could not be kept truthfully.
    """
    clock: Clock
    if after is None:
        clock = create_clock(spec.cell.clock, spec.schedule)
    else:
        clock = after.clock
        clock.begin_anew(None if spec.schedule is None else spec.schedule.schedule())
    with (
        root_watched(clock),
        _prepared(
            spec,
            spec.cell.target,
            clock,
            ended=turn.end,
            owns_process=True,
            made_before=None if after is None else after.made,
        ) as measure,
    ):
        if isinstance(measure, NotApplicable):
            return measure
        turn.begin()
        return measure()


@dataclass(frozen=True, slots=True)
class PlaceOfImport:
    """Where a trial is when it imports its target.

    Attributes:
        clock: Keeps the time.
        world: What requests reach.
        meter: Notes the calls; whatever has more of the place than the clock has this.
        made: Returns what has been made so far that sessions may leave behind.
    """

    clock: VirtualClock
    world: Reached
    meter: Meter
    made: Callable[[], MadeBefore]


@contextmanager
def place_of_import(spec: TrialSpec) -> Iterator[PlaceOfImport]:
    """Be, in this scope, where a trial is when it imports its target.

    What a trial has of its own besides, its event loop, is not there: no import sees it, and it
    cannot be taken into a fork.

    Args:
        spec: A cell of a strategy without an event loop, that notes its waits and tells what its
            sessions leave behind.

    Raises:
        ClockError: Time could not be kept truthfully.
    """
    clock = VirtualClock()
    with (
        root_watched(clock),
        _in_force(spec, clock, spec.cell.target, owns_process=True) as in_force,
        _Trial(spec, clock, in_force, ended=_AT_ONCE.end, owns_process=True).reaching_its_world(
            in_force.opens
        ) as world,
    ):
        left, meter = in_force.left, in_force.accounting.meter
        assert left is not None
        assert meter is not None
        yield PlaceOfImport(clock, world, meter, left.made)


@contextmanager
def prepared_here(
    spec: TrialSpec, target: object, around: Around = nullcontext
) -> Iterator[Callable[[], TrialResult] | NotApplicable]:
    """Prepare a cell in this process, and leave the process as it was: for tests.

    Args:
        spec: The cell.
        target: What ``build_target`` takes.
        around: Makes the scope in which the sessions run, and nothing else does.

    Yields:
        What runs the cell's sessions, any number of times, and returns what was measured.

    Raises:
        TargetError: The target cannot be used.
        ClockError: Time could not be kept truthfully.
    """
    chance = random.getstate()
    clock = create_clock(spec.cell.clock, spec.schedule)
    clock.tolerate_those_alive()
    with holding_no_secrets(os.environ), staying_on_this_machine(), root_watched(clock):
        keep_telemetry_quiet(os.environ)
        try:
            with _prepared(spec, target, clock, around) as measure:
                yield measure
        finally:
            random.setstate(chance)


@contextmanager
def _prepared(
    spec: TrialSpec,
    target: object,
    clock: Clock,
    around: Around = nullcontext,
    ended: Callable[[], None] = _AT_ONCE.end,
    *,
    owns_process: bool = False,
    made_before: MadeBefore | None = None,
) -> Iterator[Callable[[], TrialResult] | NotApplicable]:
    with _in_force(
        spec, clock, target, owns_process=owns_process, made_before=made_before
    ) as in_force:
        if in_force.left is not None:
            around = in_force.left.around(around)
        trial = _Trial(spec, clock, in_force, ended=ended, owns_process=owns_process)
        with trial.prepared(target, in_force.opens, around) as measure:
            yield measure


@dataclass(frozen=True, slots=True)
class _InForce:
    """What a trial has put in force before it opens its world and imports its target."""

    strategy: Strategy
    opens: Opens
    counter: CallCounter | None
    accounting: Accounting
    children: ChildRefusals
    left: LeftBehindOfTrial | None


@contextmanager
def _in_force(
    spec: TrialSpec,
    clock: Clock,
    target: object,
    *,
    owns_process: bool,
    made_before: MadeBefore | None = None,
) -> Iterator[_InForce]:
    # The openai SDK jitters its back-off with the global generator.
    random.seed(spec.cell.seed)
    strategy = strategy_named(spec.cell.strategy)
    transport = require_transport(spec.cell.transport)
    opens = transport.loads()
    counter = CallCounter() if spec.counts_calls else None
    accounting = Accounting(
        clock,
        notes_waits=spec.notes_waits,
        accounts_time=spec.accounts_time,
        on_loop=strategy.on_loop,
        counts_calls=spec.counts_calls,
    )
    left = None
    if spec.tells_left_behind and is_skipping(clock):
        left = LeftBehindOfTrial(
            clock, accounting.meter, target, owns_process=owns_process, made_before=made_before
        )
    with (
        nullcontext() if counter is None else counter.installed(),
        accounting.looking(),
        children_kept_in(clock, in_process=transport.in_process) as children,
        keeping_time(clock, _new_loop(spec, strategy, clock)),
        carrying_sessions(),
        nullcontext() if left is None else left.tracking(),
    ):
        yield _InForce(strategy, opens, counter, accounting, children, left)


def _new_loop(spec: TrialSpec, strategy: Strategy, clock: Clock) -> NewLoop | None:
    """Return what makes the loops that a target asks asyncio for: of the cell's kind, if any."""
    if not strategy.on_loop:
        return None
    return partial(require_loop(spec.cell.loop).create, clock)


class _Trial:
    """The parts of a trial, wired."""

    def __init__(
        self,
        spec: TrialSpec,
        clock: Clock,
        in_force: _InForce,
        *,
        ended: Callable[[], None],
        owns_process: bool,
    ) -> None:
        strategy, accounting = in_force.strategy, in_force.accounting
        children = in_force.children
        self._ended = ended
        self._children = children
        children.told = self._refuses_child
        self._owns_process = owns_process
        self._cell = spec.cell
        self._strategy = strategy
        self._clock = clock
        self._counter = in_force.counter
        self._accounting = accounting
        self._left = in_force.left
        self._has_any_workers = spec.has_any_workers
        if spec.schedule is not None and is_skipping(clock) and clock.choices is not None:
            clock.choices.waiter_here = _waiter_here
        if accounting.meter is not None:
            accounting.meter.notes_places = spec.notes_places
        self._memory = KeptMemory() if spec.traces_memory else None
        self._data_flow = DataFlowNotes(0, callers_here) if spec.finds_data_flow else None
        script = _script_of(spec)
        self._took_tools = False
        self._asked_before: frozenset[What] = frozenset()
        self._refused_before: tuple[Refusal, ...] | None = None
        warm_up = warm_up_sessions(spec)
        sessions = Scripts(
            {
                part.session: part
                for session in (*script.sessions, *warm_up)
                for part in with_nested(session)
            },
            spec.scenario,
            spec.cell.seed,
        )
        self._plan = Plan(
            cell=spec.cell,
            strategy=strategy,
            script=script,
            sessions=sessions,
            arrivals_ns=_arrivals_ns(spec, script),
            cores=cores_of(spec.cell.clock),
            tools_are_optional=spec.scenario.optional_tools,
            notes_waits=spec.notes_waits,
            notes_places=spec.notes_places,
        )
        self._tool_traffic = Traffic(accounting.meter)
        self._answers = Answers(clock)
        self._check: Check | None = None
        self._settle: Callable[[], None] | None = None
        self._request = spec.scenario.request
        self._cancels, self._names_waits = spec.cancels, spec.names_waits
        self._session_waits: SessionWaits | None = None
        self._counts_expired_timers = spec.counts_expired_timers
        self._ready_within_s = spec.ready_within_s
        self._served: ServedTarget | None = None
        self._connect: Callable[[int], None] = lambda _count: None
        self._transport = require_transport(spec.cell.transport)
        self._http_clients = self._transport.clients()
        self._world_spec = WorldSpec(
            sessions=sessions,
            limits=spec.scenario.limits,
            services=spec.scenario.services,
            endpoints=spec.scenario.endpoints,
            prefill=spec.scenario.prefill,
            stream=f"{spec.scenario.name}/{spec.cell.seed}",
            conversations=spec.scenario.conversations,
            marks_texts=spec.scenario.provenance,
            notes_waits=accounting.meter is not None,
            # Where computing takes no time, to sum them up takes nobody's.
            sums_up_requests=spec.notes_waits and not clock.mode.charges_cpu,
            data_flow=self._data_flow,
            shared=spec.scenario.shared,
        )
        self._delegates = Delegates(lambda session: task_of(session, spec.scenario.name))
        self._tools = lab_tools(
            spec.scenario,
            sessions,
            clock,
            self._tool_traffic,
            self._delegates,
            outputs=ToolOutputs(
                marks_texts=spec.scenario.provenance,
                data_flow=self._data_flow,
                shared=spec.scenario.shared,
            ),
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_driver: LoopDriver | None = None
        self._tasks = _tasks(script.sessions, spec.scenario)
        self._warm_up_tasks = _tasks(warm_up, spec.scenario)

    @contextmanager
    def reaching_its_world(self, opens: Opens) -> Iterator[Reached]:
        """Open the trial's world, and note what the network's guard refuses, in this scope."""
        with (
            refusals().told_to(self._refuses),
            opens(self._world_spec, self._clock, self._accounting.meter) as world,
        ):
            yield world

    @contextmanager
    def prepared(
        self, named: object, opens: Opens, around: Around
    ) -> Iterator[Callable[[], TrialResult] | NotApplicable]:
        with ExitStack() as scope:
            world = scope.enter_context(self.reaching_its_world(opens))
            service = service_named(named)
            if service is not None and service.kind.drives is not self._strategy.drives:
                yield NotApplicable(service.kind.why_not)
                return
            runner = self._runner(scope)
            named = self._started(named, world, runner, scope)
            target = scope.enter_context(opened_target(named, self._lab(world), runner.run))
            self._check = target.check
            if target.settle is not None:
                self._settle = partial(_run_settling, runner, target.settle)
            self._require_real_threads()
            session = self._session_of(target)
            if isinstance(session, NotApplicable):
                yield session
                return
            drive = self._driver(runner)
            # The first request imports, resolves and compiles; and it shows which tools
            # the target declares.
            warm_up = self._probe(self._warm_up_tasks)
            tasks = list(self._warm_up_tasks)
            self._connect(len(tasks))
            drive(self._watched(warm_up, session), tasks, len(tasks), warm_up)
            self._let_settle()
            if self._transport.in_process:
                require_own_model_calls(self._children.apis, world.seen().llm_calls)
            unused = self._http_clients.why_unused()
            if unused is not None:
                yield NotApplicable(unused)
                return
            waits = self._waits(target, world.seen().tools_declared)
            measure: Callable[[], TrialResult] = partial(
                self._measure, drive, session, waits, world, around
            )
            if self._left is not None:
                measure = self._left.told(measure, runner if self._strategy.on_loop else None)
            if self._data_flow is None:
                yield measure
            else:
                yield partial(with_data_flow, measure, self._data_flow, self._cell.seed)

    def _started(
        self, named: object, world: Reached, runner: asyncio.Runner, scope: ExitStack
    ) -> object:
        """Return what is driven in place of a command that starts a service; anything else as is.

        Raises:
            TargetError: The service cannot be started, or it is not reached in real time.
        """
        command = command_named(named)
        if command is None:
            return named
        if self._clock.mode.skips or self._transport.in_process:
            raise TargetError(
                f"target {command.target!r}: a service as deployed is reached over real sockets, "
                "and no clock can skip over them: it is for warpbench run --serve"
            )
        self._served = scope.enter_context(
            served_target(
                command,
                max(1, self._cell.workers),
                self._request,
                world.root,
                ready_within_s=self._ready_within_s,
            )
        )
        driven = self._served.driven
        self._connect = lambda count: runner.run(driven.connect(count))
        scope.callback(lambda: runner.run(driven.close()))
        return self._served.target

    def _lab(self, world: Reached) -> Lab:
        return Lab(
            offered=self._tools,
            tools_taken=self._note_tools_taken,
            tool_workers=self._cell.tool_workers,
            base_url=f"{world.root}/v1",
            service_urls=world.service_urls,
            http_clients=self._http_clients,
            request=self._request,
        )

    def _note_tools_taken(self) -> None:
        self._took_tools = True

    def _require_real_threads(self) -> None:
        package = monkey_patched_by()
        if package is not None and self._clock.mode.skips:
            raise TargetError(
                f"the target replaces threads and sockets by those of {package} "
                "(monkey patching), and these wait in real time: leave that out for the lab, "
                "or run with --clock wall"
            )

    def _session_of(self, target: Target) -> _Session | NotApplicable:
        """Return the form of session that the strategy drives, if the cell makes sense."""
        if target.session is not None:
            self._delegates.session = answering_async(target.session)
        if target.sync_session is not None:
            self._delegates.sync_session = answering(target.sync_session)
        drives = self._strategy.drives
        session = target.session if drives is Drives.ASYNC else target.sync_session
        if session is None:
            return NotApplicable(f"the target has no {drives} session")
        refusal = self._transport.refusal(is_async=drives is Drives.ASYNC)
        return session if refusal is None else NotApplicable(refusal)

    def _runner(self, scope: ExitStack) -> asyncio.Runner:
        """Return what runs coroutines on the cell's loop; asyncio's for a strategy without one."""
        if not self._strategy.on_loop:
            return scope.enter_context(_runner(None))
        loop = require_loop(self._cell.loop)
        runner = scope.enter_context(_runner(lambda: loop.create(self._clock)))
        workers = (
            ANY_WORKERS if self._has_any_workers else default_executor_workers(self._plan.cores)
        )
        runner.get_loop().set_default_executor(ThreadPoolExecutor(workers, "asyncio"))
        scope.callback(self._close_clients, runner)
        return runner

    def _driver(self, runner: asyncio.Runner) -> Callable[..., object]:
        """Return what is called with the session, the tasks, the concurrency and the probe."""
        if not self._strategy.on_loop:
            return lambda session, tasks, concurrency, _probe: self._strategy.run(
                session, tasks, concurrency
            )
        strategy_run = cast("Callable[..., Coroutine[object, object, object]]", self._strategy.run)
        self._loop = runner.get_loop()
        self._loop_driver = LoopDriver(
            runner, strategy_run, self._accounting.timing, owns_process=self._owns_process
        )
        return self._loop_driver

    def _let_settle(self) -> None:
        """Wait for what goes on of sessions that have ended: it is theirs, and nobody else's."""
        if self._settle is not None and self._clock.failure is None:
            self._settle()

    def _probe(self, tasks: Mapping[str, int], **settings: Any) -> Probe:
        driver = self._loop_driver
        return Probe(
            self._clock,
            tasks,
            owns_process=self._owns_process,
            find_driver=None if driver is None else driver.task,
            **settings,
        )

    def _close_clients(self, runner: asyncio.Runner) -> None:
        if self._http_clients.must_be_closed:
            runner.run(self._http_clients.close())

    def _watched(self, probe: Probe, session: _Session) -> AsyncSession | SyncSession:
        if self._strategy.drives is Drives.ASYNC:
            return probe.watch_async(cast("AsyncSession | AsyncOutputs", session))
        return probe.watch_sync(cast("SyncSession | SyncOutputs", session))

    def _refuses(self, host: str) -> None:
        """Note a connection that the network's guard refused."""
        self._tool_traffic.refused(host, "", self._clock.now_ns())

    def _refuses_child(self, refused: Refused) -> None:
        """Note a request of a program that the target started; of which session, is not known."""
        now_ns = self._clock.now_ns()
        self._tool_traffic.refused(refused.host, refused.path, now_ns, from_child=True)

    def _refusals(self, seen: Seen) -> tuple[Refusal, ...]:
        """Return what the world refused, and what the network's guard did, in order of time."""
        refusals = (*seen.refusals, *self._tool_traffic.refusals)
        return tuple(sorted(refusals, key=lambda each: each.at_ns))

    def _waits(self, target: Target, declared: frozenset[str]) -> Waits:
        if not declared:
            return Waits.FIRST_CALL
        takes_labs = target.takes_lab and all(
            any(is_known_as(name, tool.name) for name in declared) for tool in self._tools
        )
        return Waits.ALL if takes_labs else Waits.MODEL

    def _tools_run(self, waits: Waits) -> ToolsRun | None:
        """Return which tool calls ran, if the target is to run those of the script."""
        if not self._took_tools and waits is not Waits.ALL:
            return None
        traffic = self._tool_traffic
        return ToolsRun(
            self._plan.script.sessions,
            traffic.tools_begun_ns,
            traffic.tool_spans_ns,
            self._asked_before,
        )

    def _waits_to_see(self) -> SessionWaits | None:
        """Return what sees the sessions' waits, if some is cancelled in one or all are named."""
        self._session_waits = None
        if self._cancels or self._names_waits:
            self._session_waits = SessionWaits(
                self._clock.now_ns, self._cancels, notes=self._names_waits
            )
        return self._session_waits

    def _tell_how_far(self, error: ClockError, origin_ns: int) -> None:
        """Let an error of the clock say what was chosen, and what sessions had done, until then."""
        error.choices = choices_of(self._clock)
        if self._session_waits is not None:
            error.cancelled = tuple(self._session_waits.cancelled)
        if self._plan.notes_places:
            error.steps = steps_noted(self._accounting, None, origin_ns)

    def _measure(
        self,
        drive: Callable[..., object],
        session: _Session,
        waits: Waits,
        world: Reached,
        around: Around,
    ) -> TrialResult:
        self._asked_before |= asked_in(self._plan.sessions, self._tool_traffic.tool_spans_ns)
        if self._refused_before is None:
            self._refused_before = self._refusals(world.seen())
        self._tool_traffic.reset()
        world.forget()
        if self._data_flow is None:  # whose trial runs many times, and measures no time
            gc.collect()
        numbers, arrivals_ns = self._tasks.values(), self._plan.arrivals_ns
        by_session = None if arrivals_ns is None else dict(zip(numbers, arrivals_ns, strict=True))
        self._answers.forget()
        self._connect(self._cell.concurrency)
        probe = self._probe(
            self._tasks,
            meter=self._accounting.meter,
            intended_ns=by_session,
            check=self._check,
            waits=self._waits_to_see(),
            takes_up=self._answers.take_up,
        )
        watched = self._watched(probe, session)
        expired = ExpiredTimers() if self._counts_expired_timers else None
        with (
            self._accounting.measuring(probe, world.in_flight, self._loop),
            nullcontext() if self._memory is None else self._memory.tracing(),
            nullcontext() if self._counter is None else self._counter.counting(),
            nullcontext() if expired is None else expired.counting(),
            nullcontext() if self._served is None else self._served.measured(),
            around(),
        ):
            elapsed_from_s, cpu_from_s = real_perf_counter(), time.process_time()
            try:
                drive(watched, list(self._tasks), self._cell.concurrency, probe)
                self._let_settle()
            except ClockError as error:
                self._tell_how_far(error, probe.origin_ns)
                raise
            cpu_s, elapsed_s = (
                time.process_time() - cpu_from_s,
                real_perf_counter() - elapsed_from_s,
            )
        self._ended()
        if self._clock.failure is not None:
            self._tell_how_far(self._clock.failure, probe.origin_ns)
            raise self._clock.failure
        seen = world.seen()
        assert self._refused_before is not None  # before the first measurement
        ran = Ran(
            probe=probe,
            answers=self._answers,
            seen=seen,
            tool_traffic=self._tool_traffic,
            waits=waits,
            tools=self._tools_run(waits),
            refusals=self._refusals(seen),
            refused_before=self._refused_before,
            choices=choices_of(self._clock),
            session_waits=self._session_waits,
            expired_timers=0 if expired is None else expired.count,
            cpu_s=cpu_s,
            elapsed_s=elapsed_s,
            calls=None if self._counter is None else self._counter.counts(),
            bytes_kept=None if self._memory is None else self._memory.kept_bytes,
            service=None if self._served is None else self._served.use(probe.origin_ns),
        )
        return trial_result(self._plan, ran, self._accounting)


@contextmanager
def _runner(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None,
) -> Iterator[asyncio.Runner]:
    """Run coroutines on a loop of its own, which ends with what the target left open on it.

    A target may leave its connections open: nobody is to blame, and the warning of it, where
    warnings are errors, would keep uvloop from closing them.
    """
    runner = asyncio.Runner(loop_factory=loop_factory)
    try:
        yield runner
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            runner.close()


def _run_settling(runner: asyncio.Runner, settle: Settle) -> None:
    runner.run(settle())


def _waiter_here() -> str:
    session = session_here()
    return "shared" if session is None else f"session {session}"


def _script_of(spec: TrialSpec) -> Script:
    script = draw(spec.scenario, spec.cell.seed, spec.cell.session_count)
    if spec.only is None:
        return script
    chosen = tuple(each for each in script.sessions if each.session in spec.only)
    return replace(script, sessions=chosen)


def _arrivals_ns(spec: TrialSpec, script: Script) -> tuple[int, ...] | None:
    """Return when each session of a script arrives; ``None`` in a closed loop."""
    cell = spec.cell
    plan = parse_arrivals(cell.arrivals)
    of_all_ns = intended_ns(plan, spec.scenario, cell.seed, cell.session_count)
    if of_all_ns is None:
        return None
    return tuple(of_all_ns[each.session] for each in script.sessions)


def _tasks(sessions: Iterable[SessionScript], scenario: Scenario) -> dict[str, int]:
    return {task_of(session.session, scenario.name): session.session for session in sessions}
