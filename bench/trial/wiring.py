"""The parts of a trial, wired: world, target, strategy, instruments, and what is made of them."""

import asyncio
import gc
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any, cast

from ...mocks.clock import Clock, choices_of, is_skipping
from ...mocks.clock.real_time import real_perf_counter
from ...mocks.errors import ClockError, TargetError
from ...mocks.model import is_known_as, task_of
from ...mocks.network.refusals import refusals
from ...mocks.network.refusing_server import Refused
from ...mocks.observe.data_flow import DataFlowNotes
from ...mocks.observe.refusals import Refusal
from ...mocks.observe.session import session_here
from ...mocks.observe.traffic import Traffic
from ...mocks.transports.registry import Opens, Reached, Seen, require_transport
from ...mocks.workload.ideal import Waits
from ...mocks.workload.script import with_nested
from ...mocks.workload.scripts import Scripts
from ...mocks.world.tools import Delegates, ToolOutputs, lab_tools
from ...mocks.world.world import WorldSpec
from ..attribution.tools_run import ToolsRun, What, asked_in
from ..instruments.answers import Answers
from ..instruments.code_origin import callers_here
from ..instruments.expired_timers import ExpiredTimers
from ..instruments.kept_memory import KeptMemory
from ..instruments.probe import Probe
from ..instruments.session_waits import SessionWaits
from ..results.trial_result import TrialResult
from ..services.command import command_named
from ..services.kinds import service_named
from ..strategies import AsyncSession, Drives, SyncSession
from ..targets.loading import Check, Lab, Settle, Target, opened_target
from ..targets.monkey_patches import monkey_patched_by
from ..targets.outputs import AsyncOutputs, SyncOutputs, answering, answering_async
from .changed_runs import with_data_flow
from .children import require_own_model_calls
from .driving import LoopDriver
from .in_force import InForce
from .loops import require_loop
from .machine import ANY_WORKERS, cores_of, default_executor_workers
from .measured import Plan, Ran, steps_noted, trial_result
from .planned import arrivals_ns_of, script_of, tasks_of
from .served import ServedTarget, served_target
from .spec import NotApplicable, TrialSpec
from .warm_up import warm_up_sessions

Around = Callable[[], AbstractContextManager[object]]

_Session = AsyncSession | AsyncOutputs | SyncSession | SyncOutputs


class WiredTrial:
    """The parts of a trial, wired.

    Args:
        spec: What the trial is told.
        clock: Keeps its time.
        in_force: What is in force in its process.
        ended: Called when its sessions have ended.
        owns_process: Whether the process is the trial's own.
    """

    def __init__(
        self,
        spec: TrialSpec,
        clock: Clock,
        in_force: InForce,
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
        script = script_of(spec)
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
            arrivals_ns=arrivals_ns_of(spec, script),
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
            limits_file=spec.limits_file,
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
        self._tasks = tasks_of(script.sessions, spec.scenario)
        self._warm_up_tasks = tasks_of(warm_up, spec.scenario)

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
        """Open the world, load the target and warm it up; all of it ends with this scope.

        Args:
            named: The target, as it is named.
            opens: Opens the world.
            around: Makes the scope in which the sessions run, and nothing else does.

        Yields:
            What runs the sessions and returns what was measured; why there is nothing to measure.

        Raises:
            TargetError: The target cannot be used.
            ClockError: Time could not be kept truthfully.
        """
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
