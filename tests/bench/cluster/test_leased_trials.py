"""Trials of the gate on the workers of a cluster: each is run, whoever is lost on the way."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.bench.cluster.leased_trials import LeasedTrials
from warpbench.bench.results.records import FindingKind
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TargetError, TrialError

from .fake_cluster import FakeCluster, measured
from .test_measurement import specs

CELLS = specs("gather", "threads", "taskgroup", loads=(1, 2, 3), clock=ClockMode.VIRTUAL)


def run_all(trials: LeasedTrials, cells: Sequence[TrialSpec] = CELLS) -> list[object]:
    def run(spec: TrialSpec) -> TrialResult | NotApplicable | TrialError:
        try:
            return trials.run(spec)
        except TrialError as error:
            return error

    with ThreadPoolExecutor(trials.at_once) as pool:
        return list(pool.map(run, cells))


def on(cluster: FakeCluster, check: Callable[[str], None] = lambda _: None) -> LeasedTrials:
    return LeasedTrials(cluster, check)


def test_each_trial_has_its_own_result_in_the_order_in_which_they_are_asked_for() -> None:
    trials = on(FakeCluster(3))

    assert run_all(trials) == [measured(spec) for spec in CELLS]
    assert trials.findings() == ()


def test_a_worker_runs_one_trial_after_another() -> None:
    cluster = FakeCluster(1)

    run_all(on(cluster))

    assert Counter(host for host, _ in cluster.ran_by) == {"node-0": len(CELLS)}


def test_as_many_run_at_one_time_as_the_cluster_lends_workers() -> None:
    together = threading.Barrier(3)  # it breaks unless three come

    def comes(spec: TrialSpec) -> TrialResult:
        together.wait(timeout=60)
        return measured(spec)

    assert run_all(on(FakeCluster(3, comes=comes))) == [measured(spec) for spec in CELLS]


def test_a_trial_that_is_lost_with_its_worker_is_run_on_another_and_that_is_told() -> None:
    cluster = FakeCluster(2, is_lost={0}.__contains__)
    trials = on(cluster)

    assert run_all(trials) == [measured(spec) for spec in CELLS]
    (told,) = trials.findings()
    assert told.kind is FindingKind.WORKER_LOST
    assert told.values["lost"] == told.values["repeated"] == 1
    assert told.values["reason"] == "killed"


def test_one_that_takes_three_workers_with_it_has_failed() -> None:
    trials = on(FakeCluster(1, is_lost=lambda _: True))

    with pytest.raises(TrialError, match="its worker was lost 3 times: node-2: killed"):
        trials.run(CELLS[0])
    assert trials.findings()[0].values == {
        "lost": 3,
        "repeated": 2,
        "host": "node-0",
        "reason": "killed",
    }


def test_with_fewer_workers_than_there_were_the_others_take_turns() -> None:
    cluster = FakeCluster(3, is_lost={0}.__contains__, most_leases=2)

    assert run_all(on(cluster)) == [measured(spec) for spec in CELLS]


def test_without_a_worker_each_trial_fails_with_the_reason() -> None:
    found = run_all(on(FakeCluster(2, most_leases=0)))

    assert {str(each) for each in found} == {"the cluster has no worker any more: no node is left"}


@settings(deadline=None, max_examples=30)
@given(
    size=st.integers(1, 4),
    lost=st.sets(st.integers(0, 12), max_size=6),
    most_leases=st.integers(0, 8),
)
def test_whoever_is_lost_each_trial_ends_once(size: int, lost: set[int], most_leases: int) -> None:
    trials = on(FakeCluster(size, is_lost=lost.__contains__, most_leases=most_leases))

    found = run_all(trials)

    assert len(found) == len(CELLS)
    for spec, each in zip(CELLS, found, strict=True):
        assert isinstance(each, TrialError) or each == measured(spec)


def test_a_trial_that_fails_leaves_its_worker_for_the_next() -> None:
    def comes(spec: TrialSpec) -> TrialResult | TrialError:
        return TrialError("hung") if spec == CELLS[0] else measured(spec)

    cluster = FakeCluster(1, comes=comes, most_leases=1)

    failed, *others = run_all(on(cluster))

    assert str(failed) == "hung"
    assert others == [measured(spec) for spec in CELLS[1:]]


def test_targets_are_checked_on_this_machine_and_an_end_ends_the_cluster() -> None:
    def check(name: str) -> None:
        raise TargetError(name)

    cluster = FakeCluster()
    trials = on(cluster, check)

    with pytest.raises(TargetError, match="my_agent:build"):
        trials.check_target("my_agent:build")
    trials.kill()
    assert cluster.is_closed
