"""One process that a trial runs in: started, given its turn, listened to, ended.

Both sides of the pipe between the two processes are here: ``TrialProcess`` is the parent's,
``serve`` the child's. Between them stands a supervisor (see ``supervisor``).

The child is forked from the server of trials, or from a process that has imported the trial's
target (see ``forked``). What is different is the place of the fork; ``serve`` is the same.
"""

import contextlib
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from typing import Any, Protocol

from ...mocks.child_process import exit_reason
from ...mocks.errors import (
    ClockError,
    ClockHangError,
    Hang,
    IsolationError,
    TargetError,
    TrialError,
    UsageError,
    WarpbenchError,
    name_of,
    text_of,
)
from ...mocks.input_files import system_reason
from ...mocks.network import Network
from ...mocks.network.namespace import isolate_network
from ...mocks.redaction import redact_what_is_printed
from ...mocks.standard_output import print_to_stderr
from ...mocks.supervisor import GRACE_S, Leash, end_like, fork_trial, stand_over
from ..trial.turn import Turn

Work = Callable[[Any, Turn], object]
"""What a process does with an argument; it tells its turn how far it is."""

_INTERRUPTS = frozenset({signal.SIGINT, signal.SIGTERM})


class Progress(Enum):
    """What a process sends before it sends what came of its work."""

    PREPARED = auto()
    SESSIONS_ENDED = auto()


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a trial's process says of an exception."""

    message: str
    is_target_error: bool
    hang: Hang | None = None
    choices: tuple[tuple[str, int, str], ...] = ()
    steps: tuple[object, ...] = ()
    cancelled: tuple[object, ...] = ()


class Child(Protocol):
    """A process that was started, as its parent has it; a ``Process`` of ``multiprocessing``."""

    @property
    def exitcode(self) -> int | None:
        """How it ended, as ``os.waitstatus_to_exitcode`` tells it; ``None`` if not known."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, for so many real seconds at most."""
        ...

    def is_alive(self) -> bool:
        """Say whether it has not ended."""
        ...

    def kill(self) -> None:
        """Kill it."""
        ...

    def close(self) -> None:
        """Let go of what the parent has of it."""
        ...


Starts = Callable[["Connection[Any, Any]", "Connection[Any, Any]"], Child]
"""Starts a process that has the other end of a pipe, and that of its leash."""


