"""Runs kept, and the trend of a cell over them."""

import contextlib
import json
import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.history import open_store
from warpbench.bench.results.records import LatencySummary, Run
from warpbench.bench.results.run_file import write_run
from warpbench.bench.statistics.change_points import change_points, trends
from warpbench.bench.statistics.figures import FIGURES
from warpbench.mocks.errors import RunFileError

from ...conftest import Warpbench
from .test_run_file import CELL, RUN

pytestmark = pytest.mark.once

NAME = "tools/agent/taskgroup/uvloop@100 (warp)"


def run_of(day: int, makespan_s: float) -> Run:
    cell = replace(CELL, makespan_s=makespan_s, latency_s=LatencySummary(p50=makespan_s))
    environment = replace(RUN.environment, commit=f"c{day:04d}")
    return replace(
        RUN, created_at=f"2026-01-{day:02d}T00:00:00Z", environment=environment, cells=(cell,)
    )


RUNS = [run_of(day, 1.0 + day / 1000 + (0.5 if day > 8 else 0)) for day in range(1, 17)]


@pytest.mark.parametrize("name", ["runs", "runs.sqlite"])
def test_a_store_gives_back_what_was_added_the_oldest_first(name: str, tmp_path: Path) -> None:
    store = open_store(tmp_path / name)
    for run in (RUNS[2], RUNS[0], RUNS[1], RUNS[0]):
        store.add(run)
    assert list(store.runs()) == RUNS[:3]


def test_a_change_point_is_where_a_level_begins(tmp_path: Path) -> None:
    (trend,) = trends(RUNS, "makespan_s")
    assert trend.cell == NAME
    (change,) = trend.changes
    assert trend.points[change.index].commit == "c0009"
    assert change.growth == pytest.approx(0.5, abs=0.02)


def test_noise_has_few_change_points_and_a_wild_run_is_none() -> None:
    lots = random.Random(3)
    series = [[1 + lots.gauss(0, 0.02) for _ in range(30)] for _ in range(60)]
    assert sum(bool(change_points(each)) for each in series) <= 2
    series[0][15] = 9.0
    assert change_points(series[0]) == ()


@given(st.lists(st.floats(0.001, 1000), max_size=12))
def test_any_series_has_change_points_within_it(values: list[float]) -> None:
    assert all(3 <= change.index <= len(values) - 3 for change in change_points(values))


@given(st.floats(0.001, 1000), st.integers(0, 20))
def test_a_level_is_no_change(value: float, count: int) -> None:
    assert change_points([value] * count) == ()


@pytest.mark.parametrize("metric", FIGURES)
def test_every_figure_has_a_trend_or_is_left_out(metric: str) -> None:
    figures = {"efficiency", "makespan_s", "latency_p50_s"}
    assert len(trends(RUNS, metric)) == (metric in figures)


@pytest.mark.parametrize("store", ["kept", "kept.sqlite"])
def test_the_command_keeps_runs_and_marks_the_change(
    store: str, warpbench: Warpbench, tmp_path: Path
) -> None:
    for number, run in enumerate(RUNS):
        write_run(run, tmp_path / f"{number}.json")
    names = ",".join(f"{number}.json" for number in range(len(RUNS)))
    shown = warpbench("history", store, "--add", names)
    assert shown.status == 0, shown.err
    assert NAME in shown.out
    assert "makespan_s  ▁▁▁▁▁▁▁▁◆████████  1.516" in shown.out
    assert "(16 runs)" in shown.out
    assert "◆ 2026-01-09T00:00:00Z at c0009: 1.004 → 1.512 (+50.6 %)" in shown.out

    document = json.loads(warpbench("history", store, "--metric", "latency_p50_s", "--json").out)
    assert document[0]["changes"][0]["index"] == 8


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nowhere",), "no such folder of runs"),
        (("nowhere.sqlite",), "no such file of runs"),
        (("broken.sqlite",), "not a history of runs"),
        (("broken",), "not JSON"),
        (("empty",), "no run in it has makespan_s"),
        (("empty", "--metric", "makespan"), "did you mean 'makespan_s'?"),
        (("empty", "--add", "nowhere.json"), "no such file"),
    ],
)
def test_faults_are_one_line_and_status_2(
    arguments: tuple[str, ...], complaint: str, warpbench: Warpbench, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    (tmp_path / "broken.sqlite").write_text("no database at all, but long enough to be one" * 9)
    refused = warpbench("history", *arguments)
    assert refused.status == 2
    (line,) = refused.err.splitlines()
    assert complaint in line


def test_a_history_below_a_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFileError, match=r"x\.sqlite: cannot be written \(.+\); choose"):
        open_store(tmp_path / "file" / "x.sqlite").add(RUNS[0])


@pytest.mark.parametrize("document", [None, 3, b"\xff"])
def test_a_history_that_holds_no_text_is_an_error_of_one_line(
    tmp_path: Path, document: object
) -> None:
    file = tmp_path / "runs.sqlite"
    open_store(file).add(RUNS[0])
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE other (created_at, document)")
        connection.execute("DROP TABLE runs")
        connection.execute("ALTER TABLE other RENAME TO runs")
        connection.execute("INSERT INTO runs VALUES (1, ?)", (document,))
    with pytest.raises(RunFileError, match="not a history of runs: not text"):
        list(open_store(file).runs())
