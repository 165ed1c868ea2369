"""Runs each trial in a fresh process, forked from a server that has the imports done.

A trial that crashes, is killed or exceeds its time becomes a ``TrialError`` with the
reason; it takes nobody with it.
"""

import importlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from ...mocks.child_process import exit_reason
from ...mocks.errors import ClockError, TargetError, TrialError, WarpbenchError
from ...mocks.sandbox import hold_no_secrets
from ..results.trial_result import TrialResult
from ..targets.loading import load_factory
from ..trial.spec import NotApplicable, TrialSpec
from ..trial.trial import run_trial

# A trial's process runs the main module of its parent's, hence the command line.
_PRELOADED = ["warpbench.bench.cli.main", "warpbench.bench.runner.preloaded"]
_FOR_STATISTICS = ("scipy.stats",)
_GRACE_S = 2.0
_INTERRUPTS = frozenset({signal.SIGINT, signal.SIGTERM})


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a trial's process says of an exception."""

    message: str
    is_target_error: bool


class TrialProcesses:
    """Starts trials, and waits for each; several threads may have one under way each.

    Args:
        time_limit_s: Real seconds after which a trial is killed.
        work: What a trial's process runs; a test may put in something that crashes.
    """

    def __init__(
        self,
        time_limit_s: float,
        work: Callable[[TrialSpec], TrialResult | NotApplicable] = run_trial,
    ) -> None:
        self._time_limit_s = time_limit_s
        self._work = work
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        self._live: set[ForkServerProcess] = set()
        self._has_ended = False

    def start(self) -> None:
        """Start the server that trials are forked from, and do not wait for its imports."""
        resource_tracker.ensure_running()
        with _interrupts_held_back():
            forkserver.ensure_running()

    def run(self, spec: TrialSpec) -> TrialResult | NotApplicable:
        """Run one trial to its end.

        Raises:
            TargetError: The target cannot be used.
            TrialError: The trial failed, crashed, was killed or took too long.
        """
        result = self._in_a_process(self._work, spec)
        assert isinstance(result, TrialResult | NotApplicable)
        return result

    def check_target(self, name: str) -> None:
        """Load a target in a process of its own, so that a bad name is told before a run.

        Raises:
            TargetError: The target cannot be loaded.
            TrialError: Loading it crashed or took too long.
        """
        self._in_a_process(_load, name)

    def kill(self) -> None:
        """End the trials that other threads have under way or begin; they fail there."""
        self._has_ended = True
        for process in tuple(self._live):
            process.kill()

    def _in_a_process(self, work: Callable[[Any], object], argument: object) -> object:
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_serve, args=(work, argument, sender))
        try:
            # Where it has to be started, it lets signals through again that are held back.
            resource_tracker.ensure_running()
            # Interrupted half-way, a start would leave a trial that nobody knows of; and the
            # server of trials, which the first one starts, would die of it with a traceback.
            with _interrupts_held_back():
                process.start()
            self._live.add(process)
            sender.close()
            # Asked after it is among the live ones: whichever comes first, one of both sees it.
            if self._has_ended:
                process.kill()
            if not wait([receiver], timeout=self._time_limit_s):
                raise TrialError(
                    f"hung: no result within {self._time_limit_s:g} s (--time-limit), killed"
                )
            return self._received(receiver, process)
        except KeyboardInterrupt:
            if process.is_alive():
                process.kill()
            raise
        finally:
            self._live.discard(process)
            receiver.close()
            if process.is_alive():
                process.join(_GRACE_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()

    def _received(
        self, receiver: "Connection[object, object]", process: ForkServerProcess
    ) -> object:
        try:
            message = receiver.recv()
        except EOFError:
            process.join(_GRACE_S)
            raise TrialError(f"crashed: {_exit_reason(process.exitcode)}") from None
        if isinstance(message, _Failure):
            error_type = TargetError if message.is_target_error else TrialError
            raise error_type(message.message)
        return message


def import_ahead(*modules: str) -> None:
    """Import what the end of a run needs, while the server of trials imports what they need.

    A machine of two cores does both in the time of one; and nothing is imported between two
    trials, which would slow the second one down.

    Args:
        modules: Of rooms above this one; what statistics need is imported in any case.
    """
    for module in (*_FOR_STATISTICS, *modules):
        importlib.import_module(module)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM strike after this scope, and not inside it."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _load(target: str) -> None:
    hold_no_secrets(os.environ)
    load_factory(target)


def _serve(
    work: Callable[[Any], object],
    argument: object,
    sender: "Connection[object, object]",
) -> None:
    # Ctrl-C goes to the whole group; the parent decides what becomes of its trials.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
    message: object
    try:
        message = work(argument)
    except TargetError as error:
        message = _Failure(str(error), is_target_error=True)
    except WarpbenchError as error:
        first = _first_failure(error)
        message = _Failure(f"{type(first).__name__}: {first}", is_target_error=False)
    except BaseException as error:  # noqa: BLE001 - the last frame of the process: say why
        last = traceback.extract_tb(error.__traceback__)[-1:]
        where = f" ({last[0].filename}:{last[0].lineno})" if last else ""
        message = _Failure(f"{type(error).__name__}: {error}{where}", is_target_error=False)
    sender.send(message)
    sender.close()


def _first_failure(error: BaseException) -> BaseException:
    """Return the failure of the clock that led to others: who waits for the blocked one to end."""
    while isinstance(error, ClockError) and isinstance(error.__cause__, ClockError):
        error = error.__cause__
    return error


def _exit_reason(exit_code: int | None) -> str:
    return "its process closed the connection" if exit_code is None else exit_reason(exit_code)
