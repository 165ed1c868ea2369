"""Exports, read by the tools that they are for."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ...conftest import Finished, run_warpbench_here

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    finished = run_warpbench_here(
        tmp_path_factory.mktemp("run"),
        *("run", "two-sleeps", "--strategy", "sync,gather", "--loop", "asyncio"),
        *("--concurrency", "2", "--sessions", "4", "--trials", "3", "--json"),
    )
    assert finished.status == 0, finished.err
    return finished


def exported(run: Finished, name: str) -> str:
    finished = run_warpbench_here(run.folder, "export", name, "results")
    assert finished.status == 0, finished.err
    return finished.out


SYNC = "two-sleeps/agent/sync/none@2 (warp)"
GATHER = "two-sleeps/agent/gather/asyncio@2 (warp)"


def test_pytest_benchmark_compares_it(run: Finished) -> None:
    for name in ("before.json", "after.json"):
        (run.folder / name).write_text(exported(run, "pytest-benchmark"))
    command = str(Path(sys.executable).parent / "pytest-benchmark")
    compared = subprocess.run(
        [command, "compare", "before.json", "after.json"],
        cwd=run.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert compared.returncode == 0, compared.stderr
    assert GATHER in compared.stdout
    benchmark = json.loads(exported(run, "pytest-benchmark"))["benchmarks"][0]
    assert benchmark["name"] == SYNC
    assert benchmark["stats"]["rounds"] == 3
    assert benchmark["stats"]["data"] == [
        trial["makespan_s"] for trial in run.cells[0]["trial_figures"]
    ]
    assert benchmark["extra_info"]["llm_calls"] == run.cells[0]["llm_calls"]


def test_pyperf_compares_it(run: Finished) -> None:
    (run.folder / "perf.json").write_text(exported(run, "pyperf"))
    compared = subprocess.run(
        [sys.executable, "-m", "pyperf", "compare_to", "perf.json", "perf.json", "--verbose"],
        cwd=run.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert compared.returncode == 0, compared.stderr
    assert f"{GATHER} makespan" in compared.stdout
    shown = subprocess.run(
        [sys.executable, "-m", "pyperf", "show", "perf.json"],
        cwd=run.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"{SYNC} CPU" in shown.stdout, shown.stderr


@pytest.mark.parametrize(
    ("name", "metrics"),
    [
        ("github-bigger", {"throughput", "efficiency"}),
        ("github-smaller", {"makespan", "CPU per session", "latency p50", "latency p90"}),
    ],
)
def test_github_action_benchmark_has_its_two_formats(
    run: Finished, name: str, metrics: set[str]
) -> None:
    entries: list[dict[str, Any]] = json.loads(exported(run, name))
    for entry in entries:
        # What the action requires, and of which type.
        assert isinstance(entry["name"], str)
        assert isinstance(entry["unit"], str)
        assert isinstance(entry["value"], float)
        assert isinstance(entry.get("range", ""), str)
    assert {entry["name"].removeprefix(f"{SYNC} ") for entry in entries[: len(metrics)]} == metrics


def test_bencher_gets_measures_with_their_bounds(run: Finished) -> None:
    measures = json.loads(exported(run, "bencher"))[GATHER]
    makespan = measures["makespan-s"]
    assert makespan["lower_value"] <= makespan["value"] <= makespan["upper_value"]
    assert {"throughput-per-s", "cpu-s-per-session", "latency-p50-s"} < measures.keys()


def test_csv_has_a_line_for_every_session_of_every_trial(run: Finished) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(run, "csv"))))
    assert len(rows) == 2 * 3 * 4
    assert {row["outcome"] for row in rows} == {"succeeded"}
    latencies = sorted(float(row["latency_s"]) for row in rows if row["strategy"] == "sync")
    assert latencies[-1] == run.cells[0]["latency_s"]["max"]


def test_an_export_goes_to_a_file_and_faults_are_one_line(run: Finished) -> None:
    written = run_warpbench_here(run.folder, "export", "csv", "results", "--out", "out/samples.csv")
    assert (written.status, written.out) == (0, "")
    assert (run.folder / "out" / "samples.csv").read_text() == exported(run, "csv")
    for arguments, complaint in (
        (("csw", "results"), "did you mean 'csv'"),
        (("csv", "nowhere"), "no such file"),
    ):
        refused = run_warpbench_here(run.folder, "export", *arguments)
        assert refused.status == 2
        (line,) = refused.err.splitlines()
        assert complaint in line
