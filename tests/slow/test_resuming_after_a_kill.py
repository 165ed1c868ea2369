"""A killed run keeps each trial that had ended, and ``--resume`` goes on with them.

Real processes and real signals; what is kept and taken is tested by value in
``tests/bench/runner/test_resuming.py``.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from warpbench.bench.results.records import FindingKind
from warpbench.bench.results.run_file import read_run

TRIALS = 4
CELLS = 3
COMMAND = (
    *(str(Path(sys.executable).with_name("warpbench")), "run", "tools"),
    *("--strategy", "sync,gather", "--loop", "asyncio,uvloop", "--concurrency", "10"),
    *("--sessions", "20", "--trials", str(TRIALS)),
)
LONGEST_S = 120


def started(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "--out", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def trial_files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "trials").glob("*-[0-9].json")}


def ended_by(number: signal.Signals, folder: Path) -> tuple[int, dict[str, bytes]]:
    """Start a run, end it when some trials have ended; return its status and what it kept."""
    process = started(folder)
    until = time.monotonic() + LONGEST_S
    while len(trial_files(folder)) <= CELLS:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate(timeout=LONGEST_S)
    return process.returncode, trial_files(folder)


def resumed(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, "--resume", str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONGEST_S,
    )


def test_a_killed_run_keeps_its_trials_and_goes_on(tmp_path: Path) -> None:
    status, before = ended_by(signal.SIGKILL, tmp_path)
    assert status == -signal.SIGKILL
    assert not (tmp_path / "run.json").exists()

    resumed(tmp_path)

    after = trial_files(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len(after) == CELLS * TRIALS
    run = read_run(tmp_path / "run.json")
    assert [cell.trials for cell in run.cells] == [TRIALS] * CELLS
    assert run.findings == ()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_writes_its_file_and_goes_on(
    number: signal.Signals, tmp_path: Path
) -> None:
    status, before = ended_by(number, tmp_path)
    assert status == 128 + number
    run = read_run(tmp_path / "run.json")
    assert run.findings[0].kind is FindingKind.INTERRUPTED
    assert sum(cell.trials for cell in run.cells) == len(before)

    resumed(tmp_path)

    run = read_run(tmp_path / "run.json")
    assert [cell.trials for cell in run.cells] == [TRIALS] * CELLS
    assert FindingKind.INTERRUPTED not in {finding.kind for finding in run.findings}


def test_another_command_is_refused_in_one_line(tmp_path: Path) -> None:
    ended_by(signal.SIGKILL, tmp_path)
    refused = subprocess.run(
        [*COMMAND, "--seed", "2", "--resume", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "holds the trials of another command; go on with `" in refused.stderr
