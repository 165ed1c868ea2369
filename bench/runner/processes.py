"""Runs each trial in a fresh process, forked from a server that has the imports done.

A trial that crashes, is killed or exceeds its time becomes a ``TrialError`` with the
reason; it takes nobody with it.

Trials of a target in virtual time may be forked from one process that has imported the target (see
``forked``): where that is asked for, and sure to make no difference.

Trials are measured one at a time. Which one comes next is known as a rule: while one accounts for
its time and ends, the next is prepared as far as its first session, and waits for its turn.
"""

import importlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext
from multiprocessing.util import Finalize

from ...mocks.errors import Hang, TrialError
from ...mocks.network import Network
from ...mocks.network.guard import stay_on_this_machine
from ...mocks.sandbox import hold_no_secrets
from ...mocks.telemetry import keep_telemetry_quiet
from ..results.played import Solo
from ..results.trial_result import TrialResult
from ..targets.loading import require_target
from ..trial.machine import available_cores
from ..trial.spec import NotApplicable, NotForkedError, TrialSpec
from ..trial.turn import Turn
from .forked import IS_POSSIBLE, ForkedWork, ProcessToFork, may_be_forked, may_be_imported
from .trial_process import (
    Progress,
    TiedProcess,
    TrialProcess,
    Work,
    interrupts_held_back,
    server_of_trials,
)

# A trial's process runs the main module of its parent's, hence the command line.
_PRELOADED = ["warpbench.bench.cli.main", "warpbench.bench.runner.preloaded"]
_FOR_STATISTICS = ("scipy.stats",)

LONGEST_SOLO_S = 20.0
"""Real seconds that a target's sessions may take alone, in each of its forms."""


def _measure(spec: TrialSpec, turn: Turn) -> TrialResult | NotApplicable:
    # It imports the openai SDK, which the process that starts trials has no use for: there it
    # would hold up the start of the server.
    from ..trial.trial import run_trial  # noqa: PLC0415

    return run_trial(spec, turn)


def _run_alone(spec: TrialSpec, turn: Turn) -> Solo:
    # It imports what the process that starts trials has no use for, likewise.
    from ..trial.solo import run_alone  # noqa: PLC0415

    return run_alone(spec, turn)


def _import_target(spec: TrialSpec) -> ForkedWork:
    # Likewise.
    from ..trial.imported import import_target  # noqa: PLC0415

    return import_target(spec)


