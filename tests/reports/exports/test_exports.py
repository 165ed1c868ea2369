"""Exports, read by the tools that they are for."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.results.records import LatencySummary, TrialFigures
from warpbench.bench.results.samples import Outcome
from warpbench.reports.exports import bencher, csv_samples, github_action, pytest_benchmark

from ...bench.results.test_run_file import CELL, RUN
from ...built import trial_with_streams
from ...conftest import Finished, run_warpbench_here

pytestmark = pytest.mark.once

TRIAL = TrialFigures(
    makespan_s=1.0,
    throughput_per_s=1.0,
    cpu_s_per_session=0.1,
    elapsed_s=0.1,
    session=(0,),
    outcome=(Outcome.SUCCEEDED,),
    start_ns=(-1,),
    latency_ns=(5,),
)


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


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1"])
def test_no_name_in_csv_is_a_formula(name: str) -> None:
    cell = replace(CELL, cell=replace(CELL.cell, target=name), trial_figures=(TRIAL,))
    (row,) = csv.DictReader(io.StringIO(csv_samples.render(replace(RUN, cells=(cell,)))))
    assert row["target"] == f"'{name}"
    assert row["scenario"] == CELL.cell.scenario
    assert float(row["start_s"]) == -1e-9


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


def test_the_times_of_streams_are_in_every_format_that_has_percentiles() -> None:
    cell = replace(
        CELL,
        trial_figures=(trial_with_streams(good=1, bad=1),),
        ttft_s=LatencySummary(p50=0.3),
        first_output_s=LatencySummary(p95=0.4),
    )
    run = replace(RUN, cells=(cell,))

    (measures,) = json.loads(bencher.render(run)).values()
    assert measures["ttft-p50-s"] == {"value": 0.3}
    assert measures["first-output-p95-s"] == {"value": 0.4}
    names = {each["name"]: each["value"] for each in json.loads(github_action.render_smaller(run))}
    assert [value for name, value in names.items() if name.endswith("TTFT p50")] == [0.3]
    (benchmark,) = json.loads(pytest_benchmark.render(run))["benchmarks"]
    assert benchmark["extra_info"]["ttft_p50_s"] == 0.3
    assert benchmark["extra_info"]["itl_p50_s"] is None
    good, bad = csv.DictReader(io.StringIO(csv_samples.render(run)))
    assert [good["first_output_s"], bad["longest_ttft_s"]] == ["0.4", "3.0"]
    assert good["longest_gap_s"] == "0.02"


def test_a_session_without_a_stream_has_empty_fields_in_csv() -> None:
    run = replace(RUN, cells=(replace(CELL, trial_figures=(TRIAL,)),))
    (row,) = csv.DictReader(io.StringIO(csv_samples.render(run)))
    assert [row[name] for name in ("first_output_s", "longest_ttft_s", "longest_gap_s")] == [""] * 3