class TiedProcess:
    """A process at the other end of a pipe, until ``end``; it ends with this one in any case.

    Args:
        context: Makes the pipes.
        argument: What it works on.
        starts: Starts it.
    """

    def __init__(self, context: ForkServerContext, argument: object, starts: Starts) -> None:
        self.argument = argument
        self._pipe, theirs = context.Pipe()
        their_leash, self._leash = context.Pipe(duplex=False)
        # Taken off by whoever lets go of it first: one thread may kill what another ends, and a
        # descriptor that is closed twice may be somebody else's by then.
        self._held = [self._leash]
        try:
            self._process = starts(theirs, their_leash)
        finally:
            theirs.close()
            their_leash.close()

    def give_turn(self, limit_s: float) -> None:
        """Let it measure; one that has ended already is not told.

        Args:
            limit_s: Real seconds after which it is killed, even if this process cannot do so.
        """
        with contextlib.suppress(OSError):
            self._leash.send(limit_s)
            self._pipe.send(None)

    def message(self, within_s: float) -> object:
        """Return what it sends next: some ``Progress``, or what came of its work.

        Args:
            within_s: Real seconds to wait for it.

        Raises:
            TimeoutError: It sent nothing within that.
            TargetError: The target cannot be used.
            TrialError: The trial failed or crashed, or cannot have its network.
        """
        if not wait([self._pipe], timeout=max(0.0, within_s)):
            raise TimeoutError
        try:
            message = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join(GRACE_S)
            raise TrialError(f"crashed: {_exit_reason(self._process.exitcode)}") from None
        if isinstance(message, _Failure):
            if message.is_target_error:
                raise TargetError(message.message)
            raise TrialError(
                message.message, message.hang, message.choices, message.steps, message.cancelled
            )
        return message

    @staticmethod
    def having_sent(
        processes: Sequence["TiedProcess"], within_s: float
    ) -> tuple["TiedProcess", ...]:
        """Return those of some processes that have sent something, or have ended.

        Args:
            processes: The processes, at least one.
            within_s: Real seconds to wait for the first.

        Raises:
            TimeoutError: None has within that.
        """
        sent = wait([each._pipe for each in processes], timeout=max(0.0, within_s))
        if not sent:
            raise TimeoutError
        return tuple(each for each in processes if each._pipe in sent)

    def kill(self) -> None:
        """Kill it, and all that it has started, if it still runs."""
        with contextlib.suppress(IndexError):
            self._held.pop().close()

    def end(self) -> None:
        """Wait for its end, and kill it if that takes long."""
        self._pipe.close()
        self._process.join(GRACE_S)
        self.kill()
        self._process.join(2 * GRACE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


class TrialProcess(TiedProcess):
    """A process that works on one argument, until ``end``.

    Args:
        context: Starts it.
        work: What it does.
        argument: With what.
        network: The network that it is in.
    """

    def __init__(
        self, context: ForkServerContext, work: Work, argument: object, network: Network
    ) -> None:
        starts = from_server_of_trials(context, serve, work, argument, network)
        super().__init__(context, argument, starts)


def from_server_of_trials(
    context: ForkServerContext, serves: Callable[..., None], *arguments: object
) -> Starts:
    """Return what starts a process at the server of trials.

    Args:
        context: Its context.
        serves: Called in that process, with the arguments, its pipe and its leash.
        *arguments: What it is told.
    """

    def start(pipe: "Connection[Any, Any]", leash: "Connection[Any, Any]") -> Child:
        process = context.Process(target=serves, args=(*arguments, pipe, leash))
        # Where it has to be started, it lets signals through again that are held back.
        resource_tracker.ensure_running()
        # Interrupted half-way, a start would leave a process that nobody knows of; and the
        # server of trials, which the first one starts, would die of it with a traceback.
        with interrupts_held_back(), server_of_trials():
            process.start()
        return process

    return start


@contextmanager
def server_of_trials() -> Iterator[None]:
    """Say in one line what is wrong where the server that trials are forked from fails.

    Raises:
        UsageError: It cannot listen: the path of its socket is too long for the system.
        TrialError: It has gone; the next trial starts it anew.
    """
    try:
        yield
    except (EOFError, ConnectionError) as error:
        raise TrialError("crashed: the server that trials are forked from has ended") from error
    except OSError as error:
        raise UsageError(
            f"trials cannot be started: {system_reason(error)}; with a path that is too long, set "
            "TMPDIR to a folder with a shorter one"
        ) from error


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM strike after this scope, and not inside it."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


class _TurnOfParent:
    """The turn that the parent's process gives."""

    def __init__(self, pipe: "Connection[object, object]") -> None:
        self._pipe = pipe

    def begin(self) -> None:
        """Wait until the parent says so; without a parent there is nobody to measure for."""
        try:
            self._pipe.send(Progress.PREPARED)
            self._pipe.recv()
        except (EOFError, BrokenPipeError):
            raise SystemExit from None

    def end(self) -> None:
        """Tell the parent that the sessions have ended."""
        self._pipe.send(Progress.SESSIONS_ENDED)


def serve(
    work: Work,
    argument: object,
    network: Network,
    pipe: "Connection[object, object]",
    leash: "Connection[float, float]",
) -> None:
    """Be the process of a trial, and its supervisor; for a process that does nothing else."""
    begin_under_supervisor(pipe, leash)
    be_a_trials_process()
    work_and_tell(work, argument, network, pipe)


def begin_under_supervisor(
    pipe: "Connection[object, object]",
    leash: "Connection[float, float]",
    tell: Callable[[int], object] = lambda _status: None,
) -> None:
    """Fork: return in a process of its own, over which this one stands until its end.

    Args:
        pipe: That of the new process.
        leash: Of whoever wants it.
        tell: Told how it ended, by the supervisor.
    """
    # Ctrl-C goes to the whole group; the parent decides what becomes of its trials.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # In a session of its own no signal of the terminal ends a supervisor before its trial.
    os.setsid()
    trial = fork_trial()
    if trial != 0:
        pipe.close()  # or a trial that crashes would not be at the other end of it
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
        end_like(stand_over(trial, Leash(leash.fileno(), leash.recv), tell))
    leash.close()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)


def be_a_trials_process() -> None:
    """Keep this process from printing results, or secrets."""
    # Standard output is the command's: what a target prints, or what it starts, is no result.
    print_to_stderr()
    redact_what_is_printed()


def work_and_tell(
    work: Work, argument: object, network: Network, pipe: "Connection[object, object]"
) -> None:
    """Do the work of a process, and send what came of it, whatever it is."""
    own = os.getpid()
    message: object
    try:
        if network is Network.ISOLATED:
            isolate_network()
        message = work(argument, _TurnOfParent(pipe))
    except TargetError as error:
        message = _Failure(str(error), is_target_error=True)
    except IsolationError as error:
        message = _Failure(str(error), is_target_error=False)
    except WarpbenchError as error:
        first = _first_failure(error)
        message = _Failure(
            f"{name_of(first)}: {text_of(first)}",
            is_target_error=False,
            hang=first.hang if isinstance(first, ClockHangError) else None,
            choices=error.choices if isinstance(error, ClockError) else (),
            steps=error.steps if isinstance(error, ClockError) else (),
            cancelled=error.cancelled if isinstance(error, ClockError) else (),
        )
    except BaseException as error:  # noqa: BLE001 - the last frame of the process: say why
        last = traceback.extract_tb(error.__traceback__)[-1:]
        where = f" ({last[0].filename}:{last[0].lineno})" if last else ""
        message = _Failure(f"{name_of(error)}: {text_of(error)}{where}", is_target_error=False)
    if os.getpid() != own:  # a fork of the target's came back here
        os._exit(0)
    with contextlib.suppress(OSError):  # the parent has gone, or has no use for it any more
        pipe.send(message)
    pipe.close()


def _first_failure(error: BaseException) -> BaseException:
    """Return the failure of the clock that led to others: who waits for the blocked one to end."""
    while isinstance(error, ClockError) and isinstance(error.__cause__, ClockError):
        error = error.__cause__
    return error


def _exit_reason(exit_code: int | None) -> str:
    return "its process closed the connection" if exit_code is None else exit_reason(exit_code)
