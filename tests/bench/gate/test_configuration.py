"""``[tool.warpbench]``: what a project says of its gate."""

from pathlib import Path

import pytest
from warpbench.bench.gate.configuration import Configuration, read_configuration
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.mocks.errors import UsageError
from warpbench.mocks.network import Network

pytestmark = pytest.mark.once


def test_a_project_that_says_nothing_has_the_defaults(tmp_path: Path) -> None:
    assert read_configuration(tmp_path) == Configuration()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert read_configuration(tmp_path) == Configuration()


def test_keys_are_spelled_with_hyphens(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        """
[tool.warpbench]
baseline = "perf/baseline.json"
cells = ["tools/agent/gather/asyncio@10"]
sessions = 20
tool-workers = 40
time-cells = ["tools/agent/gather/asyncio@10"]
budget-s = 60
slo = "max=5s"
environment = ["-r", "requirements.txt"]
network = "isolated"

[tool.warpbench.tolerances]
python-calls = 0.02
makespan = 0
"""
    )
    cell = "tools/agent/gather/asyncio@10"
    assert read_configuration(tmp_path) == Configuration(
        baseline="perf/baseline.json",
        cells=(cell,),
        sessions=20,
        tool_workers=40,
        time_cells=(cell,),
        budget_s=60.0,
        slo="max=5s",
        environment=("-r", "requirements.txt"),
        network=Network.ISOLATED,
        tolerances=Tolerances(python_calls=0.02),
    )


@pytest.mark.parametrize(
    ("tolerance", "agent", "tools"),
    [
        ("", None, None),
        ("own-calls = 0", 0.0, 0.0),
        ("own-calls = { agent = 0.01 }", 0.01, None),
        ("[tool.warpbench.tolerances.own-calls]\nagent = 0.01\ntools = 0", 0.01, 0.0),
    ],
)
def test_calls_of_own_code_have_a_tolerance_for_all_packages_or_for_some(
    tolerance: str, agent: float | None, tools: float | None, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.warpbench.tolerances]\n{tolerance}")
    found = read_configuration(tmp_path).tolerances
    assert (found.of_own_calls("agent"), found.of_own_calls("tools")) == (agent, tools)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[tool.warpbench", "not TOML (Expected ']'"),
        ("tool.warpbench = 3", "tool.warpbench: expected a table"),
        ("tool = 3", "pyproject.toml: tool: expected a table, found 3"),
        pytest.param("x = " + "[" * 1000, "nested too deeply", id="unclosed"),
        pytest.param("x = " + "[" * 150 + "]" * 150, "nested too deeply", id="deep"),
        pytest.param("a" + ".a" * 2000 + " = 1", "nested too deeply", id="deep-key"),
        pytest.param("[tool.warpbench]\na" + ".a" * 90 + " = 1", "found a table", id="deep-value"),
        ("<<<<<<< HEAD\n[tool]\n", "holds a merge conflict (line 1)"),
        ("[tool.warpbench]\nsessions = -1", "tool.warpbench.sessions: expected a whole number"),
        ("[tool.warpbench]\ntool-workers = 'x'", "tool.warpbench.tool-workers: expected"),
        ("[tool.warpbench]\nbudget-s = inf", "tool.warpbench.budget-s: expected a number"),
        ('[tool.warpbench]\n"\\u001B[31m" = 1', "tool.warpbench.\\x1b[31m: Unexpected"),
        ("[tool.warpbench]\ncell = []", "tool.warpbench.cell: Unexpected keyword argument"),
        ("[tool.warpbench]\ncells = 3", "tool.warpbench.cells: "),
        ("[tool.warpbench]\nbudget-s = 0", "tool.warpbench.budget-s: expected a number above 0"),
        ("[tool.warpbench]\nslo = 'max=5'", "tool.warpbench.slo: '5' has no unit"),
        ("[tool.warpbench]\nslo = 'p98=5s'", "tool.warpbench.slo: 'p98=5s': expected FIGURE=TIME"),
        ("[tool.warpbench]\nslo = 5", "tool.warpbench.slo: "),
        ("[tool.warpbench]\nnetwork = 'none'", "tool.warpbench.network: Input should be 'shared'"),
        ("[tool.warpbench]\nsessions = 'many'", "tool.warpbench.sessions: "),
        ("[tool.warpbench.tolerances]\nspeed = 1", "tool.warpbench.tolerances.speed: "),
        (
            "[tool.warpbench.tolerances]\npython-calls = 5",
            "tool.warpbench.tolerances.python-calls: expected a fraction from 0 to 1, found 5",
        ),
        (
            "[tool.warpbench.tolerances]\nown-calls = { my_agent = -1 }",
            "tool.warpbench.tolerances.own-calls.my_agent: expected a fraction from 0 to 1, found",
        ),
        (
            "[tool.warpbench.tolerances]\nown-calls = 'none'",
            "tool.warpbench.tolerances.own-calls",
        ),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError) as raised:
        read_configuration(tmp_path)
    assert complaint in str(raised.value)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 300
