"""One process that a trial runs in: started, given its turn, listened to, ended.

Both sides of the pipe between the two processes are here: ``TrialProcess`` is the parent's,
``_serve`` the child's. Between them stands a supervisor (see ``supervisor``).
"""

import contextlib
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from typing import Any

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

    SESSIONS_ENDED = auto()


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a trial's process says of an exception."""

    message: str
    is_target_error: bool
    hang: Hang | None = None
    choices: tuple[tuple[str, int, str], ...] = ()
    steps: tuple[object, ...] = ()


class TrialProcess:
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
        self.argument = argument
        self._pipe, theirs = context.Pipe()
        their_leash, self._leash = context.Pipe(duplex=False)
        # Taken off by whoever lets go of it first: one thread may kill what another ends, and a
        # descriptor that is closed twice may be somebody else's by then.
        self._held = [self._leash]
        self._process = context.Process(
            target=_serve, args=(work, argument, network, theirs, their_leash)
        )
        # Where it has to be started, it lets signals through again that are held back.
        resource_tracker.ensure_running()
        # Interrupted half-way, a start would leave a process that nobody knows of; and the
        # server of trials, which the first one starts, would die of it with a traceback.
        with interrupts_held_back(), server_of_trials():
            self._process.start()
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
            raise TrialError(message.message, message.hang, message.choices, message.steps)
        return message

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
            self._pipe.recv()
        except EOFError:
            raise SystemExit from None

    def end(self) -> None:
        """Tell the parent that the sessions have ended."""
        self._pipe.send(Progress.SESSIONS_ENDED)


def _serve(
    work: Work,
    argument: object,
    network: Network,
    pipe: "Connection[object, object]",
    leash: "Connection[float, float]",
) -> None:
    # Ctrl-C goes to the whole group; the parent decides what becomes of its trials.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # In a session of its own no signal of the terminal ends a supervisor before its trial.
    os.setsid()
    trial = fork_trial()
    if trial != 0:
        pipe.close()  # or a trial that crashes would not be at the other end of it
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
        end_like(stand_over(trial, Leash(leash.fileno(), leash.recv)))
    leash.close()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
    # Standard output is the command's: what a target prints, or what it starts, is no result.
    print_to_stderr()
    redact_what_is_printed()
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
