"""The examples, run as their README says: agents that know nothing of the lab, unchanged."""

import importlib.util
import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from ..conftest import structure_of

Cells = list[dict[str, Any]]
EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
FRAMEWORKS = {
    "with_pydantic_ai": "pydantic_ai",
    "with_openai_agents": "agents",
    "with_langgraph": "langgraph",
    "with_anthropic": "anthropic",
}
LOAD = ("--sessions", "6", "--concurrency", "6", "--trials", "1")
TIMEOUT_S = 120


def grouped(*targets: str) -> tuple[ParameterSet, ...]:
    """Let one worker run all tests of a target, which then share what ``run_once`` keeps."""
    return tuple(
        pytest.param(target, marks=pytest.mark.xdist_group(target), id=target) for target in targets
    )


TARGETS = grouped("plain_sdk:build", *(f"{name}:build" for name in FRAMEWORKS))
WITH_LAB = grouped(
    *(f"{name}:build_with_lab" for name in FRAMEWORKS), "with_openai_agents:build_over_responses"
)

# Each trial imports its framework, so a run takes ten seconds: the slow suite has all of them.
FEW = grouped("plain_sdk:build", "with_openai_agents:build_with_lab", "with_langgraph:build")


def run(target: str, *options: str, folder: Path = EXAMPLES, strategy: str = "gather") -> Cells:
    """Run a target from a folder, and return the cells."""
    framework = FRAMEWORKS.get(target.partition(":")[0])
    if framework is not None and importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed: make examples")
    warpbench = str(Path(sys.executable).parent / "warpbench")
    command = [warpbench, "run", "tools", "--target", target, "--strategy", strategy, "--json"]
    with TemporaryDirectory() as out:
        finished = subprocess.run(
            [*command, *LOAD, *options, "--out", out],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    assert finished.returncode == 0, finished.stderr
    cells: Cells = json.loads(finished.stdout)["cells"]
    return cells


@cache
def run_once(target: str, clock: str) -> Cells:
    """Run a target for several tests: importing a framework takes longer than the run."""
    return run(target, "--clock", clock)


def require_success_on_both_loops(cells: Cells) -> None:
    assert [cell["cell"]["loop"] for cell in cells] == ["asyncio", "uvloop"]
    for cell in cells:
        assert cell["sessions"]["succeeded"] == 6, cell["error"]
        assert cell["llm_calls"] == 12
        assert 0 < cell["efficiency"] <= 1


def require_two_equal_runs(target: str) -> None:
    first, second = run_once(target, "virtual"), run(target, "--clock", "virtual")

    for cell, again in zip(first, second, strict=True):
        assert structure_of(cell) == structure_of(again)


@pytest.mark.parametrize("target", TARGETS + WITH_LAB)
def test_every_session_succeeds_on_both_loops(target: str) -> None:
    require_success_on_both_loops(run_once(target, "virtual"))


@pytest.mark.parametrize("target", FEW)
def test_so_it_does_where_computing_takes_time(target: str) -> None:
    require_success_on_both_loops(run(target, "--clock", "warp"))


@pytest.mark.parametrize("target", TARGETS)
def test_tools_of_its_own_take_their_own_time(target: str) -> None:
    for cell in run_once(target, "virtual"):
        assert cell["reference"] == "solo"
        assert cell["makespan_s"] == cell["ideal_makespan_s"] == 1.1
        assert cell["tool_calls"] == 0


@pytest.mark.parametrize("target", WITH_LAB)
def test_the_labs_tools_take_the_drawn_time(target: str) -> None:
    for cell in run_once(target, "virtual"):
        assert cell["makespan_s"] == cell["ideal_makespan_s"] == 1.2
        assert cell["tool_calls"] == 24


@pytest.mark.parametrize("target", FEW)
def test_virtual_runs_are_the_same_in_every_field(target: str) -> None:
    require_two_equal_runs(target)


@pytest.mark.once
@pytest.mark.parametrize("target", ["plain_sdk:build", "with_anthropic:build_with_lab"])
def test_over_real_sockets_it_takes_as_long(target: str) -> None:
    for cell in run(target, "--transport", "loopback"):
        assert cell["sessions"]["succeeded"] == 6, cell["error"]
        assert cell["cell"]["clock"] == "wall"
        assert cell["llm_calls"] == 12
        assert 0.5 < cell["efficiency"] <= 1
        assert cell["server_capacity_per_s"] > 0


def test_a_plain_function_without_tools_runs_in_threads() -> None:
    target = "plain_sdk:build_without_tools"

    (cell,) = run(target, "--clock", "virtual", strategy="threads")

    assert cell["sessions"]["succeeded"] == 6
    assert cell["makespan_s"] == 0.5


def test_files_named_as_ours_disturb_nothing(tmp_path: Path) -> None:
    names = ("bench", "mocks", "agent", "reports", "my_queue")
    for name in names:
        shutil.copy(EXAMPLES / "plain_sdk.py", tmp_path / f"{name}.py")
    targets = ",".join(f"{name}:build" for name in names)

    cells = run(targets, "--clock", "virtual", "--loop", "asyncio", folder=tmp_path)

    assert [cell["sessions"]["succeeded"] for cell in cells] == [6] * len(names)
