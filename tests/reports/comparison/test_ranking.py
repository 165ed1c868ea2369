"""What competes with what, and which cell leads."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from warpbench.bench.results.node import Node, NodeKind
from warpbench.bench.results.records import CellResult, LatencySummary, Run, SessionCounts, Status
from warpbench.bench.statistics.ranking import judged_by
from warpbench.bench.statistics.standing import Standing
from warpbench.reports.comparison.ranking import ComparisonGroup, marks, marks_explained, scenarios

from ...built import changed, trial_figures

pytestmark = pytest.mark.once

Build = Callable[..., CellResult]


def only_group(run: Run) -> ComparisonGroup:
    (scenario,) = scenarios(run)
    (group,) = scenario.groups
    return group


def test_cells_are_sorted_by_scenario_in_the_order_of_the_run(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    cells = [cell("gather", "asyncio", 1, scenario=name) for name in ("b", "a", "b")]
    assert [scenario.name for scenario in scenarios(run_of(cells))] == ["b", "a"]


@pytest.mark.parametrize(
    ("factor", "values", "names"),
    [
        ("target", ("agent", "bare-sdk"), ["agent", "bare-sdk"]),
        ("transport", ("respx", "loopback"), ["respx", "loopback"]),
        ("clock", ("wall", "virtual"), ["wall clock", "virtual clock"]),
        ("seed", (1, 2), ["seed 1", "seed 2"]),
        ("tool_workers", (4, 8), ["4 tool workers", "8 tool workers"]),
    ],
)
def test_cells_that_differ_in_more_than_strategy_do_not_compete(
    cell: Build,
    run_of: Callable[..., Run],
    factor: str,
    values: tuple[object, ...],
    names: list[str],
) -> None:
    cells = [cell("gather", "asyncio", 10, **{factor: value}) for value in values]
    (scenario,) = scenarios(run_of(cells))
    assert [group.name for group in scenario.groups] == names


def test_the_standing_of_each_cell_is_found_at_its_load(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    best = cell("gather", "asyncio", 10, 0.97)
    near = cell("workers", "asyncio", 10, 0.97 * 0.96)
    far = cell("threads", "none", 10, 0.97 * 0.94)
    group = only_group(run_of([far, near, best]))
    assert group.ranking(10).leaders == (best, near)
    assert marks(group) == {best: Standing.TIED, near: Standing.TIED, far: Standing.SLOWER}


def test_where_no_lead_is_shown_all_that_may_lead_are_in_front(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    one, other = (
        replace(cell(name, "asyncio", 10, share), trial_figures=(trial_figures(share),))
        for name, share in (("gather", 0.9), ("workers", 0.5))
    )
    ranking = only_group(run_of([one, other])).ranking(10)
    assert (ranking.leaders, ranking.in_front) == ((), (one, other))


def test_a_cell_of_another_kind_of_node_is_marked_and_not_ranked(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    def on(processor: str, result: CellResult) -> CellResult:
        kind = NodeKind(processor=processor, cores=2, python="3", system="L")
        nodes = (Node(host="h", kind=kind),)
        figures = tuple(replace(trial, nodes=nodes) for trial in result.trial_figures)
        return replace(result, trial_figures=figures)

    best = on("Model 1", cell("gather", "asyncio", 10, 0.97))
    other = on("Model 2", cell("threads", "none", 10, 0.5))
    run = run_of([best, other])

    ranking = only_group(run).ranking(10)

    assert ranking.ranked == (best,)
    assert marks(only_group(run))[other] is Standing.OTHER_NODES
    assert marks_explained(scenarios(run)) == (
        "? too noisy to rank",
        "≠ not ranked: measured on another kind of node",
    )


def test_a_cell_alone_wins_nothing(cell: Build, run_of: Callable[..., Run]) -> None:
    assert marks(only_group(run_of([cell("gather", "asyncio", 10)]))) == {}


def test_a_cell_without_result_is_never_marked(
    cell: Build, without: Build, run_of: Callable[..., Run]
) -> None:
    good, other = cell("gather", "asyncio", 10, 0.5), cell("threads", "none", 10, 0.4)
    failed = without(cell("workers", "asyncio", 10), Status.FAILED, "crashed")
    assert marks(only_group(run_of([failed, good, other]))) == {
        good: Standing.FASTEST,
        other: Standing.SLOWER,
    }


def test_a_strategy_that_loses_every_session_carries_nothing(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    lost = replace(
        cell("gather", "asyncio", 10),
        sessions=SessionCounts(started=40, failed=40),
        throughput_per_s=0.0,
        efficiency=None,
    )
    group = only_group(run_of([lost, changed(lost, strategy="workers")]))
    assert group.ranking(10).best is None
    assert group.share_of_ideal(lost, 10) is None


def test_a_cell_that_went_beyond_the_concurrency_leads_none_that_did_not(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    beyond = replace(cell("gather", "asyncio", 10, 2.0), mean_in_flight=10.1)
    within = replace(cell("taskgroup", "asyncio", 10, 0.5), mean_in_flight=10.0)

    ranking = only_group(run_of([beyond, within])).ranking(10)

    assert ranking.ranked == (within, beyond)
    assert ranking.leaders == (within,)


def test_a_cell_that_lost_sessions_leads_none_that_lost_none(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    lossy = replace(
        cell("gather", "asyncio", 10),
        sessions=SessionCounts(started=40, succeeded=39, failed=1),
        throughput_per_s=1000.0,
        efficiency=None,
    )
    slow = cell("threads", "none", 10, 0.2)
    assert only_group(run_of([lossy, slow])).ranking(10).leaders == (slow,)
    assert only_group(run_of([lossy])).ranking(10).leaders == (lossy,)


def test_sync_is_compared_by_its_cell_at_the_load(cell: Build, run_of: Callable[..., Run]) -> None:
    syncs = [cell("sync", "none", load, 0.98 / load) for load in (1, 10)]
    others = [cell("gather", "asyncio", load) for load in (1, 10)]
    group = only_group(run_of([*syncs, *others]))
    assert group.at(10) == (syncs[1], others[1])
    assert marks(group)[syncs[1]] is Standing.SLOWER
    assert group.share_of_ideal(syncs[1], 10) == syncs[1].efficiency


def test_sync_at_one_stands_for_the_loads_at_which_it_was_not_run(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    sync = cell("sync", "none", 1, 0.98)
    group = only_group(run_of([sync, cell("gather", "asyncio", 100, 0.97)]))
    assert group.loads == (100,)
    assert sync in group.ranking(100).ranked
    assert group.share_of_ideal(sync, 100) == pytest.approx(0.0098)


def test_alone_sync_has_its_own_load(cell: Build, run_of: Callable[..., Run]) -> None:
    assert only_group(run_of([cell("sync", "none", 1, 0.99)])).loads == (1,)


def test_the_table_shows_the_loads_of_a_field_in_blocks(sample: Run) -> None:
    (scenario,) = scenarios(sample)
    loads = [{result.cell.concurrency for result in block} for block in scenario.blocks]
    assert loads == [{1}, {10}, {100}]
    assert sorted(map(repr, scenario.cells)) == sorted(
        repr(result) for block in scenario.blocks for result in block
    )


def test_in_an_open_loop_latency_from_the_intended_start_ranks_not_throughput(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    def served(strategy: str, p99_ms: int, per_s: float) -> CellResult:
        trials = tuple(
            trial_figures(
                per_s, latency_ns=[p99_ms * 1_000_000 + number for number in range(-98, 2)]
            )
            for _ in range(6)
        )
        return replace(
            cell(strategy, "asyncio", 100, arrivals="poisson:20"),
            throughput_per_s=per_s,
            latency_s=LatencySummary(p50=0.5, p99=p99_ms / 1000),
            trial_figures=trials,
        )

    slow, quick = served("threads", 900, per_s=20.5), served("gather", 600, per_s=20.0)
    near = served("workers", 602, per_s=20.4)
    group = only_group(run_of([slow, quick, near]))
    ranking = group.ranking(100)
    assert [each.cell.strategy for each in ranking.ranked] == ["gather", "workers", "threads"]
    assert {each.cell.strategy for each in ranking.leaders} == {"gather", "workers"}


def test_with_few_sessions_a_trial_the_median_ranks(cell: Build) -> None:
    few = replace(
        cell("gather", "asyncio", 4, arrivals="constant:5"),
        trial_figures=(trial_figures(5.0, latency_ns=range(1, 17)),),
    )
    assert judged_by(few) == "p50"
    assert judged_by(cell("gather", "asyncio", 100)) is None
