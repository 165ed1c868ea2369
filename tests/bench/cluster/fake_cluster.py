"""A cluster in this process, whose workers are lost when a test says so."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from warpbench.bench.cluster.leases import NoWorkerError, WorkerLostError
from warpbench.bench.results.node import Node, NodeKind
from warpbench.bench.results.played import Solo
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.errors import TrialError

from ...built import TRIAL

KIND = NodeKind(processor="Model 1", cores=2, python="CPython 3.11.7", system="Linux")
OTHER_KIND = replace(KIND, processor="Model 2")

SECOND_NS = 1_000_000_000

Comes = Callable[[TrialSpec], TrialResult | NotApplicable | TrialError]


def measured(spec: TrialSpec) -> TrialResult:
    """What a trial measures here: its sessions run one after another, a second each."""
    numbers = range(spec.cell.session_count) if spec.only is None else spec.only
    samples = tuple(
        SessionSample(number, Outcome.SUCCEEDED, place * SECOND_NS, (place + 1) * SECOND_NS)
        for place, number in enumerate(numbers)
    )
    return replace(
        TRIAL,
        samples=samples,
        makespan_ns=len(samples) * SECOND_NS,
        ideal_latencies_ns=(SECOND_NS,) * len(samples),
    )


class FakeCluster:
    """Workers in this process.

    Args:
        size: How many.
        is_lost: Asked before each trial, with how many were begun before: whether its worker goes.
        comes: What comes of a trial.
        most_leases: How many workers it lends in all.
        kinds: The kinds of nodes, in turn.
    """

    def __init__(
        self,
        size: int = 2,
        is_lost: Callable[[int], bool] = lambda _: False,
        comes: Comes = measured,
        *,
        most_leases: int = 10_000,
        kinds: tuple[NodeKind, ...] = (KIND,),
    ) -> None:
        self.size = size
        self.ran: Counter[str] = Counter()
        self.ran_by: list[tuple[str, TrialSpec]] = []
        self.is_closed = False
        self._is_lost = is_lost
        self._comes = comes
        self._most_leases = most_leases
        self._kinds = kinds
        self._lock = threading.Lock()
        self._leases = 0
        self._begun = 0

    def lease(self) -> "FakeWorker":
        with self._lock:
            if self._leases >= self._most_leases:
                raise NoWorkerError("no node is left")
            number = self._leases
            self._leases += 1
        kind = self._kinds[number % len(self._kinds)]
        return FakeWorker(self, Node(host=f"node-{number}", kind=kind))

    def run(self, spec: TrialSpec, host: str) -> TrialResult | NotApplicable:
        with self._lock:
            is_lost = self._is_lost(self._begun)
            self._begun += 1
            self.ran_by.append((host, spec))
        if is_lost:
            raise WorkerLostError("killed")
        found = self._comes(spec)
        if isinstance(found, TrialError):
            raise found
        return found

    def close(self) -> None:
        self.is_closed = True


class FakeWorker:
    def __init__(self, cluster: FakeCluster, node: Node) -> None:
        self.node = node
        self._cluster = cluster

    def run(self, spec: TrialSpec, then: TrialSpec | None) -> TrialResult | NotApplicable:
        return self._cluster.run(spec, self.node.host)

    def run_alone(self, spec: TrialSpec) -> Solo:
        return Solo()

    def close(self) -> None: ...
