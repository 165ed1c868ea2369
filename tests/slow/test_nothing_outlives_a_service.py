"""A service as deployed ends with the run, however that ends, with its workers and daemons."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..bench.runner.test_supervisor import is_alive, left_of
from .test_nothing_outlives_a_command import (  # noqa: F401 (fixtures)
    LONGEST_S,
    descendants,
    noted,
    notes,
    start,
    wait_for,
)

pytest.importorskip("psutil")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux lets orphans be adopted, and children follow"
)

SERVER = Path(__file__).resolve().parent.parent / "bench" / "services" / "chat_server.py"
COMMAND = f"{sys.executable} -S {SERVER} {{port}} {{workers}}"
# The process of the command, a daemon of it, and two workers.
NOTED = 4
SCENARIO = """
name = "chat"
description = "Answers that take long."
sessions = 4
[model]
latency_s = {latency_s}
completion_tokens = 4
[[rounds]]
"""

Start = Callable[..., "subprocess.Popen[bytes]"]


def started(
    start: Start,  # noqa: F811
    folder: Path,
    latency_s: float,
) -> "subprocess.Popen[bytes]":
    (folder / "chat.toml").write_text(SCENARIO.format(latency_s=latency_s))
    options = ("--serve", COMMAND, "--workers", "2", "--concurrency", "4", "--trials", "1")
    return start(folder, "run", "chat.toml", *options)


def test_after_a_run_nothing_is_left_of_it(
    tmp_path: Path,
    notes: Path,  # noqa: F811
    start: Start,  # noqa: F811
) -> None:
    process = started(start, tmp_path, 0.1)

    assert process.wait(LONGEST_S) == 0
    assert len(noted(notes)) == NOTED
    assert left_of(noted(notes)) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143), (signal.SIGINT, 130)],
)
def test_a_run_that_is_ended_leaves_no_process_of_it(
    number: signal.Signals,
    expected: int,
    tmp_path: Path,
    notes: Path,  # noqa: F811
    start: Start,  # noqa: F811
) -> None:
    process = started(start, tmp_path, 600.0)
    wait_for(lambda: len(noted(notes)) >= NOTED, process)
    everything = sorted({*descendants(process.pid), *noted(notes)})
    assert all(is_alive(pid) for pid in noted(notes))

    process.send_signal(number)

    assert process.wait(LONGEST_S) == expected
    assert left_of(everything) == []
