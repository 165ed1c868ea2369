"""The terminal's report."""

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console
from warpbench.bench.results.formatting import DASH
from warpbench.bench.results.records import CellResult, LatencySummary, RateSummary, Run
from warpbench.reports.comparison.columns import columns_for
from warpbench.reports.comparison.ranking import scenarios
from warpbench.reports.comparison.scaling import objectives_of
from warpbench.reports.comparison.summary_text import verdict
from warpbench.reports.terminal.table import render_table

from ...built import changed, trial_with_streams
from ...golden import assert_golden

pytestmark = pytest.mark.once

WIDTHS = (80, 100, 140)


def printed(run: Run, width: int = 140, *, terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=terminal,
        color_system="truecolor" if terminal else None,
    )
    render_table(run, console)
    return file.getvalue()


def rows(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_console(degenerate: Run, width: int) -> None:
    assert max(map(cell_len, printed(degenerate, width).splitlines()), default=0) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_each_cell_has_one_line(sample: Run, width: int) -> None:
    text = printed(sample, width)
    begins = re.findall(r"^[★☆ ] {2}(\w+) +(?:\W|asyncio|uvloop) +\d+ ", text, re.MULTILINE)
    assert sorted(begins) == sorted(result.cell.strategy for result in sample.cells)
    assert "…" not in text


def test_a_wide_console_shows_all_columns(sample: Run) -> None:
    assert rows(printed(sample, 140))[1] == [
        "strategy",
        "loop",
        "concurrency",
        "makespan",
        "ideal",
        "efficiency",
        "throughput",
        "± 95 % CI",
        "p50",
        "p99",
        "CPU/session",
        "RSS",
        "wall time",
    ]


def test_a_narrow_console_loses_the_least_important_columns(sample: Run) -> None:
    headings = rows(printed(sample, 80))[1]
    assert headings[:5] == ["strategy", "loop", "concurrency", "efficiency", "throughput"]
    assert {"p50", "p99"} <= set(headings)
    assert {"wall time", "ideal", "RSS"}.isdisjoint(headings)


def test_those_that_are_tied_at_a_load_are_marked(sample: Run) -> None:
    at_100 = [line for line in printed(sample).splitlines() if " 100  " in line]
    assert [line[:12].split() for line in at_100 if line[0] != " "] == [
        ["☆", "gather"],
        ["☆", "taskgroup"],
        ["☆", "workers"],
    ]


def test_a_percentile_that_the_samples_cannot_carry_is_a_dash(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    _, headings, row, *_ = rows(printed(run_of([cell("gather", "asyncio", 10)])))
    shown = dict(zip(reversed(headings), reversed(row), strict=False))
    assert shown["p50"] == "1.25 s"
    assert shown["p99"] == DASH


def test_failed_and_not_applicable_cells_say_why(sample: Run) -> None:
    text = printed(sample)
    assert "executor · uvloop at concurrency 100: failed: the trial was killed by signal 9" in text
    assert "blocking · asyncio at concurrency 100: not applicable: the target has no sync" in text


def test_sessions_that_did_not_succeed_are_counted(sample: Run) -> None:
    assert (
        "threads at concurrency 100: 3 failed, 2 timed out of 1,200 sessions:"
        " APITimeoutError: Request timed out." in printed(sample)
    )


def test_findings_come_before_the_verdict(sample: Run) -> None:
    text = printed(sample, 1000)
    order = [text.index(finding.message) for finding in sample.findings]
    order.append(text.index(verdict(sample)[0]))
    assert order == sorted(order)


def test_targets_get_a_column_where_there_are_several(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    one, other = (cell("gather", "asyncio", 10, target=target) for target in ("agent", "bare"))
    assert rows(printed(run_of([one, other])))[1][0] == "target"
    assert rows(printed(run_of([one])))[1][0] == "strategy"


def test_no_terminal_gets_plain_text(sample: Run) -> None:
    assert "\x1b" not in printed(sample)
    assert "\x1b" in printed(sample, terminal=True)


def test_a_terminal_without_unicode_gets_ascii(sample: Run, hostile: Run) -> None:
    for run in (sample, hostile):
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
        render_table(run, Console(file=file, width=100))
        file.flush()
        assert raw.getvalue().isascii()


def test_hostile_names_cannot_steer_a_terminal(hostile: Run) -> None:
    text = printed(hostile, terminal=False)
    assert all(character.isprintable() or character == "\n" for character in text)


def test_a_name_is_no_markup(cell: Callable[..., CellResult], run_of: Callable[..., Run]) -> None:
    marked = changed(cell("gather", "asyncio", 10), strategy="[red]x[/red]", error=None)
    assert "[red]x[/red]" in printed(run_of([marked]))


def test_the_legend_explains_the_marks_that_are_shown_and_no_others(
    sample: Run, cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    def legend(*cells: CellResult) -> set[str]:
        text = printed(run_of(cells))
        shown = ("★ fastest", "☆ statistically tied", "? too noisy to rank", "(blank) slower")
        return {mark[0] for mark in shown if mark in text}

    def once(result: CellResult) -> CellResult:
        return replace(result, trial_figures=result.trial_figures[:1])

    best, level = cell("gather", "asyncio", 10, 0.9), cell("workers", "asyncio", 10, 0.9)
    slower = cell("threads", "none", 10, 0.5)
    assert legend(best) == set()
    assert legend(best, level) == {"☆"}
    assert legend(best, slower) == {"★", "("}
    assert legend(best, level, slower) == {"☆", "("}
    assert legend(once(best), once(slower)) == {"?"}


def test_the_wording_of_the_table(
    sample: Run, cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    open_loop = replace(
        cell("gather", "asyncio", 100, arrivals="poisson:20"),
        raw_latency_s=LatencySummary(p50=0.5, p99=0.6),
        delivered_per_s=19.8,
    )
    streams = replace(
        cell("gather", "asyncio", 100),
        ttft_s=LatencySummary(p50=0.3, p95=0.5, p99=0.7),
        itl_s=LatencySummary(p99=0.04),
        tokens_per_s=RateSummary(p50=48.5),
        first_output_s=LatencySummary(p50=0.4, p99=0.9),
        trial_figures=(trial_with_streams(good=30, bad=10),),
    )
    streaming = replace(run_of([streams]), objective="ttft_p95=800ms,p99=10s")
    explained = "\n".join(
        f"{column.heading}: {column.explanation}"
        for run in (run_of([open_loop, cell("gather", "asyncio", 10)]), streaming)
        for scenario in scenarios(run)
        for column in columns_for(scenario, objectives_of(run))
    )
    tables = [
        printed(sample, 140),
        printed(sample, 80),
        printed(run_of([open_loop]), 200),
        printed(streaming, 220),
    ]
    assert_golden("table", "\n".join([*tables, *dict.fromkeys(explained.splitlines())]))


def test_columns_of_streams_and_outputs_are_there_where_a_cell_has_them(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    def headings(*cells: CellResult, objective: str | None = None) -> set[str]:
        run = replace(run_of(cells), objective=objective)
        (scenario,) = scenarios(run)
        return {column.heading for column in columns_for(scenario, objectives_of(run))}

    plain = cell("gather", "asyncio", 10)
    streams = replace(cell("workers", "asyncio", 10), ttft_s=LatencySummary(p50=0.3))
    outputs = replace(cell("taskgroup", "asyncio", 10), first_output_s=LatencySummary(p50=0.3))

    assert headings(plain, streams) - headings(plain) == {
        *("TTFT p50", "TTFT p99", "ITL p99", "tokens/s"),
    }
    assert headings(plain, outputs) - headings(plain) == {"first output p50", "first output p99"}
    assert headings(plain, objective="p50=1s") - headings(plain) == {"goodput"}
