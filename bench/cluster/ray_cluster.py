"""Ray as the cluster: the one module that imports it, when a cluster is opened and not before.

Ray places an actor on a node and carries bytes to it and back. It retries nothing: an actor that
ends is a worker that is lost, and what becomes of its trial is decided in ``schedule``.
"""

import os
import secrets
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from ...mocks.errors import UsageError, text_of
from ...mocks.input_files import system_reason
from ...mocks.network import Network
from ..results.node import Node
from ..results.played import Solo
from ..results.trial_result import TrialResult
from ..runner.trial_process import interrupts_held_back
from ..trial.machine import available_cores
from ..trial.spec import NotApplicable, TrialSpec
from .leases import NoWorkerError, WorkerLostError
from .node_process import NodeSettings, alone_reply, alone_request, trial_reply, trial_request
from .on_node import Gone, OnNode
from .slots import Slot, Slots

ADDRESS = "RAY_ADDRESS"
"""The variable that names a cluster which is there; without it, one is started on this machine."""

_PREFIX = "RAY_"
_LEAST_STORE_BYTES = 200 * 2**20
_LEASES_WITHIN_S = 120.0
_ANSWERS_WITHIN_S = 10.0
_LONGEST_FOLDER = 30
_SHORT_FOLDER = "/tmp"  # noqa: S108 - a folder of its own is made in it
_LONGEST_REASON = 160

_NOT_SENT = (".env*", ".git", ".venv", "venv", "env", "results", "node_modules", "__pycache__")
"""What of the working directory no node gets: secrets, history, environments, results."""

_OF_LOCAL_CLUSTER: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # In spite of its name: with it Ray binds to loopback alone, on every system.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    # Its workers give way to all else otherwise, and trials with them.
    "RAY_worker_niceness": "0",
}


