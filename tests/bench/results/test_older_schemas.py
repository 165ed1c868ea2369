"""A run file of each schema that there has been is read, with the figures that were written.

The files were written by the commands of their time, and are as they were but for the folder
and the machine's name.
"""

from pathlib import Path

import pytest
from warpbench.bench.results.history import open_store
from warpbench.bench.results.records import SCHEMA_VERSION, FindingKind, Run
from warpbench.bench.results.run_file import read_run, write_run
from warpbench.bench.statistics.intervals import interval_of
from warpbench.mocks.clock import ClockMode

from ...conftest import run_warpbench_here

pytestmark = pytest.mark.once

FIXTURES = Path(__file__).parent / "fixtures"
SCHEMAS = range(1, SCHEMA_VERSION + 1)

MAKESPANS_S = {
    1: (4.8216421, 2.422415857, 4.230461741, 2.224771337),
    2: (4.8208532365, 2.4252869685, 4.2214706920000005, 2.2121281865),
    3: (4.8172143875, 2.4075946779999997, 4.2132789645, 2.2207889324999996),
    4: (4.8073067465, 2.408772539, 4.2054035505, 2.2071083225),
    5: (4.828932237, 2.4173095305, 4.216892687, 2.1938965525),
}


def fixture(schema: int) -> Path:
    return FIXTURES / f"schema_{schema}.json"


def read(schema: int) -> Run:
    return read_run(fixture(schema))


def test_there_is_a_file_of_each_schema() -> None:
    assert sorted(FIXTURES.iterdir()) == [fixture(schema) for schema in SCHEMAS]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_file_of_each_schema_is_read_with_its_figures(schema: int) -> None:
    run = read(schema)

    assert run.schema_version == SCHEMA_VERSION
    assert run.command.startswith("warpbench run tools blocking-blunder --strategy sync,gather")
    assert [(each.cell.scenario, each.cell.strategy) for each in run.cells] == [
        ("tools", "sync"),
        ("tools", "gather"),
        ("blocking-blunder", "sync"),
        ("blocking-blunder", "gather"),
    ]
    assert tuple(each.makespan_s for each in run.cells) == MAKESPANS_S[schema]
    for each in run.cells:
        assert (each.cell.clock, each.cell.arrivals) == (ClockMode.WARP, "closed")
        assert (each.cell.concurrency, each.trials, each.sessions.started) == (2, 2, 8)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_a_schema_did_not_have_is_not_there(schema: int) -> None:
    gather = read(schema).cells[1]
    assert len(gather.trial_figures) == (0 if schema < 2 else 2)
    assert (gather.time_parts_s is None) == (schema < 3)
    assert (gather.timeline is None) == (schema < 3)
    assert (gather.streamed_calls is None) == (schema < 5)
    assert (gather.prompt_tokens is None) == (schema < 5)


@pytest.mark.parametrize("schema", [2, 3, 4, 5])
def test_intervals_come_of_the_trials_of_older_files_too(schema: int) -> None:
    gather = read(schema).cells[1]
    interval = interval_of([trial.throughput_per_s for trial in gather.trial_figures])
    assert interval is not None
    assert gather.throughput_per_s is not None
    assert interval.holds(gather.throughput_per_s)


@pytest.mark.parametrize("schema", [3, 4, 5])
def test_what_blocked_a_loop_is_read_under_its_present_name(schema: int) -> None:
    run = read(schema)
    assert [blocker.times for blocker in run.cells[3].loop_blockers] == [8]
    assert [finding.kind for finding in run.findings] == [FindingKind.LOOP_BLOCKED]
    assert [each.cell.name for each in run.fidelity] == [
        "tools/agent/gather/asyncio@2",
        "blocking-blunder/agent/gather/asyncio@2",
    ]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_file_that_was_read_is_written_in_the_present_schema(schema: int, tmp_path: Path) -> None:
    write_run(read(schema), tmp_path / "run.json")
    assert f'"schema_version": {SCHEMA_VERSION}' in (tmp_path / "run.json").read_text()
    assert read_run(tmp_path / "run.json") == read(schema)


def test_a_history_holds_runs_of_all_schemas() -> None:
    assert len(list(open_store(FIXTURES).runs())) == len(SCHEMAS)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_report_is_made_of_a_file_of_each_schema(schema: int, tmp_path: Path) -> None:
    finished = run_warpbench_here(tmp_path, "report", str(fixture(schema)), "--out", str(tmp_path))
    assert finished.status == 0, finished.err
    assert "1.65/s" in finished.out or "1.66/s" in finished.out
    assert (tmp_path / "report.html").exists()
