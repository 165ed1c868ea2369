"""The commands: what they write, their exit status, one clear line for what cannot be used."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from warpbench.bench.cli.main import main
from warpbench.bench.results.records import SCHEMA_VERSION
from warpbench.bench.targets.loading import require_target
from warpbench.mocks.errors import TargetError

from ...conftest import run_warpbench_here

Warpbench = Any
QUICK = ("--clock", "virtual", "--strategy", "gather", "--loop", "asyncio", "--concurrency", "2")


def test_a_run_writes_results_page_and_charts(warpbench: Warpbench) -> None:
    finished = warpbench("run", "two-sleeps", *QUICK, is_drawn=True)

    assert finished.status == 0, finished.err
    written = {path.name for path in (finished.folder / "results").iterdir()}
    assert {"run.json", "report.html", "two-sleeps-throughput.png"} <= written
    png = (finished.folder / "results" / "two-sleeps-throughput.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    svg = (finished.folder / "results" / "two-sleeps-throughput.svg").read_text()
    assert "gather" in "".join(ElementTree.fromstring(svg).itertext())
    assert "100 % of the ideal" in " ".join(finished.out.split())
    assert "results/report.html" in finished.out


def test_json_prints_the_run_and_nothing_else_and_a_missed_objective_is_told(
    warpbench: Warpbench,
) -> None:
    command = ("run", "two-sleeps", *QUICK, "--slo", "max=900ms", "--json")
    finished = warpbench(*command)

    run = json.loads(finished.out)
    assert run["schema_version"] == SCHEMA_VERSION
    assert run["cells"][0]["makespan_s"] == 1.0
    assert run["environment"]["packages"]["openai"]
    assert run["command"] == "warpbench " + " ".join(command)
    assert finished.status == 1
    assert finished.err.splitlines()[-1].startswith("warpbench: --slo max=900ms: missed")


@pytest.mark.once
def test_quiet_shows_the_result_alone_and_verbose_each_trial(warpbench: Warpbench) -> None:
    quiet = warpbench("run", "two-sleeps", *QUICK, "--quiet")
    verbose = warpbench("run", "two-sleeps", *QUICK, "--verbose")
    both = warpbench("run", "two-sleeps", *QUICK, "--verbose", "--quiet")  # starts nothing

    assert quiet.err == ""
    assert "100 % of the ideal" in " ".join(quiet.out.split())
    assert "results/report.html" not in quiet.out
    assert "trial 1 of 1 begins: two-sleeps/agent/gather/asyncio@2" in verbose.err
    assert both.status == 2


@pytest.mark.once
def test_a_report_is_made_again_from_the_results_file(warpbench: Warpbench) -> None:
    """That charts which are drawn come out the same, too, is for ``tests/reports/html``."""
    folder = warpbench("run", "two-sleeps", *QUICK).folder / "results"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for name in before:
        if name != "run.json":
            (folder / name).unlink()

    finished = warpbench("report", "results")

    assert finished.status == 0, finished.err
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert after == before


def test_list_names_what_there_is(warpbench: Warpbench) -> None:
    finished = warpbench("list")

    for name in ("two-sleeps", "coding-agent", "taskgroup", "blocking", "uvloop", "bare-sdk"):
        assert name in finished.out


BAD_INPUT = [
    (("run", "tool"), "tool"),
    (("run", "missing.toml"), "missing.toml"),
    (("run", "--concurrency", "auto,3"), "cannot go with other loads"),
    (("run", "--clock", "virtual", "--budget", "5m"), "every trial is the same"),
    (("run", "a/same.toml", "b/same.toml"), "two different scenarios are named 'same'"),
    (("run", "--processes", "4000"), "this machine has"),
    (("run", "busy-model", "--processes", "2", "--clock", "virtual"), "--split-limits gives"),
    (
        ("run", "busy-model", "--processes", "999", "--split-limits", "--clock", "virtual"),
        "cannot be split among 999 processes",
    ),
    (("run", "--on", "spark"), "expected one of ray"),
    (("run", "--shards", "2", "--clock", "wall"), "use --processes, or another --clock"),
    (("run", "--shards", "2", "--processes", "2"), "--shards: cannot go with --processes"),
    (("run", "--on", "ray", "--processes", "2"), "--on ray: cannot go with --processes"),
    (("run", "--on", "ray", "--serve", "uvicorn a:b --port {port}"), "cannot go with --serve"),
    (("run", "--on", "ray", "--validate", "all"), "cannot go with --validate"),
    (("run", "--on", "ray", "--transport", "loopback"), "cannot go with --transport loopback"),
    (("run", "busy-model", "--shards", "2", "--clock", "virtual"), "--split-limits gives"),
    (("gate", "--on", "ray", "--tier", "isolation"), "--on ray: cannot go with --tier isolation"),
    (("gate", "--on", "ray", "--instructions"), "--on ray: cannot go with --instructions"),
    (("baseline", "--on", "ray", "--instructions"), "--on ray: cannot go with --instructions"),
    (("run", "--target", "leaves:build"), "crashed"),
    (("run", "--out", "file"), "--out 'file'"),
    (("run", "--target", "nowhere:build"), "nowhere"),
    (("run", "--target", "users_module:raises"), "no luck"),
    (("run", "--target", "users_module:returns_nothing"), "returned NoneType"),
    (("report", "nowhere"), "nowhere"),
    (("report", "file"), "file"),
    (("compare",), "expected two runs or more"),
]


@pytest.mark.parametrize(("arguments", "expected"), BAD_INPUT, ids=lambda value: str(value)[:40])
@pytest.mark.once
def test_bad_input_is_one_line_and_status_2(
    arguments: tuple[str, ...],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no run")
    (tmp_path / "users_module.py").write_text(textwrap.dedent(USERS_MODULE))
    (tmp_path / "leaves.py").write_text("import os\nos._exit(3)\n")
    for folder, latency_s in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.toml").write_text(SAME.format(latency_s=latency_s))
    quick = ("--sessions", "1", "--trials", "1") if arguments[0] == "run" else ()

    status = main([*arguments[:1], *quick, *arguments[1:]])

    errors = capsys.readouterr().err
    assert status == 2
    assert errors.count("\n") == 1, errors
    assert errors.startswith("warpbench: ")
    assert expected in errors


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("nowhere", "expected module:factory"),
        ("users_module:missing", "missing"),
        ("users_module:NUMBER", "expected a factory"),
        ("users_module:needs_two", "needs: one, two"),
        ("broken:build", "SyntaxError"),
    ],
)
@pytest.mark.once
def test_so_is_what_is_said_of_a_target_that_cannot_be_loaded(
    target: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process loads it, and the command says why it cannot: see `nowhere:build` above."""
    (tmp_path / "broken.py").write_text("def build(:\n")
    (tmp_path / "users_module.py").write_text(textwrap.dedent(USERS_MODULE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "users_module", raising=False)

    with pytest.raises(TargetError) as error:
        require_target(target)

    assert expected in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [("list",), ("--help",), ("run", "--help")], ids=" ".join)
