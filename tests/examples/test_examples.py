"""The examples, run as their README says: agents that know nothing of the lab, unchanged."""

import importlib.util
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from warpbench.bench.results.reference import Reference
from warpbench.bench.testing.pytest_plugin import LabInTests

from ..conftest import run_warpbench, run_warpbench_here, structure_of

Cells = list[dict[str, Any]]
EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
FRAMEWORKS = {
    "with_pydantic_ai": "pydantic_ai",
    "with_openai_agents": "agents",
    "with_langgraph": "langgraph",
    "with_anthropic": "anthropic",
}
LOAD = ("--sessions", "6", "--concurrency", "6", "--trials", "1")


TARGETS = ("plain_sdk:build", *(f"{name}:build" for name in FRAMEWORKS))
WITH_LAB = (
    *(f"{name}:build_with_lab" for name in FRAMEWORKS),
    "with_openai_agents:build_over_responses",
)
TIMES_S = {**dict.fromkeys(TARGETS, 1.1), **dict.fromkeys(WITH_LAB, 1.2)}

# Of a command each trial imports its framework: the slow suite has all of them, on both loops.
FEW = (
    ("plain_sdk:build", "uvloop"),
    ("with_openai_agents:build_with_lab", "asyncio"),
    ("with_langgraph:build", "uvloop"),
)


def require_framework(target: str) -> None:
    framework = FRAMEWORKS.get(target.partition(":")[0])
    if framework is not None and importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed: make examples")


def run(target: str, *options: str, strategy: str = "gather") -> Cells:
    """Run a target by the command, and return the cells."""
    require_framework(target)
    command = ["run", "tools", "--target", target, "--strategy", strategy, "--json"]
    with TemporaryDirectory() as out:
        finished = run_warpbench_here(EXAMPLES, *command, *LOAD, *options, "--out", out)
    assert finished.status == 0, finished.err
    cells: Cells = json.loads(finished.out)["cells"]
    return cells


def require_success(cells: Cells, *loops: str) -> None:
    assert [cell["cell"]["loop"] for cell in cells] == list(loops)
    for cell in cells:
        assert cell["sessions"]["succeeded"] == 6, cell["error"]
        assert cell["llm_calls"] == 12
        assert 0 < cell["efficiency"] <= 1


def require_two_equal_runs(target: str, *options: str) -> None:
    first, second = (run(target, "--clock", "virtual", *options) for _ in range(2))

    for cell, again in zip(first, second, strict=True):
        assert structure_of(cell) == structure_of(again)


# Its maker retires a model sooner than anybody edits an example.
@pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("target", TIMES_S)
def test_every_session_succeeds_in_the_time_of_its_waits(
    target: str, loop: str, lab: LabInTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_framework(target)
    monkeypatch.syspath_prepend(EXAMPLES)

    result = lab.run(target, scenario="tools", loop=loop, sessions=6)

    assert result.sessions.succeeded == 6, result.errors
    assert result.llm_calls == 12
    assert result.makespan == result.ideal.makespan == TIMES_S[target]
    # Those of its own the lab does not count: they take their own time.
    assert (result.reference, result.tool_calls) == (
        (Reference.SOLO, 0) if target in TARGETS else (Reference.SCRIPT, 24)
    )


@pytest.mark.parametrize(("target", "loop"), FEW)
def test_so_it_does_where_computing_takes_time(target: str, loop: str) -> None:
    require_success(run(target, "--clock", "warp", "--loop", loop), loop)


@pytest.mark.parametrize(("target", "loop"), FEW)
def test_virtual_runs_are_the_same_in_every_field(target: str, loop: str) -> None:
    require_two_equal_runs(target, "--loop", loop)


@pytest.mark.once
@pytest.mark.parametrize(
    ("target", "loop"),
    [("plain_sdk:build", "asyncio"), ("with_anthropic:build_with_lab", "uvloop")],
)
def test_over_real_sockets_it_takes_as_long(target: str, loop: str) -> None:
    require_true_time_over_sockets(run(target, "--transport", "loopback", "--loop", loop))


def require_true_time_over_sockets(cells: Cells) -> None:
    for cell in cells:
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
    targets = ",".join(f"{name}:build_without_tools" for name in names)
    options = ("--target", targets, "--strategy", "threads", "--clock", "virtual")

    finished = run_warpbench(tmp_path, "run", "tools", *LOAD, *options)

    assert finished.status == 0, finished.err
    assert [cell["sessions"]["succeeded"] for cell in finished.cells] == [6] * len(names)