class RayCluster:
    """A cluster of Ray, until ``close``.

    Attributes:
        size: How many workers it lends.
        started_in_s: How long the start of a local one took; ``None`` for one that was there.

    Args:
        time_limit_s: Real seconds after which a trial is killed.
        network: The network that each is in.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, time_limit_s: float, network: Network) -> None:
        self._time_limit_s = time_limit_s
        self._network = network
        self._lock = threading.Lock()
        self._actors: set[Any] = set()
        self._is_closed = False
        self._folder: str | None = None
        self._address = os.environ.get(ADDRESS) or None
        self._variables_before = dict(os.environ)
        began_s = time.monotonic()
        if self._address is None:
            os.environ.update(_OF_LOCAL_CLUSTER, RAY_AUTH_TOKEN=secrets.token_hex(32))
        try:
            self._ray = _imported()
        except UsageError:
            _restore(self._variables_before)
            raise
        try:
            with _signals_kept():
                self._connect()
            self._slots = Slots(self._cores())
        except BaseException as error:
            self.close()
            if isinstance(error, SystemExit):  # Ray's answer to SIGTERM while it starts
                signal.raise_signal(signal.SIGTERM)
            if isinstance(error, Exception):
                where = "on this machine" if self._address is None else f"at {self._address}"
                raise UsageError(f"--on ray: no cluster {where}: {_line(error)}") from error
            raise
        self.size = self._slots.count
        self.started_in_s = time.monotonic() - began_s if self._address is None else None

    def _connect(self) -> None:
        usual = {"log_to_driver": False, "logging_level": "error", "configure_logging": False}
        if self._address is not None:
            _require_answer(self._address)
            # What it would leave out by itself, and say so, is among what is left out here.
            os.environ["RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES"] = ""
            env = {"working_dir": str(_here()), "excludes": list(_NOT_SENT)}
            self._ray.init(address=self._address, runtime_env=env, **usual)
            return
        self._folder = tempfile.mkdtemp(prefix="ray-", dir=_short_folder())
        self._ray.init(
            address="local",
            num_cpus=available_cores(),
            include_dashboard=False,
            object_store_memory=_LEAST_STORE_BYTES,
            _node_ip_address="127.0.0.1",
            _temp_dir=self._folder,
            **usual,
        )

    def _cores(self) -> dict[str, int]:
        return {
            node["NodeID"]: int(node["Resources"].get("CPU", 0))
            for node in self._ray.nodes()
            if node["Alive"]
        }

    def lease(self) -> "RayWorker":
        """Start an actor on a core that has none; see ``Cluster``."""
        reason = "all cores of the cluster have a worker"
        for _ in range(self.size):
            slot = None if self._is_closed else self._slots.take()
            if slot is None:
                break
            try:
                return self._worker_at(slot)
            except (self._ray.exceptions.RayError, WorkerLostError, TimeoutError) as error:
                reason = _line(error)
                self._slots.give_back(slot)
        raise NoWorkerError(reason)

    def _worker_at(self, slot: Slot) -> "RayWorker":
        at_node = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        remote = self._ray.remote(
            num_cpus=1,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=at_node(node_id=slot.node, soft=False),
        )(OnNode)
        settings = NodeSettings(
            time_limit_s=self._time_limit_s,
            network=self._network,
            core=slot.core,
            of_cores=slot.of_cores,
        )
        folder = str(_here()) if self._address is None else None
        actor = remote.remote(settings, folder)
        with self._lock:
            self._actors.add(actor)
        try:
            node = self._node_of(actor)
        except BaseException:
            self._kill(actor)
            raise

        def close() -> None:
            self._kill(actor)
            self._slots.give_back(slot)

        return RayWorker(self._ray, actor, node, close)

    def _node_of(self, actor: Any) -> Node:
        """Return the node that an actor is on, once it is there."""
        node: Node | Gone = self._ray.get(actor.node.remote(), timeout=_LEASES_WITHIN_S)
        if isinstance(node, Gone):
            raise WorkerLostError(node.reason)
        return node

    def _kill(self, actor: Any) -> None:
        with self._lock:
            self._actors.discard(actor)
        with suppress(Exception):  # the cluster may be gone
            self._ray.kill(actor)

    def close(self) -> None:
        """End all actors, and with them what they run; then the cluster, if it was started here."""
        with interrupts_held_back():
            self._is_closed = True
            with self._lock:
                actors = tuple(self._actors)
            for actor in actors:
                self._kill(actor)
            with suppress(Exception), _signals_kept():
                self._ray.shutdown()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            _restore(self._variables_before)


class RayWorker:
    """An actor, and the process of its trials.

    Args:
        ray: The library.
        actor: The actor, an ``OnNode``.
        node: The node that it is on.
        close: Ends it.
    """

    def __init__(self, ray: ModuleType, actor: Any, node: Node, close: Any) -> None:
        self._ray = ray
        self._actor = actor
        self.node = node
        self.close = close

    def run(self, spec: TrialSpec, then: TrialSpec | None) -> TrialResult | NotApplicable:
        """Run one trial; see ``Worker``."""
        return trial_reply(self._exchange(trial_request(spec, then)))

    def run_alone(self, spec: TrialSpec) -> Solo:
        """Run sessions one after another; see ``Worker``."""
        return alone_reply(self._exchange(alone_request(spec)))

    def _exchange(self, request: bytes) -> bytes:
        try:
            reply: bytes | Gone = self._ray.get(self._actor.exchange.remote(request))
        except self._ray.exceptions.RayError as error:
            raise WorkerLostError(_line(error)) from error
        if isinstance(reply, Gone):
            raise WorkerLostError(reply.reason)
        return reply


def _imported() -> ModuleType:
    try:
        import ray  # noqa: PLC0415 - only who asks for it has it
        import ray.exceptions  # noqa: PLC0415
        import ray.util.scheduling_strategies  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "--on ray: Ray is not installed here: pip install 'warpbench[ray]'"
        ) from error
    module: ModuleType = ray
    return module


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Undo what is done to the handlers of signals in this scope: they are the command's."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


def _require_answer(address: str) -> None:
    """Check that something answers at an address: Ray itself would try for minutes, and print.

    Args:
        address: Host and port, or a name that Ray resolves, such as ``auto``.

    Raises:
        OSError: Nothing does.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal() and "//" not in host:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_WITHIN_S).close()


def _short_folder() -> str:
    """Return where Ray's files go: the path of a socket may have some hundred bytes at most."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= _LONGEST_FOLDER else _SHORT_FOLDER


def _restore(variables: Mapping[str, str]) -> None:
    """Undo what was done to Ray's variables of the environment."""
    for name in (each for each in tuple(os.environ) if each.startswith(_PREFIX)):
        del os.environ[name]
    os.environ.update({name: each for name, each in variables.items() if name.startswith(_PREFIX)})


def _here() -> str:
    return os.getcwd()  # noqa: PTH109 - Ray takes a text


def _line(error: BaseException) -> str:
    """Return the first line of what Ray says, which may be a page; the system's own words."""
    if isinstance(error, OSError):
        return system_reason(error)
    return " ".join((text_of(error).splitlines() or [type(error).__name__])[0].split())[
        :_LONGEST_REASON
    ]
