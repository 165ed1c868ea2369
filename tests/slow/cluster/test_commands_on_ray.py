"""``warpbench run --on ray``: what it measures, and what it leaves behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ...bench.runner.test_supervisor import left_of
from ..test_nothing_outlives_a_command import descendants

LONGEST_S = 300
WARPBENCH = str(Path(sys.executable).with_name("warpbench"))
EXACT = ("tools", "--clock", "virtual", "--concurrency", "4,8", "--sessions", "24", "--quiet")
ENDLESS = ("tools", "--on", "ray", "--concurrency", "50", "--trials", "200")
# Fails where it sees anything of Ray, or is not on one core.
WATCHFUL = """
import os, sys

def build(lab):
    from openai import AsyncOpenAI
    client = AsyncOpenAI()

    async def session(task):
        seen = [name for name in os.environ if name.startswith("RAY")]
        seen += [name for name in sys.modules if name.partition(".")[0] == "ray"]
        if seen or len(os.sched_getaffinity(0)) != 1:
            raise RuntimeError(f"{seen} {os.sched_getaffinity(0)}")
        answer = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": task}]
        )
        return answer.choices[0].message.content

    return session
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where commands run; temporary files have a short path of their own, for Ray's sockets."""
    short = tempfile.mkdtemp(prefix="w", dir="/tmp")
    monkeypatch.setenv("TMPDIR", short)
    yield tmp_path
    left = [each.name for each in Path(short).iterdir()]
    shutil.rmtree(short)
    assert [name for name in left if name.startswith("ray-")] == []


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return warpbench(folder, "run", *arguments)


def warpbench(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [WARPBENCH, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def cells_in(folder: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads((folder / "run.json").read_text())["cells"]
    return cells


def without_machine(value: Any) -> Any:
    """What a machine has no part in: all but real time, CPU, memory, and where it ran."""
    if isinstance(value, dict):
        of_machine = (
            "blocks_kept",
            "bytes_kept",
            "elapsed",
            "cpu",
            "rss",
            "probe",
            "vitals",
            "drift",
            "nodes",
            "gc_pause",
        )
        return {
            name: without_machine(each)
            for name, each in value.items()
            if not any(part in name for part in of_machine)
        }
    return [without_machine(each) for each in value] if isinstance(value, list) else value


def test_structure_is_that_of_one_machine_exactly(folder: Path) -> None:
    here = run(folder, *EXACT, "--out", "here")
    there = run(folder, *EXACT, "--out", "there", "--on", "ray")

    assert (here.returncode, there.returncode) == (0, 0), there.stderr
    assert without_machine(cells_in(folder / "there")) == without_machine(cells_in(folder / "here"))
    (node,) = cells_in(folder / "there")[0]["trial_figures"][0]["nodes"]
    assert node["kind"]["cores"] == len(os.sched_getaffinity(0))


def test_shards_are_what_processes_are_in_virtual_time(folder: Path) -> None:
    sharded = (*EXACT, "--strategy", "gather,threads")
    here = run(folder, *sharded, "--out", "here", "--processes", "3")
    there = run(folder, *sharded, "--out", "there", "--shards", "3", "--on", "ray")
    local = run(folder, *sharded, "--out", "local", "--shards", "3")

    assert {each.returncode for each in (here, there, local)} == {0}, there.stderr
    expected = without_machine(cells_in(folder / "here"))
    assert without_machine(cells_in(folder / "there")) == expected
    assert without_machine(cells_in(folder / "local")) == expected


def test_a_trial_sees_nothing_of_ray_and_runs_on_one_core(folder: Path) -> None:
    (folder / "watchful.py").write_text(WATCHFUL)
    arguments = ("chat", "--target", "watchful:build", "--strategy", "gather", "--clock", "virtual")

    found = run(folder, *arguments, "--sessions", "4", "--concurrency", "2", "--on", "ray")

    assert found.returncode == 0, found.stdout + found.stderr
    assert re.search(r"^ray: \d+ workers? on this machine, started in ", found.stderr, re.MULTILINE)


def test_the_gate_finds_what_was_measured_on_one_machine(folder: Path) -> None:
    cells = ("tools", "--strategy", "gather,threads", "--concurrency", "2,4", "--sessions", "6")
    assert warpbench(folder, "baseline", *cells).returncode == 0

    there = warpbench(folder, "gate", "--on", "ray")

    assert there.returncode == 0, there.stdout + there.stderr
    assert "passed: 4 cells, exactly as in the baseline" in there.stdout


def test_a_baseline_is_that_of_one_machine_exactly(folder: Path) -> None:
    cells = ("tools", "--strategy", "gather,threads,taskgroup", "--sessions", "6", "--quiet")

    here = warpbench(folder, "baseline", *cells, "--out", "here.json")
    there = warpbench(folder, "baseline", *cells, "--out", "there.json", "--on", "ray")

    assert (here.returncode, there.returncode) == (0, 0), there.stderr
    written = [json.loads((folder / name).read_text()) for name in ("here.json", "there.json")]
    assert without_machine(written[1]) == without_machine(written[0])


def test_a_cluster_that_is_not_there_is_one_line(folder: Path) -> None:
    found = subprocess.run(
        [WARPBENCH, "run", "chat", "--on", "ray"],
        cwd=folder,
        env={**os.environ, "RAY_ADDRESS": "127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )

    assert found.returncode == 2
    assert found.stderr.startswith("warpbench: --on ray: no cluster at 127.0.0.1:1")
    assert found.stderr.count("\n") == 1


def trials_in(folder: Path) -> int:
    trials = folder / "results" / "trials"
    return len(list(trials.glob("*@*.json"))) if trials.is_dir() else 0


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_run_that_is_ended_leaves_no_remote_task(
    number: signal.Signals, expected: int, folder: Path
) -> None:
    process = subprocess.Popen(
        [WARPBENCH, "run", *ENDLESS, "--strategy", "gather,threads"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until_s = time.monotonic() + LONGEST_S
    while trials_in(folder) < 4:
        assert process.poll() is None
        assert time.monotonic() < until_s
        time.sleep(0.05)
    started = descendants(process.pid)
    assert any("ray::OnNode" in command_of(pid) for pid in started)

    (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)

    assert process.wait(LONGEST_S) == expected
    assert left_of(started) == []
    assert len(cells_in(folder / "results")) == 3
    assert trials_in(folder) >= 4


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def listening_elsewhere(pids: Sequence[int]) -> list[str]:
    """The sockets of processes that listen beyond this machine's loopback."""
    inodes = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(str(descriptor.readlink()))
            except OSError:
                continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            is_listening = fields[3] == "0A"
            address = fields[1].partition(":")[0]
            is_loopback = address in {"0100007F", "0" * 24 + "01000000"} or address.endswith(
                "FFFF00000100007F"
            )
            if is_listening and not is_loopback and f"socket:[{fields[9]}]" in inodes:
                found.append(fields[1])
    return found


def test_a_local_cluster_listens_on_loopback_alone(folder: Path) -> None:
    process = subprocess.Popen(
        [WARPBENCH, "run", *ENDLESS],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until_s = time.monotonic() + LONGEST_S
        while not trials_in(folder):
            assert time.monotonic() < until_s
            time.sleep(0.05)
        assert listening_elsewhere([process.pid, *descendants(process.pid)]) == []
    finally:
        process.terminate()
        process.wait(LONGEST_S)
