"""The gate's command: what is asked of it, its exit status, and where it tells its verdicts.

Which faults it catches, and by which words, is for `tests/bench/gate/test_faults.py`: trials run
in this process here, but for three whole runs.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ...conftest import TIMEOUT_S, Warpbench, run_warpbench_here
from ..gate.owner_agent import (
    COPY_TWICE,
    LOOKS_UP_PRICES,
    NO_LIMIT,
    NO_LUCK,
    TOOLS_AT_ONCE,
    TOOLS_IN_TURN,
    write_agent,
)
from ..gate.trials_here import run_trials_here

pytestmark = pytest.mark.once

in_process = pytest.mark.usefixtures("trials_here")


BASELINE = (
    *("baseline", "tools", "--target", "owner_agent:build", "--concurrency", "3"),
    *("--sessions", "3", "--tool-workers", "12"),
)
# One fewer than there are sessions, so that it shows whether they are held back.
TWO_AT_ONCE = ("Semaphore(5)", "Semaphore(2)")


@pytest.fixture
def trials_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials run in this process: what the gate says of them does not depend on where they ran."""
    run_trials_here(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The baseline of the good agent, made once for all tests."""
    folder = tmp_path_factory.mktemp("baseline")
    write_agent(folder, *TWO_AT_ONCE)
    with pytest.MonkeyPatch.context() as patches:
        run_trials_here(patches, folder)
        made = run_warpbench_here(folder, *BASELINE)
    assert made.status == 0, made.err
    return folder / "warpbench-baseline.json"


def begin(folder: Path, baseline: Path, *changes: str) -> None:
    """Put the agent with parts of its text changed beside the baseline of the good one."""
    write_agent(folder, *TWO_AT_ONCE, *changes)
    shutil.copy(baseline, folder)


def test_a_good_commit_holds_and_a_better_one_is_told(
    warpbench: Warpbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_limit = ("Semaphore(5)", "Semaphore(100)")
    write_agent(tmp_path, *no_limit, TOOLS_AT_ONCE, TOOLS_IN_TURN)
    assert warpbench(*BASELINE).status == 0
    held = warpbench("gate", PYTHONHASHSEED="4242")
    assert held.status == 0, held.out
    assert "passed: 1 cell, exactly as in the baseline" in held.out
    assert "not recorded" not in held.out

    run_trials_here(monkeypatch, tmp_path)
    write_agent(tmp_path, *no_limit)
    better = warpbench("gate", "--junit", "gate.xml", "--summary", "summary.md", "--json")
    assert better.status == 0, better.out
    document = json.loads(better.out)
    assert document["verdict"] == "improved"
    texts = [change["text"] for change in document["cells"][0]["changes"]]
    assert any(text.startswith("the 4 tool calls of round 1 now overlap") for text in texts)
    assert "improved: 1 of 1 cell" in (tmp_path / "summary.md").read_text()
    suite = ElementTree.parse(tmp_path / "gate.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "0")


@in_process
def test_the_summary_is_appended_also_where_ci_wants_it(tmp_path: Path, baseline: Path) -> None:
    begin(tmp_path, baseline, *NO_LIMIT)
    (tmp_path / "step.md").write_text("before\n")
    judged = run_warpbench_here(
        tmp_path, "gate", *UNCOUNTED, "--junit", "gate.xml", GITHUB_STEP_SUMMARY="step.md"
    )
    assert judged.status == 1
    summary = (tmp_path / "step.md").read_text()
    assert summary.startswith("before\n### warpbench: regressed: 1 of 1 cell")
    assert "worse: up to 3 model calls in flight" in summary
    failure = ElementTree.parse(tmp_path / "gate.xml").getroot().find("testcase/failure")
    assert failure is not None
    assert failure.get("message")
    assert "check that the concurrency limit" in str(failure.text)


@in_process
def test_a_target_that_has_gone_or_crashes_cannot_be_judged(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline, *NO_LUCK)
    judged = warpbench("gate")
    assert judged.status == 2
    (tmp_path / "owner_agent.py").unlink()
    gone = warpbench("gate")
    assert gone.status == 2
    assert len(gone.err.splitlines()) == 1


# To count calls takes several times the CPU, and says nothing of what tier structure tells.
UNCOUNTED = ("--tier", "structure")


@in_process
def test_another_workload_cannot_be_judged(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    file = tmp_path / "warpbench-baseline.json"
    file.write_text(
        file.read_text()
        .replace('"seed": 1', '"seed": 2')
        .replace('"scenario": "tools"', '"scenario": "chat"')
    )
    judged = warpbench("gate", *UNCOUNTED)
    assert judged.status == 2
    assert "write a new baseline" in judged.out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "no such file"),
        ("{", "not JSON"),
        ('{"schema_version": 1}', "schema_version: found 1, this warpbench reads 2"),
        ('{"schema_version": 2, "python": "3", "packages": {}, "cells": {}}', "has no cells"),
        (
            '{"schema_version": 2, "python": "3", "packages": {}, "cells": {"a": {}}}',
            "not a file of schema 2",
        ),
        ('{"schema_version": 3, "python": "3", "packages": {}, "cells": {"a": {}}}', "cells.a"),
        ('{"schema_version": 4, "python": "3", "packages": {}, "cells": {"a": {}}}', "cells.a"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_one_line_and_status_2(
    content: str | None, complaint: str, warpbench: Warpbench, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "warpbench-baseline.json").write_text(content)
    judged = warpbench("gate")
    assert judged.status == 2
    (line,) = judged.err.splitlines()
    assert complaint in line
    assert "warpbench baseline" in line or "write it again" in line


@in_process
def test_an_unknown_cell_is_named_with_those_there_are(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    judged = warpbench("gate", "--cell", "tools/owner_agent:build/gathr/asyncio@3")
    assert judged.status == 2
    assert "did you mean 'tools/owner_agent:build/gather/asyncio@3'?" in judged.err


@in_process
def test_no_baseline_is_made_of_what_does_not_work(warpbench: Warpbench, tmp_path: Path) -> None:
    write_agent(tmp_path, *NO_LUCK)
    made = warpbench("baseline", "tools", "--target", "owner_agent:build", "--concurrency", "10")
    assert made.status == 2
    assert not (tmp_path / "warpbench-baseline.json").exists()


@in_process
def test_another_version_is_named_and_calls_are_then_not_compared(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline, *COPY_TWICE)
    file = tmp_path / "warpbench-baseline.json"
    document = json.loads(file.read_text())
    installed, document["packages"]["openai"] = document["packages"]["openai"], "3.0.0"
    file.write_text(json.dumps(document))
    held = warpbench("gate", "--summary", "summary.md")
    assert held.status == 0, held.out
    assert f"not as in the baseline: openai 3.0.0 → {installed}" in held.out
    assert "calls, tasks and loop iterations were not compared" in held.out
    assert "Not as in the baseline: openai" in (tmp_path / "summary.md").read_text()


@in_process
def test_a_request_that_nothing_mocks_is_told_with_its_host(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline, *LOOKS_UP_PRICES)

    judged = warpbench("gate", *UNCOUNTED)

    assert judged.status == 1
    assert "+2 refused requests to prices.example per session (0 → 2)" in judged.out

    assert warpbench(*BASELINE).status == 0
    assert "passed: 1 cell, exactly as in the baseline" in warpbench("gate", *UNCOUNTED).out
    write_agent(tmp_path, *TWO_AT_ONCE)
    better = warpbench("gate", *UNCOUNTED)
    assert (better.status, "improved: 1 of 1 cell" in better.out) == (0, True)
    assert "-2 refused requests to prices.example per session (2 → 0, -100.0 %)" in better.out


@in_process
def test_figures_that_the_baseline_does_not_record_are_named_in_a_line(
    warpbench: Warpbench, tmp_path: Path, baseline: Path
) -> None:
    begin(tmp_path, baseline)
    file = tmp_path / "warpbench-baseline.json"
    document = json.loads(file.read_text())
    document["schema_version"] = 3
    for cell in document["cells"].values():
        for name in (
            *("request_bytes", "request_parts", "streamed_model_calls"),
            *("service_request_bytes", "refused_requests"),
            *("prompt_tokens", "completion_tokens", "ttft_s", "itl_s", "first_output_s"),
        ):
            del cell["structure"][name]
        for name in ("own_calls", "bytes_kept"):
            del cell["work"][name]
    file.write_text(json.dumps(document))
    held = warpbench("gate")
    assert held.status == 0, held.out
    (line,) = [line for line in held.out.splitlines() if "not recorded in the baseline" in line]
    assert line.endswith("update it (`warpbench baseline`)")


@in_process
def test_one_tier_can_be_asked_for(warpbench: Warpbench, tmp_path: Path, baseline: Path) -> None:
    begin(tmp_path, baseline, *COPY_TWICE)
    assert warpbench("gate", "--tier", "structure").status == 0
    assert warpbench("gate", "--tier", "work").status == 1


@in_process
class TestObjective:
    """Every cell is to meet it; the good agent's slowest session takes 1.7 s of virtual time."""

    CELL = "tools/owner_agent:build/gather/asyncio@3"

    @pytest.fixture(autouse=True)
    def project(self, tmp_path: Path, baseline: Path) -> None:
        begin(tmp_path, baseline)

    def test_one_that_is_met_is_told_with_its_figure(self, warpbench: Warpbench) -> None:
        judged = warpbench("gate", "--slo", "max=2500ms", "--json")

        assert judged.status == 0, judged.out
        (cell,) = json.loads(judged.out)["cells"]
        assert cell["verdict"] == "passed"
        (objective,) = cell["objectives"]
        assert objective["reached_s"] <= 2.5

    def test_one_that_is_missed_is_status_1_and_a_line_with_cell_figure_and_objective(
        self, warpbench: Warpbench
    ) -> None:
        judged = warpbench("gate", "--slo", "max=1s", *UNCOUNTED)

        assert judged.status == 1
        assert "objective missed: 1 of 1 cell" in judged.out
        (line,) = [each for each in judged.err.splitlines() if each.startswith("warpbench: ")]
        assert line.startswith(f"warpbench: {self.CELL}: latency max of ")
        assert line.endswith("misses the objective of 1.00 s")

    def test_the_project_may_have_one_and_the_option_stands_in_for_it(
        self, warpbench: Warpbench, tmp_path: Path
    ) -> None:
        (tmp_path / "pyproject.toml").write_text('[tool.warpbench]\nslo = "mean=1s"\n')

        assert warpbench("gate", *UNCOUNTED).status == 1
        assert warpbench("gate", *UNCOUNTED, "--slo", "mean=1h").status == 0
        assert warpbench("gate", "--tier", "work").status == 0

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            (("--slo", "p99=2s"), f"p99 takes 100 sessions, and {CELL} has 3"),
            (("--slo", "max=2s", "--tier", "work"), "only tier structure measures latency"),
        ],
    )
    def test_where_no_figure_tells_it_is_refused_in_one_line(
        self, options: tuple[str, ...], complaint: str, warpbench: Warpbench
    ) -> None:
        judged = warpbench("gate", *options)

        assert judged.status == 2
        assert judged.out == ""
        (line,) = judged.err.splitlines()
        assert complaint in line


def children_of(process: int) -> list[int]:
    try:
        return [
            int(each)
            for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()
        ]
    except OSError:  # it has ended
        return []


def has_begun(process: int) -> bool:
    """Say whether a command has done its imports, and starts the server of its trials."""
    return bool(children_of(process))


def measures(process: int) -> bool:
    """Say whether the server of a command has started a trial."""
    return any(map(children_of, children_of(process)))


@pytest.mark.parametrize(
    "is_reached", [has_begun, measures], ids=["its server starts", "trials are under way"]
)
def test_ctrl_c_ends_a_measurement_and_leaves_no_trial_and_no_file(
    is_reached: Callable[[int], bool], tmp_path: Path
) -> None:
    command = [str(Path(sys.executable).parent / "warpbench"), "baseline", "coding-agent"]
    process = subprocess.Popen(
        [*command, "--concurrency", "50", "--sessions", "400"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        while not is_reached(process.pid):
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # the trials take a minute
        _, errors = process.communicate(timeout=TIMEOUT_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
