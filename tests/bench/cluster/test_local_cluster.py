"""The processes of this machine as a cluster."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from warpbench.bench.cluster.leases import NoWorkerError, WorkerLostError
from warpbench.bench.cluster.local_cluster import LocalCluster, LocalWorker
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TargetError
from warpbench.mocks.network import Network

from .test_measurement import specs

TIME_LIMIT_S = 60


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    cluster = LocalCluster(TIME_LIMIT_S, Network.SHARED)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def worker(cluster: LocalCluster) -> LocalWorker:
    return cluster.lease()


def test_a_worker_measures_in_virtual_time_what_this_process_would(worker: LocalWorker) -> None:
    (spec,) = specs("gather", loads=(2,), clock=ClockMode.VIRTUAL)

    here, there = TrialProcesses(TIME_LIMIT_S).run(spec), worker.run(spec, None)

    assert isinstance(here, TrialResult)
    assert isinstance(there, TrialResult)
    assert here.samples == there.samples
    assert here.ideal_latencies_ns == there.ideal_latencies_ns


def test_what_is_wrong_with_a_target_comes_back_as_that(worker: LocalWorker) -> None:
    (spec,) = specs("gather", loads=(2,), clock=ClockMode.VIRTUAL)
    missing = replace(spec, cell=replace(spec.cell, target="no_such_module:build"))

    with pytest.raises(TargetError, match="no_such_module"):
        worker.run(missing, None)


def test_a_worker_that_was_ended_is_lost_and_its_core_is_free() -> None:
    cluster = LocalCluster(TIME_LIMIT_S, Network.SHARED)
    cluster._free[1:] = []
    (spec,) = specs("gather", loads=(2,), clock=ClockMode.VIRTUAL)
    worker = cluster.lease()
    with pytest.raises(NoWorkerError):
        cluster.lease()

    worker._process.close()
    with pytest.raises(WorkerLostError, match="the process of its trials ended"):
        worker.run(spec, None)
    worker.close()

    again = cluster.lease()
    assert isinstance(again.run(spec, None), TrialResult)
    cluster.close()
