"""What a run says about its strategies, in sentences."""

from collections.abc import Callable
from dataclasses import replace

from warpbench.bench.results.formatting import rate
from warpbench.bench.results.records import CellResult, LatencySummary, Run, SessionCounts, Status
from warpbench.reports.comparison.summary import verdict

from ...built import trial_figures

Build = Callable[..., CellResult]


def test_the_sample_is_judged_in_full(sample: Run) -> None:
    assert verdict(sample) == (
        "tools: taskgroup and gather on uvloop tie at 97 % of the ideal with 100 sessions;"
        " workers at 95 %, executor at 42 %, sync at 1 % and threads at 42.9/s with sessions lost."
        " The best on asyncio is taskgroup at 86 %."
        " Failed: executor on uvloop with 100 at once (the trial was killed by signal 9)."
        " Not applicable: blocking on asyncio"
        " (the target has no sync session to block the loop with).",
    )


def test_a_winner_is_named_with_its_loop(cell: Build, run_of: Callable[..., Run]) -> None:
    run = run_of([cell("sync", "none", 1, 0.98), cell("taskgroup", "uvloop", 100, 0.97)])
    assert verdict(run) == (
        "tools: taskgroup on uvloop carried 100 sessions at 97 % of the ideal; sync at 1 %.",
    )


def test_three_that_tie_are_said_to_tie(cell: Build, run_of: Callable[..., Run]) -> None:
    names = ("gather", "taskgroup", "workers")
    run = run_of([cell(name, loop, 10) for name in names for loop in ("asyncio", "uvloop")])
    assert verdict(run) == (
        "tools: gather, taskgroup and workers on asyncio and uvloop tie at 97 % of the ideal"
        " with 10 sessions.",
    )


def test_a_lead_that_loses_sessions_is_said_to(cell: Build, run_of: Callable[..., Run]) -> None:
    leader = replace(
        cell("gather", "asyncio", 100),
        sessions=SessionCounts(started=1200, succeeded=1197, failed=2, cancelled=1),
        efficiency=None,
    )
    assert verdict(run_of([leader])) == (
        "tools: gather on asyncio carried 100 sessions at 69.3/s with sessions lost."
        " Of the 1,200 sessions of gather on asyncio not all succeeded (2 failed, 1 cancelled).",
    )


def test_another_leader_at_a_lower_load_is_named(cell: Build, run_of: Callable[..., Run]) -> None:
    run = run_of(
        [
            cell("threads", "none", 10, 0.98),
            cell("threads", "none", 100, 0.5),
            cell("gather", "asyncio", 10, 0.9),
            cell("gather", "asyncio", 100, 0.9),
        ]
    )
    assert verdict(run) == (
        "tools: gather on asyncio carried 100 sessions at 90 % of the ideal; threads at 50 %."
        " With 10 sessions threads leads at 98 %.",
    )


def test_each_target_is_judged_on_its_own(cell: Build, run_of: Callable[..., Run]) -> None:
    run = run_of([cell("gather", "asyncio", 10, target=target) for target in ("a", "b")])
    assert [paragraph.partition(":")[0] for paragraph in verdict(run)] == ["tools (a)", "tools (b)"]


def test_failures_with_one_reason_share_a_sentence(
    cell: Build, without: Build, run_of: Callable[..., Run]
) -> None:
    failed = [
        without(cell(name, "asyncio", 10), Status.FAILED, "out of memory.")
        for name in ("gather", "workers")
    ]
    assert verdict(run_of(failed)) == (
        "tools: no strategy carried 10 sessions."
        " Failed: gather and workers on asyncio (out of memory).",
    )


def test_sessions_that_took_no_time_are_no_failure(cell: Build, run_of: Callable[..., Run]) -> None:
    run = run_of([replace(cell("gather", "asyncio", 10), makespan_s=0.0, throughput_per_s=0.0)])
    assert "took no time" in " ".join(verdict(run))


def test_an_objective_that_too_few_sessions_tell_of_is_not_called_broken(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    few = replace(cell("gather", "asyncio", 10), latency_s=LatencySummary(p50=1.0))
    run = replace(run_of([few]), objective="p99=2s")
    assert "cannot be told: a p99 takes 100 sessions" in " ".join(verdict(run))


def test_a_load_that_nobody_carried_is_said_first(
    cell: Build, without: Build, run_of: Callable[..., Run]
) -> None:
    failed = without(cell("gather", "asyncio", 100), Status.FAILED, "killed")
    (paragraph,) = verdict(run_of([cell("gather", "asyncio", 10), failed]))
    assert paragraph == (
        "tools: no strategy carried 100 sessions."
        " gather on asyncio carried 10 sessions at 97 % of the ideal."
        " Failed: gather on asyncio with 100 at once (killed)."
    )


def test_every_degenerate_run_has_a_verdict_of_one_line_for_each_field(degenerate: Run) -> None:
    for paragraph in verdict(degenerate):
        assert paragraph.endswith(".")
        assert paragraph.isprintable()


def test_after_a_sweep_each_is_told_of_at_its_own_best_load(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    cells = [cell("gather", "uvloop", load, 0.9) for load in (1, 2, 4, 8)]
    cells += [cell("threads", "none", load, 0.9 if load < 4 else 0.3) for load in (1, 2, 4)]
    (sentence,) = verdict(run_of(cells))
    best = rate(cells[3].throughput_per_s), rate(cells[5].throughput_per_s)
    assert sentence.startswith(
        f"tools: each at the load at which it carries most: gather on uvloop {best[0]} with 8 at "
        f"once and threads {best[1]} with 2 at once."
    )


def test_who_carried_less_but_cannot_be_told_from_the_best_is_named_with_what_it_carried(
    cell: Build, run_of: Callable[..., Run]
) -> None:
    def scattered(strategy: str, efficiency: float, *factors: float) -> CellResult:
        built = cell(strategy, "asyncio", 100, efficiency)
        per_s = built.throughput_per_s or 0
        return replace(built, trial_figures=tuple(trial_figures(per_s * each) for each in factors))

    best = scattered("gather", 0.9, 0.8, 1.0, 1.3)
    near = scattered("workers", 0.8, 1.2, 1.0, 0.9)
    far = scattered("threads", 0.3, 0.8, 1.0, 1.3)
    (sentence,) = verdict(run_of([best, near, far]))
    assert (
        "gather on asyncio carried 100 sessions at 90 % of the ideal; by these trials workers on "
        "asyncio cannot be told from that (80 %); threads at 30 %."
    ) in sentence
