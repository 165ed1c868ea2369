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
from dataclasses import replace
from functools import partial
from typing import Any, cast

from ...mocks.clock import Clock, choices_of, create_clock, is_skipping, keeping_time
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
from ..instruments.kept_memory import KeptMemory
from ..instruments.probe import Probe
from ..instruments.recorder import Accounting
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
    hold_no_secrets(os.environ)
    keep_telemetry_quiet(os.environ)
    load_certificates_late(os.environ)
    stay_on_this_machine()
    clock = create_clock(spec.cell.clock, spec.schedule)
    with (
        root_watched(clock),
        _prepared(spec, spec.cell.target, clock, ended=turn.end, owns_process=True) as measure,
    ):
        if isinstance(measure, NotApplicable):
            return measure
        turn.begin()
        return measure()


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
) -> Iterator[Callable[[], TrialResult] | NotApplicable]:
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
        left = LeftBehindOfTrial(clock, accounting.meter, target, owns_process=owns_process)
        around = left.around(around)
    with (
        nullcontext() if counter is None else counter.installed(),
        accounting.looking(),
        children_kept_in(clock, in_process=transport.in_process) as children,
        keeping_time(clock, _new_loop(spec, strategy, clock)),
        carrying_sessions(),
        nullcontext() if left is None else left.tracking(),
        _Trial(
            spec,
            strategy,
            clock,
            counter,
            accounting,
            children=children,
            left=left,
            ended=ended,
            owns_process=owns_process,
        ).prepared(target, opens, around) as measure,
    ):
        yield measure


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
        strategy: Strategy,
        clock: Clock,
        counter: CallCounter | None,
        accounting: Accounting,
        *,
        children: ChildRefusals,
        left: LeftBehindOfTrial | None,
        ended: Callable[[], None],
        owns_process: bool,
    ) -> None:
        self._ended = ended
        self._children = children
        children.told = self._refuses_child
        self._owns_process = owns_process
        self._cell = spec.cell
        self._strategy = strategy
        self._clock = clock
        self._counter = counter
        self._accounting = accounting
        self._left = left
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
            arrivals_ns=intended_ns(
                parse_arrivals(spec.cell.arrivals),
                spec.scenario,
                spec.cell.seed,
                spec.cell.session_count,
            ),
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
        self._ready_within_s = spec.ready_within_s
        self._served: ServedTarget | None = None
        self._connect: Callable[[int], None] = lambda _count: None
        self._cancels_ns = dict(spec.cancels_ns)
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
    def prepared(
        self, named: object, opens: Opens, around: Around
    ) -> Iterator[Callable[[], TrialResult] | NotApplicable]:
        with ExitStack() as scope:
            scope.enter_context(refusals().told_to(self._refuses))
            world = scope.enter_context(
                opens(self._world_spec, self._clock, self._accounting.meter)
            )
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

    def _tell_how_far(self, error: ClockError, origin_ns: int) -> None:
        """Let an error of the clock say what was chosen, and what sessions had done, until then."""
        error.choices = choices_of(self._clock)
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
        arrivals_ns = self._plan.arrivals_ns
        by_session = None if arrivals_ns is None else dict(enumerate(arrivals_ns))
        self._answers.forget()
        self._connect(self._cell.concurrency)
        probe = self._probe(
            self._tasks,
            meter=self._accounting.meter,
            intended_ns=by_session,
            check=self._check,
            cancels_ns=self._cancels_ns,
            takes_up=self._answers.take_up,
        )
        watched = self._watched(probe, session)
        with (
            self._accounting.measuring(probe, world.in_flight, self._loop),
            nullcontext() if self._memory is None else self._memory.tracing(),
            nullcontext() if self._counter is None else self._counter.counting(),
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


def _tasks(sessions: Iterable[SessionScript], scenario: Scenario) -> dict[str, int]:
    return {task_of(session.session, scenario.name): session.session for session in sessions}
