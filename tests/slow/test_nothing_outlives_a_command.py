"""A command that is ended by any signal takes every process that it has started with it.

Real processes and real kills; what ends with a trial of a run that goes on is tested in
``tests/bench/runner/test_supervisor.py``.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..bench.gate.time.test_worktrees import commit, git
from ..bench.runner.test_supervisor import is_alive, left_of

LONGEST_S = 120
# Its session computes without end, beside servers of its own, as of an MCP client or a browser.
AGENT = """
import os, pathlib, subprocess

def build():
    folder = pathlib.Path(os.environ["NOTES"])
    async def session(task):
        for apart in (False, True):
            process = subprocess.Popen(["sleep", "600"], start_new_session=apart)
            (folder / str(process.pid)).touch()
        (folder / str(os.getpid())).touch()
        while True:
            pass
    return session
"""
NOTED = 3
RUN = ("run", "two-sleeps", "--target", "endless:build", "--strategy", "gather", "--trials", "2")
CELL = ("two-sleeps", "--concurrency", "1", "--sessions", "2")

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux lets orphans be adopted, and children follow"
)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def start(tmp_path: Path, notes: Path) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start a command in a group of its own, as a shell does."""
    started: list[subprocess.Popen[bytes]] = []

    def start_it(folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("warpbench")), *arguments],
            cwd=folder,
            env={**os.environ, "NOTES": str(notes), "TMPDIR": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start_it
    for process in started:
        process.kill()
        process.wait()


def descendants(pid: int) -> list[int]:
    try:
        children = [int(i) for i in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(other for child in children for other in descendants(child))]


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    until_s = time.monotonic() + LONGEST_S
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < until_s
        time.sleep(0.01)


def noted(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir()]


def end_and_count(
    process: "subprocess.Popen[bytes]", number: signal.Signals, notes: Path
) -> tuple[int, list[int]]:
    """End a command whose trial computes; return its status and what is left of its processes."""
    wait_for(lambda: len(noted(notes)) >= NOTED, process)
    started = {*descendants(process.pid), *noted(notes)}
    assert len(started) > NOTED  # the server of trials, and who stands over the trial, besides
    assert all(is_alive(pid) for pid in noted(notes))
    # As Ctrl-C does, which goes to the whole group; the others are sent to the command.
    send = os.killpg if number is signal.SIGINT else os.kill
    send(process.pid, number)
    status = process.wait(LONGEST_S)
    return status, left_of(sorted(started))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (signal.SIGKILL, -signal.SIGKILL),
        (signal.SIGHUP, -signal.SIGHUP),
        (signal.SIGTERM, 143),
        (signal.SIGINT, 130),
    ],
)
def test_a_run_that_is_ended_leaves_no_process(
    number: signal.Signals,
    expected: int,
    tmp_path: Path,
    notes: Path,
    start: Callable[..., "subprocess.Popen[bytes]"],
) -> None:
    (tmp_path / "endless.py").write_text(AGENT)
    process = start(tmp_path, *RUN)
    assert end_and_count(process, number, notes) == (expected, [])


def test_a_run_that_does_not_look_is_rid_of_its_trial_at_the_time_limit(
    tmp_path: Path, notes: Path, start: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    (tmp_path / "endless.py").write_text(AGENT)
    process = start(tmp_path, *RUN, "--time-limit", "3s")
    wait_for(lambda: len(noted(notes)) >= NOTED, process)
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: not any(map(is_alive, noted(notes))), process)


OWN = """
from openai import AsyncOpenAI

def build():
    client = AsyncOpenAI()
    async def session(task):
        answer = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": task}]
        )
        return answer.choices[0].message.content
    return session
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_gate_that_is_ended_leaves_no_process_and_no_worktree(
    number: signal.Signals,
    tmp_path: Path,
    notes: Path,
    start: Callable[..., "subprocess.Popen[bytes]"],
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "--quiet")
    (project / ".gitignore").write_text("warpbench-baseline.json\n__pycache__\n")
    (project / "endless.py").write_text(OWN)
    baseline = start(project, "baseline", *CELL, "--target", "endless:build")
    assert baseline.wait(LONGEST_S) == 0
    (project / "endless.py").write_text(AGENT)
    commit(project)
    judge = ("gate", "--tier", "time", "--against", "HEAD")

    status, left = end_and_count(start(project, *judge), number, notes)

    assert left == []
    if number is signal.SIGKILL:
        assert status == -signal.SIGKILL
        assert git(project, "worktree", "list").count("\n") > 0  # nobody was there to remove them
        for file in notes.iterdir():
            file.unlink()
        end_and_count(start(project, *judge), signal.SIGTERM, notes)  # the next start does
    else:
        assert status == 143
    assert git(project, "worktree", "list").count("\n") == 0
    assert [file.name for file in tmp_path.glob("warpbench-*")] == []
