"""The processes of this machine, lent as a cluster lends workers: a core each."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress

from ...mocks.network import Network
from ..results.node import Node
from ..results.played import Solo
from ..results.trial_result import TrialResult
from ..trial.machine import available_cores
from ..trial.spec import NotApplicable, TrialSpec
from .leases import NoWorkerError, WorkerLostError
from .node_process import (
    NodeProcess,
    NodeSettings,
    alone_reply,
    alone_request,
    trial_reply,
    trial_request,
)


class LocalWorker:
    """A process of this machine, on a core of its own.

    Args:
        process: The process.
        given_back: Called when it is given back.
    """

    def __init__(self, process: NodeProcess, given_back: Callable[[], None]) -> None:
        self._process = process
        self._given_back = given_back

    @property
    def node(self) -> Node:
        """This machine."""
        return self._process.node

    def run(self, spec: TrialSpec, then: TrialSpec | None) -> TrialResult | NotApplicable:
        """Run one trial; see ``Worker``."""
        return trial_reply(self._process.exchange(trial_request(spec, then)))

    def run_alone(self, spec: TrialSpec) -> Solo:
        """Run sessions one after another; see ``Worker``."""
        return alone_reply(self._process.exchange(alone_request(spec)))

    def close(self) -> None:
        """End the process."""
        self._process.close()
        self._given_back()


class LocalCluster:
    """As many processes as this machine has cores.

    Args:
        time_limit_s: Real seconds after which a trial is killed.
        network: The network that each is in.
    """

    def __init__(self, time_limit_s: float, network: Network) -> None:
        self._time_limit_s = time_limit_s
        self._network = network
        self._lock = threading.Lock()
        self._free = list(range(available_cores()))
        self._live: set[NodeProcess] = set()
        self._is_closed = False
        self.size = len(self._free)

    def lease(self) -> LocalWorker:
        """Start a process on a core that has none; see ``Cluster``."""
        with self._lock:
            core = self._free.pop(0) if self._free else None
        if core is None:
            raise NoWorkerError("all cores of this machine have a worker")
        settings = NodeSettings(
            time_limit_s=self._time_limit_s, network=self._network, core=core, of_cores=self.size
        )
        try:
            process = NodeProcess(settings, os.environ)
        except WorkerLostError as error:
            raise NoWorkerError(str(error)) from error
        with self._lock:
            self._live.add(process)
            is_closed = self._is_closed
        if is_closed:
            process.close()

        def give_back() -> None:
            with self._lock, suppress(KeyError):
                self._live.remove(process)
                self._free.append(core)

        return LocalWorker(process, give_back)

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._is_closed = True
            live = tuple(self._live)
        for process in live:
            process.close()
