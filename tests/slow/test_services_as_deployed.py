"""Services as they are deployed: uvicorn and FastAPI, in real time, with real kills.

On an idle machine: the figures are compared with those of in-process.
"""

import contextlib
import importlib.util
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from ..conftest import run_warpbench

psutil = pytest.importorskip("psutil")

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(
        importlib.util.find_spec("fastapi") is None,
        reason="fastapi is not installed: make examples",
    ),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells at once of an end"),
]

CHECKOUT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = CHECKOUT / "examples"
SHOWN = re.findall(
    r"^```text\n(\$ warpbench run \S+ --serve .*?)^```",
    (CHECKOUT / "docs" / "services.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
SERVE = "uvicorn fastapi_service:app --port {port} --workers {workers}"
LONGEST_S = 300
PAIRS = 2


def run(out: Path, *arguments: str) -> list[dict[str, Any]]:
    """Run the example, and return its cells."""
    finished = run_warpbench(
        EXAMPLES, "run", "service.toml", *arguments, "--trials", "1", "--out", str(out)
    )
    assert finished.status in {0, 1}, finished.err
    return cells_of(out)


def cells_of(out: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads((out / "run.json").read_text())["cells"]
    return cells


def test_it_is_as_fast_as_in_process_where_neither_is_at_its_limit(tmp_path: Path) -> None:
    forms = {
        "deployed": ("--serve", SERVE, "--workers", "1"),
        "in-process": (
            *("--target", "asgi:fastapi_service:app", "--strategy", "gather"),
            *("--loop", "asyncio", "--clock", "wall"),
        ),
    }
    found: dict[str, list[dict[str, float]]] = {form: [] for form in forms}
    for pair in range(PAIRS):
        for form, options in forms.items():
            load = ("--concurrency", "10", "--sessions", "200")
            (cell,) = run(tmp_path / f"{form}{pair}", *options, *load)
            assert cell["sessions"]["succeeded"] == 200
            found[form].append(cell["latency_s"])

    for figure in ("p50", "p99"):
        deployed, in_process = (
            median(each[figure] for each in found[form]) for form in ("deployed", "in-process")
        )
        assert deployed == pytest.approx(in_process, rel=0.1)


def test_each_number_of_workers_has_its_cpu_and_memory(tmp_path: Path) -> None:
    one, two = run(
        tmp_path,
        *("--serve", SERVE, "--workers", "1,2", "--concurrency", "10", "--sessions", "100"),
    )

    assert [each["cell"]["workers"] for each in (one, two)] == [1, 2]
    for each in (one, two):
        use = each["service"]
        assert each["sessions"]["succeeded"] == 100
        assert each["cpu_s_per_session"] == pytest.approx(use["cpu_s"] / 100)
        assert each["peak_rss_bytes"] == use["memory_bytes"]
        assert (use["memory_kind"], use["ended"], use["started"]) == ("PSS", [], 0)
        # Each asks its database before its answer, and behind it.
        assert [(asked["host"], asked["requests"]) for asked in use["asked"]] == [
            ("database.example.com", 200)
        ]
        assert each["model_requests"]["by_marks"] == 200
        assert 0 < use["client_cpu_s"] < 0.5 * use["elapsed_s"]
    # uvicorn has a process above its workers, and another that Python needs to start them.
    assert [each["service"]["processes"] for each in (one, two)] == [1, 4]
    assert two["service"]["memory_bytes"] > 1.5 * one["service"]["memory_bytes"]


def test_a_worker_that_is_killed_is_told_and_no_session_is_lost(tmp_path: Path) -> None:
    command = [
        *(str(Path(sys.executable).with_name("warpbench")), "run", "service.toml"),
        *("--serve", SERVE, "--workers", "2", "--concurrency", "10", "--sessions", "150"),
        *("--trials", "1", "--out", str(tmp_path)),
    ]
    with ended(subprocess.Popen(command, cwd=EXAMPLES, stdout=subprocess.PIPE, text=True)) as lab:
        worker = busy_worker(lab)
        os.kill(worker, signal.SIGKILL)
        printed, _ = lab.communicate(timeout=LONGEST_S)

    assert lab.returncode == 1
    (cell,) = cells_of(tmp_path)
    counts = cell["sessions"]
    assert counts["started"] == 150
    assert counts["succeeded"] + counts["failed"] == 150
    assert 1 <= counts["failed"] <= 10  # as many as it had at most
    (death,) = cell["service"]["ended"]
    assert (death["pid"], death["status"]) == (worker, -signal.SIGKILL)
    assert 0 < death["replaced_after_ns"] < 10_000_000_000
    assert cell["service"]["started"] >= 1
    said = " ".join(printed.split())
    assert f"a process of the service, pid {worker}, ended" in said
    assert "(killed by SIGKILL), and another one was there" in said


@contextlib.contextmanager
def ended(lab: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    try:
        yield lab
    finally:
        lab.kill()
        lab.wait()


def busy_worker(lab: "subprocess.Popen[str]") -> int:
    """Return a worker that has answered sessions: it has computed beyond its imports."""
    until_s = time.monotonic() + LONGEST_S
    idle_s: dict[int, float] = {}
    while time.monotonic() < until_s:
        assert lab.poll() is None
        for worker in workers_of(lab.pid):
            with contextlib.suppress(psutil.Error):
                connections = [each for each in worker.net_connections() if each.raddr]
                computed_s = sum(worker.cpu_times()[:2])
                if len(connections) > 4:  # those of the users
                    idle_s.setdefault(worker.pid, computed_s)
                    if computed_s > idle_s[worker.pid] + 0.4:
                        return worker.pid
        time.sleep(0.05)
    raise AssertionError("no worker was busy")


def workers_of(pid: int) -> list[Any]:
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            words = process.parent().cmdline() if "spawn_main" in str(process.cmdline()) else []
            if any(word.endswith("uvicorn") for word in words):
                found.append(process)
    return found


@pytest.mark.parametrize("block", SHOWN)
def test_the_command_of_the_page_prints_what_it_shows_but_for_the_figures(
    block: str, tmp_path: Path
) -> None:
    command, _, shown = block.removeprefix("$ ").partition("\n")
    words = shlex.split(command)[1:]

    finished = run_warpbench(EXAMPLES, *words, "--out", str(tmp_path))

    assert finished.status == 0
    for part in shown.split("…\n"):
        assert masked(part) in masked(finished.out)


def masked(text: str) -> str:
    """Return a text without its figures, and on one line."""
    return " ".join(re.sub(r"[█░]+|[\d.,]*\d( (ms|s|µs|%))?", "#", text).split())
