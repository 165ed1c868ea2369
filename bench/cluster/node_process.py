"""The process on a node that runs the trials of one lease: both sides of the pipe to it.

It is a fresh Python, in which whoever starts it has no part: nothing of a cluster's library is
imported there or in what it starts, and none of its variables are in the environment. It runs
trials as a command does on one machine (``TrialProcesses``), on one core where that is given. It
ends when its parent does, however that ends; and with it all that it has started.
"""

import os
import pickle
import platform
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from ...mocks.errors import Hang, TargetError, TrialError, UsageError, WarpbenchError
from ...mocks.network import Network
from ..results.node import Node, NodeKind
from ..results.played import Solo
from ..results.trial_result import TrialResult
from ..runner.processes import TrialProcesses
from ..trial.machine import available_cores
from ..trial.spec import NotApplicable, TrialSpec
from .leases import WorkerLostError

# Without a main module of its own: each trial would import it again.
_PROGRAM = "from warpbench.bench.cluster.node_process import serve; serve({descriptor})"
_ENDS_WITHIN_S = 5.0
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """How trials run on a node.

    Attributes:
        time_limit_s: Real seconds after which a trial is killed.
        network: The network that each is in.
        core: Which of the cores that the process may run on it keeps to, by their order; ``None``
            for all.
        of_cores: How many there are to be: where there are others, it keeps to none.
    """

    time_limit_s: float
    network: Network
    core: int | None = None
    of_cores: int = 0


@dataclass(frozen=True, slots=True)
class _RunTrial:
    spec: TrialSpec
    then: TrialSpec | None


@dataclass(frozen=True, slots=True)
class _RunAlone:
    spec: TrialSpec


@dataclass(frozen=True, slots=True)
class _Failed:
    """What went wrong with a trial; ``hang`` says how one cannot go on."""

    message: str
    is_usage: bool
    hang: Hang | None = None


class NodeProcess:
    """A process for the trials of one lease, until ``close``.

    Args:
        settings: How trials run.
        environ: Its environment variables.
        folder: Its current directory, from which targets are loaded; ``None`` for that of this
            process.

    Raises:
        WorkerLostError: It cannot be started.
    """

    def __init__(
        self, settings: NodeSettings, environ: Mapping[str, str], folder: str | None = None
    ) -> None:
        self._pipe, theirs = Pipe()
        program = _PROGRAM.format(descriptor=theirs.fileno())
        try:
            # In a session of its own no signal of the terminal reaches it.
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-P", "-c", program],
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerLostError(f"its process cannot be started: {error}") from error
        finally:
            theirs.close()
        self.node: Node = pickle.loads(self.exchange(pickle.dumps(settings)))  # noqa: S301

    def exchange(self, request: bytes) -> bytes:
        """Send a request, and return the reply to it.

        Args:
            request: One of ``trial_request`` or ``alone_request``.

        Raises:
            WorkerLostError: The process has ended.
        """
        try:
            self._pipe.send_bytes(request)
            return self._pipe.recv_bytes()
        except (OSError, EOFError):
            status = self._process.poll()
            how = "" if status is None else f" with status {status}"
            raise WorkerLostError(f"the process of its trials ended{how}") from None

    def close(self) -> None:
        """End it, and what it runs; from any thread."""
        self._process.kill()
        self._process.wait(_ENDS_WITHIN_S)


def trial_request(spec: TrialSpec, then: TrialSpec | None) -> bytes:
    """Return the request to run a trial, as ``Worker.run`` has it."""
    return pickle.dumps(_RunTrial(spec, then), pickle.HIGHEST_PROTOCOL)


def alone_request(spec: TrialSpec) -> bytes:
    """Return the request to run sessions alone, as ``Worker.run_alone`` has it."""
    return pickle.dumps(_RunAlone(spec), pickle.HIGHEST_PROTOCOL)


def trial_reply(reply: bytes) -> TrialResult | NotApplicable:
    """Return what came of a trial; raise what it failed of."""
    found = _answer(reply)
    assert isinstance(found, TrialResult | NotApplicable)
    return found


def alone_reply(reply: bytes) -> Solo:
    """Return what sessions did alone; raise what they failed of."""
    found = _answer(reply)
    assert isinstance(found, Solo)
    return found


def _answer(reply: bytes) -> object:
    # From a process that runs what this one sent to it: whoever could alter it is there already.
    found: object = pickle.loads(reply)  # noqa: S301
    if isinstance(found, _Failed):
        if found.is_usage:
            raise TargetError(found.message)
        raise TrialError(found.message, found.hang)
    return found


def serve(descriptor: int) -> None:
    """Be the process of a lease, until the other end of its pipe is closed."""
    pipe: Connection[Any, Any] = Connection(descriptor)
    os.set_inheritable(descriptor, False)
    settings: NodeSettings = pickle.loads(pipe.recv_bytes())  # noqa: S301
    _keep_to_core(settings)
    with suppress(AttributeError, OSError):  # not everybody may, and not every system can
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    processes = TrialProcesses(settings.time_limit_s, network=settings.network)
    processes.start()
    pipe.send_bytes(pickle.dumps(node_of_here(settings.of_cores or available_cores())))
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, requests), daemon=True).start()
    prepared: TrialSpec | None = None
    while True:
        request = pickle.loads(requests.get())  # noqa: S301
        # The trial that was prepared is known by being that very object.
        if isinstance(request, _RunTrial) and request.spec == prepared:
            request = _RunTrial(prepared, request.then)
        prepared = request.then if isinstance(request, _RunTrial) else prepared
        reply = _reply_to(request, processes)
        pipe.send_bytes(pickle.dumps(reply, pickle.HIGHEST_PROTOCOL))


def _receive(pipe: "Connection[Any, Any]", requests: "queue.SimpleQueue[bytes]") -> None:
    """Pass on requests; at their end, end this process: trials end with it (see ``supervisor``)."""
    try:
        while True:
            requests.put(pipe.recv_bytes())
    finally:
        os._exit(0)


def _reply_to(request: _RunTrial | _RunAlone, processes: TrialProcesses) -> object:
    try:
        if isinstance(request, _RunAlone):
            return processes.run_alone(request.spec)
        return processes.run(request.spec, request.then)
    except TrialError as error:
        return _Failed(str(error), is_usage=False, hang=error.hang)
    except UsageError as error:
        return _Failed(str(error), is_usage=True)
    except WarpbenchError as error:
        return _Failed(str(error), is_usage=False)


def _keep_to_core(settings: NodeSettings) -> None:
    """Keep this process, and all that it starts, to its core.

    Where a container sees more cores than it was given, the number of one says nothing.
    """
    if settings.core is None or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == settings.of_cores:
        os.sched_setaffinity(0, {cores[settings.core]})


def node_of_here(cores: int) -> Node:
    """Return what is known of this machine.

    Args:
        cores: How many cores the lab's processes have there.
    """
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return Node(
        host=platform.node(),
        kind=NodeKind(
            processor=_processor(), cores=cores, python=python, system=platform.platform()
        ),
    )


def _processor() -> str:
    """Return the model of the processor, as the kernel names it, or else its architecture."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
