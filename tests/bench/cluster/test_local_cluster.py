"""The processes of this machine as a cluster."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from warpbench.bench.cluster.leases import NoWorkerError, WorkerLostError
from warpbench.bench.cluster.local_cluster import LocalCluster, LocalWorker
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TargetError
from warpbench.mocks.network import Network

from .test_measurement import specs

TIME_LIMIT_S = 60


@pytest.fixture(scope="module")
def lost() -> Iterator[tuple[LocalCluster, LocalWorker]]:
    """A cluster of one core, and its worker, which has been ended."""
    cluster = LocalCluster(TIME_LIMIT_S, Network.SHARED)
    cluster._free[1:] = []
    worker = cluster.lease()
    with pytest.raises(NoWorkerError):
        cluster.lease()
    worker._process.close()
    yield cluster, worker
    cluster.close()


@pytest.fixture(scope="module")
def worker(lost: tuple[LocalCluster, LocalWorker]) -> LocalWorker:
    """The next worker on that core."""
    cluster, ended = lost
    (spec,) = specs("gather", loads=(2,), clock=ClockMode.VIRTUAL)
    with pytest.raises(WorkerLostError, match="the process of its trials ended"):
        ended.run(spec, None)
    ended.close()
    return cluster.lease()


def test_once_a_worker_was_ended_another_measures_what_this_process_would(
    worker: LocalWorker,
) -> None:
    (spec,) = specs("gather", loads=(2,), clock=ClockMode.VIRTUAL)

    with prepared_here(spec, spec.cell.target) as measure:
        assert callable(measure)
        here = measure()
    there = worker.run(spec, None)

    assert isinstance(there, TrialResult)
    assert here.samples == there.samples
    assert here.ideal_latencies_ns == there.ideal_latencies_ns


def test_what_is_wrong_with_a_target_comes_back_as_that(worker: LocalWorker) -> None:
    (spec,) = specs("gather", loads=(2,), clock=ClockMode.VIRTUAL)
    missing = replace(spec, cell=replace(spec.cell, target="no_such_module:build"))

    with pytest.raises(TargetError, match="no_such_module"):
        worker.run(missing, None)
