"""One cell of a million sessions, in shards on two workers: each counts once, in bounded memory."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from .test_commands_on_ray import WARPBENCH, folder

__all__ = ["folder"]

SESSIONS = 1_000_000
SHARDS = 32
LONGEST_S = 3_600
MOST_BYTES = 2 * 2**30


def peak_bytes(pid: int) -> int:
    """The greatest resident set of a process so far; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


@pytest.mark.timeout(LONGEST_S)
def test_a_million_sessions_count_once_each_and_fit_into_two_gigabytes(folder: Path) -> None:
    process = subprocess.Popen(
        [
            *(WARPBENCH, "run", "chat", "--clock", "virtual", "--on", "ray", "--quiet"),
            *("--sessions", str(SESSIONS), "--concurrency", str(10 * SHARDS)),
            *("--shards", str(SHARDS), "--strategy", "gather", "--loop", "asyncio"),
            *("--time-limit", f"{LONGEST_S}s"),
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_bytes(process.pid))
        time.sleep(0.2)

    assert process.returncode == 0
    (cell,) = json.loads((folder / "results" / "run.json").read_text())["cells"]
    assert cell["sessions"]["succeeded"] == SESSIONS
    assert sorted(cell["trial_figures"][0]["session"]) == list(range(SESSIONS))
    assert 0 < peak < MOST_BYTES
