"""A process that has imported a target, and is forked for each of the target's trials.

To import an agent and its framework takes seconds of CPU, and the sessions of a trial a fraction of
one. Where a target has many trials, one process imports it, and each trial is a fork of that one:

    server of trials ─ supervisor ─ process with the target ┬ supervisor ─ trial
                                                            └ supervisor ─ trial

Whether forks would be what trials of their own are is for that process to find out (``trial.
imported``). If not, or once it is not so any more, ``NotForkedError`` says why, and the target's
trials are forked from the server of trials as ever.

The process is a trial's in all else: what it starts ends with it, and it ends with its parent. It
takes no part in a trial, and none is lost but with it. A fork gets its pipe and its leash from the
parent by a socket, tells its end by a third descriptor, and is given what it is to do by its pipe:
so this process learns nothing of its trials, and remains as the import has left it.
"""

import os
import select
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Any, NoReturn, Protocol

from ...mocks.errors import TrialError, WarpbenchError, name_of, text_of
from ...mocks.network import Network
from ...mocks.network.namespace import isolate_network
from ...mocks.transports.registry import RESPX
from ..targets.loading import module_of_target
from ..trial.spec import NotForkedError, TrialSpec
from ..trial.turn import Turn
from .trial_process import (
    Child,
    Starts,
    TiedProcess,
    be_a_trials_process,
    begin_under_supervisor,
    from_server_of_trials,
    work_and_tell,
)

_STATUS = struct.Struct("i")
_FORK = b"f"
_DESCRIPTORS = 3
"""Of a fork: its pipe, its leash, and what its supervisor tells of its end by."""

IS_POSSIBLE = sys.platform == "linux"
"""Elsewhere a process that has imported a framework may not be forked safely."""


def may_be_imported(spec: TrialSpec) -> bool:
    """Say whether a cell's target is one that a process may import ahead of its trials.

    The lab's own targets are imported in any case, and a service as deployed never.
    """
    return bool(module_of_target(spec.cell.target)) and spec.cell.workers == 0


def may_be_forked(spec: TrialSpec) -> bool:
    """Say whether trials of a cell may be forked after the import of its target.

    In virtual time it makes no difference how long ago that was. The import reaches the mocked
    world as these trials do.
    """
    cell = spec.cell
    is_virtual = cell.clock.skips and not cell.clock.charges_cpu
    return is_virtual and cell.transport == RESPX.name and may_be_imported(spec)


class ForkedWork(Protocol):
    """What forks of a process are to do, in a process that is ready for it."""

    def require_unchanged(self) -> None:
        """Check that the process is still what a trial of its own would be.

        Raises:
            WarpbenchError: It is not; says why.
        """
        ...

    def run_trial(self, spec: TrialSpec, turn: Turn) -> object:
        """Run a trial in a fork."""
        ...

    def run_alone(self, spec: TrialSpec, turn: Turn) -> object:
        """Run sessions one after another in a fork; see ``trial.solo``."""
        ...


