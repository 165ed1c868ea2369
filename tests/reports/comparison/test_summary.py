"""What a run shows about its strategies: as values, and once in sentences."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from warpbench.bench.results.blocked_loop import Cause, LoopBlocker
from warpbench.bench.results.isolation import Isolation, TextLeak
from warpbench.bench.results.model_requests import ModelRequests
from warpbench.bench.results.own_waits import OwnWait
from warpbench.bench.results.records import (
    CellResult,
    ClockFigures,
    Fidelity,
    LatencySummary,
    Run,
    SessionCounts,
    Status,
)
from warpbench.bench.results.reference import Reference
from warpbench.bench.results.refused_hosts import RefusedHost
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.statistics.objectives import parse_objectives
from warpbench.reports.comparison.ranking import Ranking
from warpbench.reports.comparison.summary import (
    GroupSummary,
    Placing,
    placing,
    summarise,
)
from warpbench.reports.comparison.summary_text import group_verdict, title, verdict

from ...built import trial_figures, trial_with_streams
from ...golden import assert_golden
from ..conftest import build_cell, build_run, build_sample, without_result

pytestmark = pytest.mark.once

Build = Callable[..., CellResult]
RunOf = Callable[..., Run]
Pair = tuple[str, str]


def leaking(cell: Build) -> list[CellResult]:
    """Two cells with leaks, of which the second has more, and one without."""
    few, many, none = (
        cell("gather", "asyncio", 10),
        cell("threads", "none", 10),
        cell("sync", "none", 10),
    )
    leak = TextLeak(session=1, owner=0, model_call=1, at_s=0.5)
    return [
        replace(few, isolation=Isolation(leaks=(leak,), leaked_sessions=2)),
        replace(many, isolation=Isolation(leaks=(leak,), leaked_sessions=5)),
        none,
    ]


def only(run: Run) -> GroupSummary:
    (summary,) = summarise(run).groups
    return summary


def pairs(cells: tuple[CellResult, ...]) -> list[Pair]:
    return [(each.cell.strategy, each.cell.loop) for each in cells]


def placed(ranking: Ranking | None) -> Placing:
    assert ranking is not None
    return placing(ranking)


def test_the_sample_is_summarised_in_full(sample: Run) -> None:
    summary = only(sample)
    assert summary.ranking is not None
    assert summary.ranking.load == 100
    found = placed(summary.ranking)
    assert pairs(found.leaders) == [(each, "uvloop") for each in ("taskgroup", "gather", "workers")]
    assert found.unranked == ()
    assert [strategy for strategy, _ in pairs(found.behind)] == ["executor", "sync", "threads"]
    assert pairs(summary.loops_behind) == [("taskgroup", "asyncio")]
    assert [(each.status, pairs(each.cells), each.loads) for each in summary.unsuccessful] == [
        (Status.FAILED, [("executor", "uvloop")], (100,)),
        (Status.NOT_APPLICABLE, [("blocking", "asyncio")], ()),
    ]


def test_three_that_are_level_all_lead(cell: Build, run_of: RunOf) -> None:
    names = ("gather", "taskgroup", "workers")
    run = run_of([cell(name, loop, 10) for name in names for loop in ("asyncio", "uvloop")])
    assert len(placed(only(run).ranking).leaders) == 6


def test_another_leader_at_a_lower_load_is_found(cell: Build, run_of: RunOf) -> None:
    summary = only(run_of(crossing(cell)))
    assert pairs(placed(summary.ranking).leaders) == [("gather", "asyncio")]
    (other,) = summary.other_rankings
    assert (other.load, pairs(other.leaders)) == (10, [("threads", "none")])


def crossing(cell: Build) -> list[CellResult]:
    return [
        cell("threads", "none", 10, 0.98),
        cell("threads", "none", 100, 0.5),
        cell("gather", "asyncio", 10, 0.9),
        cell("gather", "asyncio", 100, 0.9),
    ]


def test_each_target_is_judged_on_its_own(cell: Build, run_of: RunOf) -> None:
    run = run_of([cell("gather", "asyncio", 10, target=target) for target in ("a", "b")])
    assert [title(each.group) for each in summarise(run).groups] == ["tools (a)", "tools (b)"]


def test_failures_with_one_reason_are_one(cell: Build, without: Build, run_of: RunOf) -> None:
    failed = [
        without(cell(name, "asyncio", 10), Status.FAILED, "out of memory.")
        for name in ("gather", "workers")
    ]
    summary = only(run_of(failed))
    assert (summary.failed_load, summary.ranking) == (10, None)
    (one,) = summary.unsuccessful
    assert (one.error, len(one.cells), one.loads) == ("out of memory.", 2, ())


def test_sessions_that_took_no_time_are_no_failure(cell: Build, run_of: RunOf) -> None:
    run = run_of([replace(cell("gather", "asyncio", 10), makespan_s=0.0, throughput_per_s=0.0)])
    summary = only(run)
    assert summary.took_no_time
    assert summary.failed_load is None


def test_an_objective_that_too_few_sessions_can_show_is_not_called_missed(
    cell: Build, run_of: RunOf
) -> None:
    few = replace(cell("gather", "asyncio", 10), latency_s=LatencySummary(p50=1.0))
    objectives = parse_objectives("p50=1h,p99=1ms")
    for one, unreported in ((few, objectives.each[1]), (cell("gather", "asyncio", 100), None)):
        goodput = only(replace(run_of([one]), objective="p50=1h,p99=1ms")).goodput
        assert goodput is not None
        assert (goodput.leader, goodput.unreported) == (None, unreported)


def test_a_load_at_which_every_strategy_failed_is_reported(
    cell: Build, without: Build, run_of: RunOf
) -> None:
    failed = without(cell("gather", "asyncio", 100), Status.FAILED, "killed")
    summary = only(run_of([cell("gather", "asyncio", 10), failed]))
    assert summary.failed_load == 100
    assert summary.ranking is not None
    assert summary.ranking.load == 10
    assert summary.unsuccessful[0].loads == (100,)


def test_every_degenerate_run_has_a_verdict_of_one_line_for_each_group(degenerate: Run) -> None:
    for paragraph in verdict(degenerate):
        assert paragraph.endswith(".")
        assert paragraph.isprintable()


def test_after_a_sweep_each_is_reported_at_its_own_best_load(cell: Build, run_of: RunOf) -> None:
    summary = only(run_of(swept(cell)))
    assert [(each.cell.strategy, each.cell.concurrency) for each in summary.peaks] == [
        ("gather", 8),
        ("threads", 2),
    ]
    assert summary.ranking is None


def swept(cell: Build) -> list[CellResult]:
    cells = [cell("gather", "uvloop", load, 0.9) for load in (1, 2, 4, 8)]
    return cells + [cell("threads", "none", load, 0.9 if load < 4 else 0.3) for load in (1, 2, 4)]


def test_who_is_slower_by_less_than_the_scatter_cannot_be_ranked(
    cell: Build, run_of: RunOf
) -> None:
    found = placed(only(run_of(scattered(cell))).ranking)
    assert found.leaders == ()
    assert pairs(found.unranked) == [("gather", "asyncio"), ("workers", "asyncio")]
    assert pairs(found.behind) == [("threads", "asyncio")]


def scattered(cell: Build) -> list[CellResult]:
    def one(strategy: str, efficiency: float, *factors: float) -> CellResult:
        built = cell(strategy, "asyncio", 100, efficiency)
        per_s = built.throughput_per_s or 0
        return replace(built, trial_figures=tuple(trial_figures(per_s * each) for each in factors))

    return [
        one("gather", 0.9, 0.8, 1.0, 1.3),
        one("workers", 0.8, 1.2, 1.0, 0.9),
        one("threads", 0.3, 0.8, 1.0, 1.3),
    ]


BLOCKED = LoopBlocker(
    place="agent.py:summarise",
    cause=Cause.WAITING,
    times=10,
    total_s=3.0,
    longest_s=0.3,
    stack=("agent.py:summarise:7",),
)
HINT = "warpbench profile shows whose code ran"


@pytest.mark.parametrize(
    ("strategy", "loop", "blockers", "hint"),
    [
        ("gather", "asyncio", (), f"{HINT}."),
        ("gather", "asyncio", (replace(BLOCKED, total_s=0.01),), f"{HINT}."),
        ("gather", "asyncio", (BLOCKED,), ""),
        ("threads", "none", (), f"{HINT} or waited for a lock."),
    ],
)
def test_the_profile_is_referred_to_where_no_warning_names_the_code(
    cell: Build,
    run_of: RunOf,
    strategy: str,
    loop: str,
    blockers: tuple[LoopBlocker, ...],
    hint: str,
) -> None:
    parts = TimeParts(llm=1.0, ready=0.5)
    one = cell(strategy, loop, 10, time_parts_s=parts, loop_blockers=blockers)
    (paragraph,) = verdict(run_of([one]))
    assert paragraph.endswith(hint)
    assert (HINT in paragraph) == bool(hint)


LOOK_UP = OwnWait(
    place="my_agent.py:build.<locals>.look_up:13",
    awaits="asyncio.sleep",
    seen_s=24.0,
    waits=80,
    sessions=20,
    lost_s=0.0,
    in_turn=True,
)
LOG = replace(LOOK_UP, place="my_agent.py:build.<locals>.log:18", awaits="time.sleep", waits=20)
LOCK = OwnWait(
    place="agent.py:session:18",
    awaits="asyncio.Lock.acquire",
    seen_s=30.0,
    waits=50,
    sessions=20,
    lost_s=20.0,
)
SLEEP = replace(LOCK, awaits="time.sleep", seen_s=40.0, lost_s=10.0, blocks_loop=True)
BACK_OFF = replace(LOCK, awaits="asyncio.sleep", lost_s=0.0, retry_s=30.0)
SEEN = OwnWait(place="agent.py:session:18", awaits="asyncio.Queue.get", seen_s=3.0)


def with_own_tools(cell: Build, *waits: OwnWait) -> CellResult:
    """A cell of a target whose own tools ran one after another."""
    parts = TimeParts(llm=1.0, tool=0.3, serialised=0.9)
    return replace(
        cell("gather", "asyncio", 10, 0.59, time_parts_s=parts),
        own_waits=waits,
        reference=Reference.CONVERSATION,
    )


@pytest.mark.once
def test_the_wording_of_the_verdict() -> None:
    cell = build_cell
    losing = replace(
        cell("gather", "asyncio", 100),
        sessions=SessionCounts(started=1200, succeeded=1197, failed=2, cancelled=1),
        efficiency=None,
    )
    failed = without_result(cell("gather", "asyncio", 100), Status.FAILED, "killed")
    lost = TimeParts(
        llm=1.0, serialised=0.5, admission=0.6, ready=0.7, retry=0.8, cpu=0.9, remainder=1.1
    )
    few = replace(cell("gather", "asyncio", 10), latency_s=LatencySummary(p50=1.0))
    streams = replace(
        cell("gather", "asyncio", 100),
        ttft_s=LatencySummary(p50=0.3, p90=0.4, p95=0.5),
        trial_figures=(trial_with_streams(good=30, bad=10),),
    )
    open_loop = [
        replace(
            cell(strategy, "asyncio", 100, arrivals="poisson:20"),
            latency_s=LatencySummary(p50=0.5, p99=p99_s),
        )
        for strategy, p99_s in (("gather", 0.6), ("threads", 0.9))
    ]
    figures = ClockFigures(makespan_s=10.0, p50_s=1.0, p99_s=2.0, elapsed_s=10.0)
    sped_up = replace(figures, makespan_s=10.03, p99_s=2.02, elapsed_s=0.02)
    fidelity = Fidelity(cell=few.cell, pairs=3, wall=figures, warp=sped_up)
    runs = {
        "a full run": build_sample(),
        "one strategy": build_run([cell("taskgroup", "uvloop", 100, 0.97)]),
        "a statistical tie": build_run(scattered(cell)),
        "another leader at a lower concurrency": build_run(crossing(cell)),
        "a leader that lost sessions": build_run([losing]),
        "sessions that took up text of others": build_run(leaking(cell)),
        "every strategy failed": build_run([failed]),
        "every strategy failed at the highest concurrency": build_run(
            [cell("gather", "asyncio", 10), failed]
        ),
        "a sweep": build_run(swept(cell)),
        "no time": build_run([replace(few, makespan_s=0.0)]),
        "an open loop": build_run(open_loop),
        "time lost": build_run([cell("gather", "asyncio", 10, time_parts_s=lost)]),
        "own tools in turn": build_run([with_own_tools(cell, LOOK_UP, LOG)]),
        "a wait of its own": build_run(
            [replace(cell("gather", "asyncio", 10, time_parts_s=lost), own_waits=(LOCK, SLEEP))]
        ),
        "failed attempts": build_run(
            [
                replace(
                    cell("gather", "asyncio", 10, time_parts_s=TimeParts(llm=1.0, retry=3.0)),
                    own_waits=(BACK_OFF,),
                    model_requests=ModelRequests(retries=1, limited=71),
                )
            ]
        ),
        "waits of a session at once": build_run(
            [
                replace(
                    cell("gather", "asyncio", 10, time_parts_s=lost),
                    own_waits=(LOCK,),
                    latency_s=LatencySummary(p50=1.0, max=1.25),
                )
            ]
        ),
        "a wait of its own that was seen now and then": build_run(
            [replace(cell("gather", "asyncio", 10, time_parts_s=lost), own_waits=(SEEN,))]
        ),
        "a curve with a knee": build_run(
            [
                cell("gather", "asyncio", load, 1 / (1 + load / 300 + (load / 300) ** 2))
                for load in (1, 3, 10, 30, 100, 300, 1000)
            ]
        ),
        "a curve that fits no law": build_run(
            [
                cell("gather", "asyncio", load, efficiency)
                for load, efficiency in ((1, 1.0), (10, 0.1), (100, 0.9), (300, 0.01), (1000, 0.9))
            ]
        ),
        "an objective met": replace(
            build_run([cell("gather", "asyncio", 100)]), objective="p99=2s"
        ),
        "an objective missed": replace(
            build_run([cell("gather", "asyncio", 100)]), objective="p99=1ms"
        ),
        "an objective without enough sessions": replace(build_run([few]), objective="p99=2s"),
        "two objectives met": replace(build_run([streams]), objective="ttft_p95=800ms,p99=10s"),
        "two objectives missed": replace(build_run([streams]), objective="ttft_p95=400ms,p99=10s"),
        "an objective without enough streams": replace(
            build_run([streams]), objective="ttft_p99=800ms"
        ),
        "sockets and in-process": build_run(
            [
                replace(cell("gather", "asyncio", 10, transport=transport), cpu_s_per_session=cpu_s)
                for transport, cpu_s in (("respx", 0.001), ("loopback", 0.009))
            ]
        ),
        "fidelity": replace(build_run([few]), fidelity=(fidelity,)),
    }
    text = "\n".join(f"# {what}\n" + "\n".join(verdict(run)) + "\n" for what, run in runs.items())
    assert_golden("verdict", text)


def without_network(result: CellResult, cost_s: float = 87.0) -> CellResult:
    """A cell of 100 s in all, of which refused requests cost so much."""
    host = RefusedHost(host="api.x.com", paths=("/count",), requests=90, sessions=5, cost_s=cost_s)
    started = result.sessions.started
    return replace(result, refused=(host,), latency_s=LatencySummary(mean=100 / started))


def test_a_cell_without_a_network_is_named_first_with_what_to_add_to_the_scenario(
    cell: Build, run_of: RunOf
) -> None:
    refused = without_network(cell("gather", "asyncio", 10))
    run = run_of([refused, cell("taskgroup", "asyncio", 10), cell("workers", "asyncio", 10)])

    (paragraph,) = verdict(run)
    first, _, rest = paragraph.partition("\n\n")
    table, _, rest = rest.partition("\n\n")
    assert first == (
        "tools: Requests to api.x.com were refused, since nothing mocks them, and cost 87 % of the "
        "sessions' time, so gather on asyncio is not ranked. Add to the scenario, with its real "
        "latency:"
    )
    assert table.splitlines()[:3] == [
        "[[services]]",
        'name = "api.x.com"',
        'url = "https://api.x.com/count*"',
    ]
    assert rest.startswith("At concurrency 10, ")
    assert "gather" not in rest
    assert pairs(only(run).distorted) == [("gather", "asyncio")]
    assert "[[services]]" not in group_verdict(only(run).group)


def test_where_no_cell_has_a_network_none_is_ranked_and_none_failed(
    cell: Build, run_of: RunOf
) -> None:
    loads = [(10, 87.0), (100, 50.0)]
    run = run_of([without_network(cell("gather", "asyncio", load), cost) for load, cost in loads])

    summary = only(run)
    assert (summary.ranking, summary.failed_load, summary.peaks) == (None, None, ())
    (paragraph,) = verdict(run)
    assert "cost up to 87 % of the sessions' time, so no cell is ranked. " in paragraph


def test_the_cell_with_the_most_leaks_comes_first(cell: Build) -> None:
    summary = only(build_run(leaking(cell)))

    assert [each.isolation.leaked_sessions for each in summary.leaking] == [5, 2]