def test_an_output_that_is_full_is_one_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        finished = subprocess.run(
            [str(Path(sys.executable).parent / "warpbench"), *arguments],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert finished.returncode == 2
    assert finished.stderr == "warpbench: standard output: No space left on device\n"


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\u202eb", "x" * 5000])
@pytest.mark.once
def test_a_line_of_an_error_is_printable_and_short(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (
        ("report", name),
        ("export", "csv", name),
        ("run", "--target", name),
        (name,),
    ):
        assert main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.isprintable()
        assert len(line) < 1100


SAME = """
name = "same"
description = "One of two."
sessions = 1
[model]
latency_s = {latency_s}
[[rounds]]
"""
USERS_MODULE = """
    NUMBER = 1
    def needs_two(one, two): ...
    def raises(): raise ValueError("no luck")
    def returns_nothing(): ...
"""


KEY = "sk-abcdefghijklmnopqrstuvwxyz123456"
OTHER_SECRET = "correct-horse-battery-staple"

TELLS_KEYS = """
    import os

    def build():
        def session(task):
            raise RuntimeError(f"key {os.environ['OPENAI_API_KEY']} and {KEY_IN_SOURCE}")
        return session

    KEY_IN_SOURCE = "sk-abcdefghijklmnopqrstuvwxyz123456 correct-horse-battery-staple"
"""


@pytest.mark.once
def test_keys_reach_no_artefact(tmp_path: Path) -> None:
    (tmp_path / "tells.py").write_text(textwrap.dedent(TELLS_KEYS))

    finished = run_warpbench_here(
        tmp_path,
        *("run", "two-sleeps", "--target", "tells:build", "--strategy", "sync"),
        *("--clock", "virtual"),
        OPENAI_API_KEY=KEY,
        DB_PASSWORD=OTHER_SECRET,
    )

    assert finished.cells[0]["sessions"]["failed"] == 2
    texts = [finished.out, finished.err]
    written = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    texts += [path.read_text(errors="replace") for path in written]
    for text in texts:
        assert KEY not in text
        assert OTHER_SECRET not in text
    assert "warpbench-dummy-key" in finished.cells[0]["error"]


FAILING = """
    import itertools, openai, os, signal

    def killed():
        def session(task):
            os.kill(os.getpid(), signal.SIGKILL)
        return session

    def hanging():
        def session(task):
            while True: pass
        return session

    def every_fourth_fails():
        client, count = openai.OpenAI(), itertools.count()
        def session(task):
            if next(count) % 4 == 3:
                raise RuntimeError("no luck")
            messages = [{"role": "user", "content": task}]
            return client.chat.completions.create(model="m", messages=messages)
        return session
"""


class TestFailures:
    """Exit status 1: a cell or session failed, and no scripted fault explains it."""

    @pytest.fixture(autouse=True)
    def failing(self, tmp_path: Path) -> None:
        (tmp_path / "failing.py").write_text(textwrap.dedent(FAILING))

    def test_a_killed_trial_is_a_failed_cell_and_the_others_go_on(
        self, warpbench: Warpbench
    ) -> None:
        finished = warpbench(
            "run", "two-sleeps", "--target", "agent,failing:killed", "--strategy", "sync,gather",
            "--loop", "asyncio", "--clock", "virtual", "--concurrency", "2",
            "--max-failed", "100%",
        )  # fmt: skip

        assert finished.status == 1
        assert finished.err.splitlines()[-1] == (
            "warpbench: two-sleeps/failing:killed/sync/none@2: its trial failed"
        )
        cells = {
            (each["cell"]["target"], each["cell"]["strategy"]): each for each in finished.cells
        }
        assert cells["failing:killed", "sync"]["status"] == "failed"
        assert "killed by SIGKILL" in cells["failing:killed", "sync"]["error"]
        assert cells["failing:killed", "gather"]["status"] == "not_applicable"
        assert cells["agent", "sync"]["makespan_s"] == 2.0
        assert cells["agent", "gather"]["makespan_s"] == 1.0

    def test_a_hanging_trial_is_killed_at_its_time_limit(self, warpbench: Warpbench) -> None:
        finished = warpbench(
            "run", "two-sleeps", "--target", "failing:hanging", "--strategy", "sync",
            "--trials", "1", "--time-limit", "1500ms", "--concurrency", "1",
        )  # fmt: skip

        assert finished.status == 1
        assert "hung: no result within 1.5 s" in finished.cells[0]["error"]

    def test_failed_sessions_are_bad_and_fail_as_many_as_are_expected_to(
        self, warpbench: Warpbench
    ) -> None:
        """What else is judged of them is for `test_judging.py`, in which nothing runs."""
        failing = (
            *("--target", "failing:every_fourth_fails", "--strategy", "sync"),
            *("--clock", "virtual", "--sessions", "4", "--concurrency", "1"),
        )

        unexplained = warpbench("run", "chat", *failing, "--json")
        expected = warpbench("run", "chat", *failing, "--max-failed", "25%", "--json")

        assert (unexplained.status, expected.status) == (1, 0)
        assert expected.cells[0]["sessions"]["failed"] == 1
        assert unexplained.err.splitlines()[-1] == (
            "warpbench: chat/failing:every_fourth_fails/sync/none@1: sessions failed that no "
            "scripted fault explains"
        )


def test_sigterm_keeps_what_is_finished(tmp_path: Path) -> None:
    """So does Ctrl-C, in the slow suite: a command is told of both alike (`test_start_up.py`)."""
    a_signal_keeps_what_is_finished(signal.SIGTERM, 143, tmp_path)


def a_signal_keeps_what_is_finished(number: signal.Signals, status: int, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).parent / "warpbench"), "run", "quick.toml", "chat",
        "--strategy", "gather", "--loop", "asyncio", "--concurrency", "2", "--trials", "1",
        # Pages of what is finished are for the tests of pages.
        "--clock", "wall", "--sessions", "200", "--json",
    ]  # fmt: skip
    run_file, errors = tmp_path / "results" / "run.json", tmp_path / "errors"
    with errors.open("w") as error_file:
        process = subprocess.Popen(
            command,
            cwd=_with_quick_scenario(tmp_path),
            stderr=error_file,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        deadline_s = time.monotonic() + 60
        # Not the file, which may be half a run's only at its end: the line of the finished cell.
        while "quick" not in errors.read_text() and time.monotonic() < deadline_s:
            time.sleep(0.05)
        # Ctrl-C goes to the whole group, a service manager's SIGTERM to the process.
        (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)
        found = process.wait(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    assert found == status, errors.read_text()
    run = json.loads(run_file.read_text())
    assert [cell["cell"]["scenario"] for cell in run["cells"]] == ["quick"]
    assert [finding["kind"] for finding in run["findings"]] == ["interrupted"]
    assert "Traceback" not in errors.read_text()


def _with_quick_scenario(folder: Path) -> Path:
    (folder / "quick.toml").write_text(
        'name = "quick"\ndescription = "No wait."\nsessions = 1\n'
        "[model]\nlatency_s = 0\n[[rounds]]\n"
    )
    return folder


def test_who_blocks_the_event_loop_is_named(warpbench: Warpbench) -> None:
    finished = warpbench(
        *("run", "blocking-blunder", "--strategy", "gather", "--loop", "asyncio"),
        *("--concurrency", "10", "--sessions", "10", "--clock", "virtual"),
    )
    text = " ".join(finished.out.split())
    assert re.search(
        r"lookup, called in Invocation\.run_async \(\S+:\d+\), blocked the event", text
    )
    (cell,) = finished.cells
    assert "lookup" in cell["loop_blockers"][0]["place"]
    assert cell["loop_blockers"][0]["times"] == 10
    assert cell["loop_blockers"][0]["total_s"] == pytest.approx(0.5)
    assert "lookup" in finished.out