@dataclass(frozen=True, slots=True)
class _Errand:
    """What a fork is to do: a trial, or its sessions one after another."""

    spec: TrialSpec
    is_alone: bool


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a process cannot be forked, and whether it has imported its target all the same."""

    reason: str
    is_imported: bool


Prepares = Callable[[Any], ForkedWork]
"""Makes its process ready to be forked, with an argument; raises what keeps it from that."""


class ProcessToFork(TiedProcess):
    """A process that forks itself on demand, from any thread, until ``end``.

    Args:
        context: Starts it.
        prepares: Makes it ready.
        argument: With what.
        network: The network that it is in.
    """

    def __init__(
        self, context: ForkServerContext, prepares: Prepares, argument: object, network: Network
    ) -> None:
        self._one_at_a_time = threading.Lock()
        starts = from_server_of_trials(context, _serve_forks, prepares, argument, network)
        super().__init__(context, argument, starts)

    def require_ready(self, within_s: float) -> None:
        """Wait until it can be forked.

        Args:
            within_s: Real seconds to wait at most.

        Raises:
            NotForkedError: It cannot be, or has not got ready in time.
        """
        try:
            refusal = self.message(within_s)
        except (TimeoutError, TrialError) as error:
            raise NotForkedError(str(error) or "its import takes too long") from error
        if isinstance(refusal, _Refusal):
            raise NotForkedError(refusal.reason, is_imported=refusal.is_imported)

    def fork(self, context: ForkServerContext, spec: TrialSpec, *, is_alone: bool) -> "ForkedTrial":
        """Start a trial as a fork of this process.

        Args:
            context: Makes its pipes.
            spec: The trial.
            is_alone: Whether its sessions run one after another.

        Raises:
            NotForkedError: It cannot be forked any more.
        """
        return ForkedTrial(context, spec, self._start, is_alone=is_alone)

    def _start(self, pipe: "Connection[Any, Any]", leash: "Connection[Any, Any]") -> Child:
        told, tells = os.pipe()
        try:
            with self._one_at_a_time:
                with socket.socket(fileno=os.dup(self._pipe.fileno())) as control:
                    descriptors = pipe.fileno(), leash.fileno(), tells
                    socket.send_fds(control, [_FORK], descriptors)
                reply = self._pipe.recv()
        except (OSError, EOFError) as error:
            os.close(told)
            raise NotForkedError("the process with its import has ended") from error
        finally:
            os.close(tells)
        if not isinstance(reply, int):
            os.close(told)
            raise NotForkedError(str(reply))
        return _Fork(reply, told)


class ForkedTrial(TiedProcess):
    """A trial that is a fork; see ``TrialProcess``."""

    def __init__(
        self, context: ForkServerContext, spec: TrialSpec, starts: Starts, *, is_alone: bool
    ) -> None:
        super().__init__(context, spec, starts)
        with suppress(OSError):  # it has ended: who listens to it is told
            self._pipe.send(_Errand(spec, is_alone))


class _Fork:
    """The supervisor of a fork, which is nobody's child here."""

    def __init__(self, pid: int, told: int) -> None:
        self._pid = pid
        self._told = told
        self.exitcode: int | None = None

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, for so many real seconds at most."""
        if self.exitcode is not None:
            return
        poll = select.poll()
        poll.register(self._told, select.POLLIN)
        if poll.poll(None if timeout is None else timeout * 1_000):
            told = os.read(self._told, _STATUS.size)
            # One that tells nothing was killed: everything else it tells.
            (self.exitcode,) = _STATUS.unpack(told) if told else (-signal.SIGKILL,)

    def is_alive(self) -> bool:
        """Say whether it has not ended."""
        self.join(0)
        return self.exitcode is None

    def kill(self) -> None:
        """Kill it."""
        if self.is_alive():
            os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of what it tells its end by."""
        os.close(self._told)


def _serve_forks(
    prepares: Prepares,
    argument: object,
    network: Network,
    pipe: "Connection[object, object]",
    leash: "Connection[float, float]",
) -> None:
    """Be a process that is forked; its forks come back from here when they are done."""
    begin_under_supervisor(pipe, leash)
    be_a_trials_process()
    own = os.getpid()
    try:
        if network is Network.ISOLATED:
            isolate_network()
        work = prepares(argument)
    except BaseException as error:  # noqa: BLE001 - whatever it is, no trial is forked
        _refuse(pipe, own, error)
    if os.getpid() != own:  # a fork of the target's came back here
        os._exit(0)
    pipe.send(None)
    fork = _forked(pipe, work)
    errand = fork.recv()
    # A fork has a network of its own as well, or what one leaves behind would be there for others.
    work_and_tell(work.run_alone if errand.is_alone else work.run_trial, errand.spec, network, fork)


def _refuse(pipe: "Connection[object, object]", own: int, error: BaseException) -> NoReturn:
    """Say why this process cannot be forked, and end it with all that the target has started."""
    if os.getpid() == own:
        reason = text_of(error) if isinstance(error, WarpbenchError) else name_of(error)
        is_imported = isinstance(error, NotForkedError) and error.is_imported
        with suppress(OSError):
            pipe.send(_Refusal(reason, is_imported))
    os._exit(0)


def _forked(pipe: "Connection[object, object]", work: ForkedWork) -> "Connection[Any, Any]":
    """Fork this process whenever that is asked for; return the pipe of a fork, in the fork."""
    control = socket.socket(fileno=os.dup(pipe.fileno()))
    while True:
        asked, descriptors, _, _ = socket.recv_fds(
            control, len(_FORK), _DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
        )
        if not asked:  # nobody wants forks any more
            os._exit(0)
        _let_go_of_ended()
        reply: object
        try:
            work.require_unchanged()
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:  # or each fork would print what is left in it
                    stream.flush()
            reply = os.fork()
        except (OSError, WarpbenchError) as error:
            reply = text_of(error)
        if reply == 0:
            control.close()
            pipe.close()
            return _begin_fork(*descriptors)
        for each in descriptors:
            os.close(each)
        with suppress(OSError):
            pipe.send(reply)


def _begin_fork(pipe: int, leash: int, tells: int) -> "Connection[Any, Any]":
    own: Connection[Any, Any] = Connection(pipe)
    begin_under_supervisor(
        own, Connection(leash), lambda status: os.write(tells, _STATUS.pack(status))
    )
    os.close(tells)
    return own


def _let_go_of_ended() -> None:
    """Let the supervisors go that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
