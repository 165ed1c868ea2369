"""A run on many workers: what one machine would have found, whoever is lost on the way."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.bench.cluster.measurement import run_cells_on
from warpbench.bench.results.records import CellResult, FindingKind, Run, Status, TrialFigures
from warpbench.bench.results.trial_file import CellKey
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.solo import SoloSessions
from warpbench.bench.statistics.standing import Standing, places_of
from warpbench.bench.statistics.stopping import Sampling
from warpbench.bench.strategies import strategy_named
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TargetError, TrialError
from warpbench.mocks.scenario import load_scenario

from ...built import HEADER, Nobody
from .fake_cluster import KIND, OTHER_KIND, FakeCluster, measured


class KeptInMemory:
    """Trials, kept as they end."""

    def __init__(self) -> None:
        self.numbers: list[tuple[str, int]] = []

    def taken(self, key: CellKey) -> tuple[TrialResult, ...]:
        return ()

    def keep(self, key: CellKey, number: int, trial: TrialResult, figures: TrialFigures) -> None:
        self.numbers.append((key.cell.name, number))


def specs(
    *strategies: str, loads: tuple[int, ...] = (1, 2), clock: ClockMode = ClockMode.WARP
) -> tuple[TrialSpec, ...]:
    factors = Factors(
        scenarios=(load_scenario("tools"),),
        strategies=tuple(map(strategy_named, strategies)),
        concurrency=loads,
        session_count=4,
        clock=clock,
    )
    return cells_of(factors)


def run(
    cluster: FakeCluster,
    cells: tuple[TrialSpec, ...],
    trials: int = 2,
    kept: KeptInMemory | None = None,
    **more: object,
) -> tuple[Run, bool]:
    wiring: dict[str, object] = {"sampling": Sampling(trials=trials), **more}
    return run_cells_on(
        cluster,
        HEADER,
        cells,
        solo=SoloSessions(),
        observer=Nobody(),
        save=lambda _: None,
        kept=kept or KeptInMemory(),
        **wiring,  # type: ignore[arg-type]
    )


def test_cells_come_in_the_order_of_the_plan_with_all_their_trials() -> None:
    cells = specs("gather", "threads", "taskgroup")
    kept = KeptInMemory()

    found, interrupted = run(FakeCluster(3), cells, trials=3, kept=kept)

    assert [each.cell for each in found.cells] == [spec.cell for spec in cells]
    assert {each.trials for each in found.cells} == {3}
    assert found.findings == ()
    assert not interrupted
    expected = [(spec.cell.name, number) for spec in cells for number in range(3)]
    assert sorted(kept.numbers) == sorted(expected)


def test_each_trial_bears_the_node_that_it_ran_on() -> None:
    found, _ = run(FakeCluster(1), specs("gather", loads=(1,)))

    (cell,) = found.cells
    assert [trial.nodes[0].host for trial in cell.trial_figures] == ["node-0", "node-0"]
    assert cell.node_kinds == {KIND}


def test_a_turn_of_cells_that_compete_runs_on_one_worker() -> None:
    cluster = FakeCluster(2)

    run(cluster, specs("gather", "threads"), trials=4)

    hosts: dict[tuple[str, int], list[str]] = {}
    for host, spec in cluster.ran_by:
        hosts.setdefault((spec.cell.strategy, spec.cell.concurrency), []).append(host)
    for load in (1, 2):
        assert Counter(hosts["gather", load]) == Counter(hosts["threads", load])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.booleans(), max_size=40), st.integers(1, 4))
def test_whoever_is_lost_nothing_counts_twice_and_nothing_is_lost(
    losses: list[bool], size: int
) -> None:
    cluster = FakeCluster(size, lambda number: number < len(losses) and losses[number])
    kept = KeptInMemory()

    found, interrupted = run(cluster, specs("gather", "threads"), trials=3, kept=kept)

    assert not interrupted
    assert len(found.cells) == 4
    assert len(set(kept.numbers)) == len(kept.numbers)
    counts = Counter(name for name, _ in kept.numbers)
    for each in found.cells:
        if each.status is Status.MEASURED:
            assert each.trials == counts[each.cell.name] <= 3
            assert each.sessions.succeeded == 4 * each.trials
            assert each.trials == 3 or len(losses) > 3 * size
        else:
            assert each.status is Status.FAILED
            assert each.error is not None
            assert "lost 3 times" in each.error or "no worker any more" in each.error
    lost = [each for each in found.findings if each.kind is FindingKind.WORKER_LOST]
    assert bool(lost) is any(losses[: len(cluster.ran_by)])


def test_a_worker_that_is_lost_is_told_with_what_was_run_again() -> None:
    found, _ = run(FakeCluster(1, lambda number: number == 1), specs("gather"))

    (finding,) = found.findings
    assert finding.kind is FindingKind.WORKER_LOST
    assert dict(finding.values) == {"lost": 1, "repeated": 1, "host": "node-0", "reason": "killed"}
    assert {each.trials for each in found.cells} == {2}


def test_a_cell_that_takes_every_worker_with_it_fails_and_the_others_go_on() -> None:
    class Deadly(FakeCluster):
        def run(self, spec: TrialSpec, host: str) -> TrialResult | NotApplicable:
            self._is_lost = lambda _: spec.cell.strategy == "threads"
            return super().run(spec, host)

    found, _ = run(Deadly(1), specs("gather", "threads", loads=(2,)))

    by_strategy = {each.cell.strategy: each for each in found.cells}
    assert by_strategy["gather"].trials == 2
    assert by_strategy["threads"].status is Status.FAILED
    assert by_strategy["threads"].error == "its worker was lost 3 times: node-2: killed"


def test_a_cluster_that_lends_no_more_ends_the_run_with_what_there_is() -> None:
    cells = specs("gather", loads=(1, 2, 4))

    found, interrupted = run(FakeCluster(1, lambda number: number == 2, most_leases=1), cells)

    assert not interrupted
    assert sorted(each.trials for each in found.cells) == [0, 1, 1]
    (failed,) = (each for each in found.cells if each.status is Status.FAILED)
    assert failed.error == "the cluster has no worker any more: no node is left"


def test_a_cluster_on_which_no_worker_lives_is_given_up() -> None:
    found, _ = run(FakeCluster(2, lambda _: True), specs("gather", "threads"), trials=5)

    assert {each.status for each in found.cells} == {Status.FAILED}


def comes(**outcomes: TrialError | NotApplicable) -> Callable[[TrialSpec], object]:
    return lambda spec: outcomes.get(spec.cell.strategy, measured(spec))


def test_what_fails_or_does_not_apply_is_told_as_on_one_machine() -> None:
    cluster = FakeCluster(
        2,
        comes=comes(threads=TrialError("crashed"), sync=NotApplicable("no plain session")),  # type: ignore[arg-type]
    )

    found, _ = run(cluster, specs("gather", "threads", "sync", loads=(2,)), trials=3)

    statuses = {each.cell.strategy: (each.status, each.error) for each in found.cells}
    assert statuses == {
        "gather": (Status.MEASURED, None),
        "threads": (Status.FAILED, "crashed"),
        "sync": (Status.NOT_APPLICABLE, "no plain session"),
    }


def test_a_target_that_cannot_be_used_ends_the_run() -> None:
    def refuses(_spec: TrialSpec) -> TrialResult:
        raise TargetError("no such module")

    with pytest.raises(TargetError, match="no such module"):
        run(FakeCluster(2, comes=refuses), specs("gather"))


def test_an_interrupt_keeps_what_is_finished() -> None:
    class Interrupted(Nobody):
        def __init__(self) -> None:
            self.ended = 0

        def trial_ends(self, so_far: object) -> None:
            self.ended += 1
            if self.ended == 3:
                raise KeyboardInterrupt

    saved: list[Run] = []
    found, interrupted = run_cells_on(
        FakeCluster(1),
        HEADER,
        specs("gather", "threads"),
        sampling=Sampling(trials=2),
        solo=SoloSessions(),
        observer=Interrupted(),
        save=saved.append,
    )

    assert interrupted
    assert saved == [found]
    assert sum(each.trials for each in found.cells) == 3
    assert found.findings[0].kind is FindingKind.INTERRUPTED


def test_further_cells_are_named_by_the_results_so_far() -> None:
    wanted = [specs("gather", loads=(4,)), specs("gather", loads=(8,))]
    asked: list[int] = []

    def more(cells: object) -> tuple[TrialSpec, ...]:
        asked.append(len(list(cells)))  # type: ignore[call-overload]
        return wanted.pop(0) if wanted else ()

    found, _ = run(FakeCluster(2), specs("gather", loads=(2,)), more=more)

    assert asked == [1, 2, 3]
    assert [each.cell.concurrency for each in found.cells] == [2, 4, 8]


def test_cells_with_more_shards_than_places_do_not_apply() -> None:
    (spec,) = specs("gather", loads=(2,), clock=ClockMode.VIRTUAL)
    sharded = replace(spec, cell=replace(spec.cell, processes=3))

    found, _ = run(FakeCluster(2), (sharded,))

    assert found.cells[0].status is Status.NOT_APPLICABLE


def test_cells_of_unlike_nodes_are_not_ranked_against_each_other() -> None:
    def on(kind: object, cells: tuple[TrialSpec, ...]) -> tuple[CellResult, ...]:
        return run(FakeCluster(1, kinds=(kind,)), cells)[0].cells  # type: ignore[arg-type]

    def standings(clock: ClockMode) -> list[Standing]:
        first, second = specs("gather", "threads", loads=(2,), clock=clock)
        results = (*on(KIND, (first,)), *on(OTHER_KIND, (second,)))
        return [place.standing for place in places_of(results)]

    assert standings(ClockMode.WARP) == [Standing.UNRANKED, Standing.OTHER_NODES]
    assert standings(ClockMode.VIRTUAL) == [Standing.TIED, Standing.TIED]
