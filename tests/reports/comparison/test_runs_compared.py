"""Two runs compared: what changed, by how much, and when that cannot be told."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from warpbench.bench.results.records import CellResult, LatencySummary, Run, SessionCounts
from warpbench.bench.results.run_file import write_run
from warpbench.bench.statistics.intervals import Interval
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import UsageError
from warpbench.reports.charts.matplotlib_renderer import draw
from warpbench.reports.charts.ratio import describe_ratios, write_ratio_charts
from warpbench.reports.comparison.run_changes import rows, summary
from warpbench.reports.comparison.runs_compared import Direction, compare_runs, differing
from warpbench.reports.exports.runs_compared import compared_markdown
from warpbench.reports.terminal.runs_compared import print_compared

from ...built import changed, trial_figures
from ...golden import assert_golden

pytestmark = pytest.mark.once

Cell = Callable[..., CellResult]
RunOf = Callable[..., Run]


@pytest.fixture
def measured(cell: Cell) -> Callable[..., CellResult]:
    def build(*per_s: float, strategy: str = "gather", cpu_s: float = 0.004) -> CellResult:
        trials = tuple(trial_figures(each, cpu_s) for each in per_s)
        middle = sorted(per_s)[len(per_s) // 2]
        return cell(
            strategy,
            "asyncio",
            10,
            trial_figures=trials,
            throughput_per_s=middle,
            cpu_s_per_session=cpu_s,
        )

    return build


def test_a_change_beyond_the_scatter_is_one_and_within_it_is_none(
    measured: Callable[..., CellResult], run_of: RunOf
) -> None:
    before = run_of(
        [
            measured(100, 101, 99, strategy="gather"),
            measured(100, 140, 70, strategy="threads"),
            measured(100, 101, 99, strategy="workers"),
        ]
    )
    after = run_of(
        [
            measured(90, 91, 89, strategy="gather"),
            measured(90, 120, 60, strategy="threads"),
            measured(120, 121, 119, strategy="workers"),
        ]
    )
    compared = compare_runs(before, after)
    assert [change.score.direction for change in compared.changes] == [
        Direction.WORSE,
        Direction.SAME,
        Direction.BETTER,
    ]
    interval = compared.changes[0].score.interval
    assert interval is not None
    assert interval.holds(0.9)
    assert [change.direction for change in compared.changes] == [
        Direction.WORSE,
        Direction.SAME,
        Direction.BETTER,
    ]


def test_more_cpu_is_worse(measured: Callable[..., CellResult], run_of: RunOf) -> None:
    before, after = run_of([measured(9, 9, cpu_s=0.004)]), run_of([measured(9, 9, cpu_s=0.005)])
    (change,) = compare_runs(before, after).changes
    assert change.score.direction is Direction.SAME
    assert change.cpu.direction is Direction.WORSE


def test_one_trial_cannot_tell(measured: Callable[..., CellResult], run_of: RunOf) -> None:
    (change,) = compare_runs(run_of([measured(100)]), run_of([measured(80)])).changes
    assert change.score.direction is Direction.UNKNOWN


def test_one_trial_in_virtual_time_is_exact(
    measured: Callable[..., CellResult], run_of: RunOf
) -> None:
    before, after = (
        run_of([changed(measured(per_s), clock=ClockMode.VIRTUAL)]) for per_s in (100, 80)
    )
    (change,) = compare_runs(before, after).changes
    assert change.direction is Direction.WORSE
    assert change.score.interval == Interval(0.8, 0.8, 0.8)


@pytest.mark.parametrize("per_s", [0, 300])
def test_a_cell_that_loses_sessions_is_worse_however_quick_it_is(
    measured: Callable[..., CellResult], run_of: RunOf, per_s: float
) -> None:
    sound = measured(100, 101, 99)
    broken = replace(
        measured(per_s, per_s, per_s),
        sessions=SessionCounts(started=100, succeeded=20, failed=80),
    )
    worse, better = (
        compare_runs(run_of([one]), run_of([other]))
        for one, other in ((sound, broken), (broken, sound))
    )
    assert worse.changes[0].direction is Direction.WORSE
    assert worse.changes[0].is_judged_by_loss
    assert rows(worse)[0][2].endswith(", 80 lost")
    assert better.changes[0].direction is Direction.BETTER


def test_cells_that_lose_nearly_alike_are_judged_as_others_are(
    measured: Callable[..., CellResult], run_of: RunOf
) -> None:
    before, after = (
        replace(
            measured(per_s, per_s + 1, per_s - 1),
            sessions=SessionCounts(started=1000, succeeded=1000 - failed, failed=failed),
        )
        for per_s, failed in ((100, 20), (80, 21))
    )
    (change,) = compare_runs(run_of([before]), run_of([after])).changes
    assert not change.is_judged_by_loss
    assert change.direction is Direction.WORSE


def test_a_run_against_itself_is_the_same(sample: Run) -> None:
    compared = compare_runs(sample, sample)
    assert compared.environment == ()
    assert {change.score.direction for change in compared.changes} == {Direction.SAME}


def test_cells_that_differ_in_what_was_asked_for_are_not_compared(
    measured: Callable[..., CellResult], run_of: RunOf
) -> None:
    ours, theirs = measured(9, 9), changed(measured(9, 9), seed=99)
    compared = compare_runs(run_of([ours]), run_of([theirs]))
    assert compared.changes == ()
    assert (compared.only_before, compared.only_after) == ((ours,), (theirs,))


def test_what_differs_in_the_environments_is_named(sample: Run) -> None:
    packages = {**sample.environment.packages, "openai": "9.9.9", "added": "1"}
    other = replace(
        sample, environment=replace(sample.environment, python="3.13.0", packages=packages)
    )
    compared = compare_runs(sample, other)
    assert compared.environment == (
        ("python", "3.11.7", "3.13.0"),
        ("openai", "3.52.0", "9.9.9"),
        ("added", "", "1"),
    )
    assert "openai 3.52.0 → 9.9.9" in " ".join(summary(compared))


def test_the_markdown_is_a_table_that_names_cannot_break(hostile: Run) -> None:
    text = compared_markdown(compare_runs(hostile, hostile), "a|b", "c")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(rows(compare_runs(hostile, hostile)))
    assert {line.replace("\\|", "").count("|") for line in lines} == {9}
    assert "<script>" not in text


def test_the_chart_has_a_row_for_each_cell(
    measured: Callable[..., CellResult], run_of: RunOf, tmp_path: Path
) -> None:
    compared = compare_runs(run_of([measured(9, 9.1, 9)]), run_of([measured(8, 8.1, 8)]))
    (axes,) = draw(describe_ratios("a → b", compared)).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["tools/agent/gather/asyncio@10"]
    files = write_ratio_charts("a/run.json", [("b", compared)], tmp_path)
    assert [path.name for path in files] == ["compared.svg", "compared.png"]


def test_every_run_that_a_report_survives_can_be_compared(degenerate: Run) -> None:
    compared = compare_runs(degenerate, degenerate)
    assert summary(compared)
    draw(describe_ratios("itself", compared))


def test_the_command_compares_files_and_refuses_one(
    warpbench: Callable[..., object], sample: Run, tmp_path: Path
) -> None:
    some = replace(sample, cells=sample.cells[:6])
    write_run(some, tmp_path / "a.json")
    write_run(some, tmp_path / "b" / "run.json")
    done = warpbench("compare", "a.json", "b", "a.json", "--markdown", "c.md", "--out", "charts")
    assert done.status == 0, done.err  # type: ignore[attr-defined]
    assert "show no significant change" in done.out  # type: ignore[attr-defined]
    assert (tmp_path / "c.md").read_text().count("### warpbench") == 2
    assert (tmp_path / "charts" / "compared-2.png").exists()

    alone = warpbench("compare", "a.json")
    assert alone.status == 2  # type: ignore[attr-defined]
    assert alone.err == "warpbench: compare a.json: expected two runs or more\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("scatter", [0.004, 0.02, 0.3])
def test_no_two_ticks_of_the_chart_are_named_alike(
    measured: Callable[..., CellResult], run_of: RunOf, scatter: float
) -> None:
    before = run_of([measured(10.0, 10.0 * (1 + scatter), 10.0 * (1 - scatter))])
    axes = draw(describe_ratios("a → b", compare_runs(before, before))).axes[0]
    low, high = axes.get_xlim()
    shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
    names = [axes.xaxis.get_major_formatter()(tick, 0) for tick in shown]
    assert len(set(names)) == len(names) >= 3


def test_open_loops_are_compared_by_latency_and_not_by_what_arrives(
    cell: Cell, run_of: RunOf
) -> None:
    def answering_after(latency_s: float) -> CellResult:
        trials = tuple(
            trial_figures(20.0, latency_ns=(round(latency_s * factor * 1e9),) * 100)
            for factor in (0.99, 1.0, 1.01)
        )
        latency = LatencySummary(p50=latency_s, p99=latency_s, max=latency_s)
        return cell(
            "gather",
            "asyncio",
            10,
            arrivals="poisson:20",
            throughput_per_s=20.0,
            latency_s=latency,
            trial_figures=trials,
        )

    runs = run_of([answering_after(0.5)]), run_of([answering_after(0.8)])
    later, sooner = compare_runs(*runs), compare_runs(*reversed(runs))

    (change,) = later.changes
    assert change.percentile == "p99"
    assert change.score.value == pytest.approx(1.6)
    assert change.score.direction is Direction.WORSE
    assert sooner.changes[0].direction is Direction.BETTER
    assert rows(later)[0][1:4] == ("p99 500 ms", "p99 800 ms", "1.600")
    (panel,) = describe_ratios("a → b", later).panels
    assert panel is not None
    assert panel.x.text == "change of p99 latency, with 95 % CI"


@pytest.mark.once
def test_the_wording_of_a_comparison(
    measured: Callable[..., CellResult], run_of: RunOf, sample: Run
) -> None:
    lossy = replace(
        measured(9, 9, strategy="taskgroup"),
        sessions=SessionCounts(started=100, succeeded=20, failed=80),
    )
    before = run_of(
        [
            measured(100, 101, 99, strategy="gather"),
            measured(100, 140, 70, strategy="threads"),
            measured(100, 101, 99, strategy="workers"),
            measured(100, 101, 99, strategy="taskgroup"),
            measured(100, strategy="executor"),
            measured(9, 9, strategy="sync"),
        ]
    )
    after = run_of(
        [
            measured(90, 91, 89, strategy="gather", cpu_s=0.005),
            measured(90, 120, 60, strategy="threads"),
            measured(120, 121, 119, strategy="workers"),
            lossy,
            measured(80, strategy="executor"),
        ]
    )
    environment = replace(after.environment, python="3.13.0")
    file = io.StringIO()
    console = Console(file=file, width=140)
    print_compared(compare_runs(before, replace(after, environment=environment)), console)
    print_compared(compare_runs(before, run_of([])), console)
    markdown = compared_markdown(compare_runs(before, after), "a.json", "b.json")
    assert_golden("compare", f"{file.getvalue()}\n{markdown}")


ACROSS_TARGETS = ("strategy", "loop", "concurrency")


def test_cells_are_matched_across_targets_if_that_is_asked_for(
    measured: Callable[..., CellResult], run_of: RunOf
) -> None:
    ours, theirs = measured(100, 101, 99), measured(50, 51, 49)
    before, after = run_of([ours]), run_of([changed(theirs, target="bare-sdk")])
    assert compare_runs(before, after).changes == ()
    compared = compare_runs(before, after, ACROSS_TARGETS)
    (change,) = compared.changes
    assert change.direction is Direction.WORSE
    ((name, *_),) = rows(compared)
    assert name == "tools/agent/gather/asyncio@10 → bare-sdk"
    assert differing(before, after) == {"target": ("agent", "bare-sdk")}


def test_what_matches_two_cells_of_one_run_is_refused(
    measured: Callable[..., CellResult], run_of: RunOf
) -> None:
    one = measured(100, 101, 99)
    run = run_of([one, changed(one, target="bare-sdk")])
    with pytest.raises(UsageError, match="of the first run agree in that; match by more"):
        compare_runs(run, run, ACROSS_TARGETS)