class TrialProcesses:
    """Starts trials, and waits for each; several threads may have one under way each.

    Args:
        time_limit_s: Real seconds after which a trial is killed, from its turn on.
        work: What a trial's process runs; a test may put in something that crashes.
        network: The network that each is in.
        forks: Whether trials of one target may be forked from a process that has imported it.
        tell: Told in one line why those of a target are not.
    """

    def __init__(
        self,
        time_limit_s: float,
        work: Work = _measure,
        *,
        network: Network = Network.SHARED,
        forks: bool = False,
        tell: Callable[[str], object] = lambda _line: None,
    ) -> None:
        self._forks = forks and IS_POSSIBLE and work is _measure
        self._tell = tell
        self._to_fork: dict[str, ProcessToFork | None] = {}
        self._imported: set[str] = set()
        self._making = threading.Lock()
        # At the end of the program, too: it waits for its processes.
        Finalize(self, _kill_all, (self._to_fork,), exitpriority=1)
        self._network = network
        self._time_limit_s = time_limit_s
        self._work = work
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        self._live: set[TiedProcess] = set()
        self._next: TiedProcess | None = None
        self._has_ended = False

    @property
    def at_once(self) -> int:
        """How many trials may run at one time where that changes no figure: in virtual time."""
        return available_cores()

    def start(self) -> None:
        """Start the server that trials are forked from, and do not wait for its imports."""
        resource_tracker.ensure_running()
        with interrupts_held_back(), server_of_trials():
            forkserver.ensure_running()

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        """Run one trial to its end.

        Args:
            spec: The trial.
            then: The trial that is run next for sure; ``None`` if that is open.

        Raises:
            TargetError: The target cannot be used.
            TrialError: The trial failed, crashed, was killed or took too long.
        """
        result = self._in_a_process(self._work, spec, then)
        assert isinstance(result, TrialResult | NotApplicable)
        return result

    def run_together(
        self, specs: Sequence[TrialSpec], at_start: Callable[[], object] = lambda: None
    ) -> tuple[TrialResult | NotApplicable, ...]:
        """Run trials that begin at one moment, to the end of all of them.

        Args:
            specs: The trials.
            at_start: Called once when all of them have warmed up, before any measures.

        Raises:
            TargetError: The target cannot be used.
            TrialError: One of them failed, crashed, was killed or took too long; the others are
                ended.
        """
        self._end_prepared()
        processes = [self._started(self._work, spec) for spec in specs]
        results: dict[TiedProcess, TrialResult | NotApplicable] = {}
        try:
            self._take_from(processes, results, until=Progress.PREPARED)
            at_start()
            for process in processes:
                process.give_turn(self._time_limit_s)
            self._take_from(processes, results)
        except BaseException:
            for process in processes:
                process.kill()
            raise
        finally:
            for process in processes:
                self._end(process)
        return tuple(results[process] for process in processes)

    def _take_from(
        self,
        processes: Sequence[TiedProcess],
        results: dict[TiedProcess, TrialResult | NotApplicable],
        until: Progress | None = None,
    ) -> None:
        """Take what processes send until each has sent its result, or what else is awaited."""
        until_s = time.monotonic() + self._time_limit_s
        waiting = [process for process in processes if process not in results]
        while waiting:
            try:
                having_sent = TiedProcess.having_sent(waiting, until_s - time.monotonic())
            except TimeoutError:
                raise _hung(self._time_limit_s) from None
            for process in having_sent:
                try:
                    message = process.message(until_s - time.monotonic())
                except TrialError as error:
                    which = f"process {processes.index(process) + 1} of {len(processes)}"
                    raise TrialError(f"{which}: {error}", error.hang) from error
                if isinstance(message, TrialResult | NotApplicable):
                    results[process] = message
                elif message is not until:
                    continue
                waiting.remove(process)

    def run_alone(self, spec: TrialSpec) -> Solo:
        """Run sessions one after another, and return what they did.

        Args:
            spec: One of ``solo_specs``.

        Raises:
            TargetError: The target cannot be used.
            TrialError: The trial failed, crashed, was killed or took longer than it may.
        """
        limit_s = min(self._time_limit_s, LONGEST_SOLO_S)
        result = self._in_a_process(_run_alone, spec, limit_s=limit_s, is_between=True)
        assert isinstance(result, Solo)
        return result

    def check_target(self, name: str, spec: TrialSpec | None = None) -> None:
        """Load a target in a process of its own, so that a bad name is told before a run.

        Args:
            name: The target's name.
            spec: One of its cells, if trials may be forked from this import.

        Raises:
            TargetError: The target cannot be loaded.
            TrialError: Loading it crashed or took too long, or the system gives no process the
                network that a trial is to be in.
        """
        if self._forks and spec is not None and may_be_imported(spec):
            self._with_target(spec)
        if name not in self._imported:
            self._in_a_process(_load, name)

    def kill(self) -> None:
        """End the trials that other threads have under way or begin; they fail there."""
        self._has_ended = True
        for process in tuple(self._live):
            process.kill()

    def _in_a_process(
        self,
        work: Work,
        argument: object,
        then: object = None,
        *,
        limit_s: float | None = None,
        is_between: bool = False,
    ) -> object:
        """Let a process do some work, and return what came of it.

        Args:
            work: The work.
            argument: What it is done with.
            then: The argument of what is run next for sure.
            limit_s: Real seconds after which it is killed; ``None`` for those of a trial.
            is_between: Whether what has been prepared is run after it.
        """
        limit_s = limit_s or self._time_limit_s
        prepared = None if is_between else self._prepared(argument)
        process = prepared or self._started(work, argument)
        try:
            process.give_turn(limit_s)
            until_s = time.monotonic() + limit_s
            message: object = Progress.SESSIONS_ENDED
            while isinstance(message, Progress):
                message = process.message(until_s - time.monotonic())
                if message is Progress.SESSIONS_ENDED and then is not None:
                    self._next = self._started(work, then)
        except TimeoutError:
            process.kill()
            raise _hung(limit_s) from None
        except TrialError:
            raise  # the next one may go on
        except BaseException:
            process.kill()
            self._end_prepared()
            raise
        else:
            return message
        finally:
            self._end(process)

    def _started(self, work: Work, argument: object) -> TiedProcess:
        process: TiedProcess | None = None
        is_alone = work is _run_alone
        if self._forks and (work is self._work or is_alone) and isinstance(argument, TrialSpec):
            process = self._forked(argument, is_alone=is_alone)
        if process is None:
            process = TrialProcess(self._context, work, argument, self._network)
        self._add(process)
        return process

    def _add(self, process: TiedProcess) -> None:
        self._live.add(process)
        # Asked after it is among the live ones: whichever comes first, one of both sees it.
        if self._has_ended:
            process.kill()

    def _forked(self, spec: TrialSpec, *, is_alone: bool) -> TiedProcess | None:
        """Start a trial as a fork of the process with its target, if there can be one."""
        to_fork = self._with_target(spec) if may_be_forked(spec) else None
        if to_fork is None:
            return None
        try:
            return to_fork.fork(self._context, spec, is_alone=is_alone)
        except NotForkedError as error:
            self._give_up(spec.cell.target, error)
            return None

    def _with_target(self, spec: TrialSpec) -> ProcessToFork | None:
        """Return the process that has imported a cell's target; ``None`` if there can be none."""
        target = spec.cell.target
        with self._making:
            if target not in self._to_fork:
                self._to_fork[target] = None
                process = ProcessToFork(self._context, _import_target, spec, self._network)
                self._add(process)
                try:
                    process.require_ready(self._time_limit_s)
                except NotForkedError as error:
                    if error.is_imported:
                        self._imported.add(target)
                    self._tell_of(target, error)
                    process.kill()
                    self._end(process)
                except BaseException:
                    process.kill()
                    raise
                else:
                    self._to_fork[target] = process
                    self._imported.add(target)
            return self._to_fork[target]

    def _give_up(self, target: str, error: NotForkedError) -> None:
        """Fork no more trials of a target, and say why; another thread may have done so already."""
        with self._making:
            process, self._to_fork[target] = self._to_fork[target], None
            if process is not None:
                process.kill()
                self._tell_of(target, error)

    def _tell_of(self, target: str, error: NotForkedError) -> None:
        if not self._has_ended:
            self._tell(f"{target}: each trial imports it by itself ({error})")

    def _prepared(self, argument: object) -> TiedProcess | None:
        """Return the process that has been prepared for this, if one has."""
        process = self._next
        if process is None:
            return None
        if process.argument is not argument:
            self._end_prepared()
            return None
        self._next = None
        return process

    def _end_prepared(self) -> None:
        process, self._next = self._next, None
        if process is not None:
            process.kill()
            self._end(process)

    def _end(self, process: TiedProcess) -> None:
        self._live.discard(process)
        process.end()


def _hung(limit_s: float) -> TrialError:
    return TrialError(
        f"hung: no result within {limit_s:g} s (--time-limit), killed", Hang.TIME_LIMIT
    )


def _kill_all(processes: dict[str, ProcessToFork | None]) -> None:
    for process in processes.values():
        if process is not None:
            process.kill()


def import_ahead(*modules: str) -> None:
    """Import what the end of a run needs, while the server of trials imports what they need.

    A machine of two cores does both in the time of one; and nothing is imported between two
    trials, which would slow the second one down.

    Args:
        modules: Of rooms above this one; what statistics need is imported in any case.
    """
    for module in (*_FOR_STATISTICS, *modules):
        importlib.import_module(module)


def _load(target: str, _turn: Turn) -> None:
    hold_no_secrets(os.environ)
    keep_telemetry_quiet(os.environ)
    stay_on_this_machine()
    require_target(target)
