"""The page on the gate, followed as a reader would follow it; and the workflow to copy."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from warpbench.bench.cli.app import build

from .conftest import run_warpbench_here

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = (CHECKOUT / "docs" / "gate.md").read_text()
WORKFLOW = (CHECKOUT / "examples" / "ci" / "github-actions.yml").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"^# (\S+\.(?:py|toml))\n")
PARALLEL = "await asyncio.gather(*[use(call) for call in message.tool_calls])"
SERIAL = "[await use(call) for call in message.tool_calls]"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a reader has saved the page's files and run its commands, in order."""
    folder = tmp_path_factory.mktemp("reader")
    for language, text in BLOCK.findall(PAGE):
        if language in ("python", "toml"):
            name = FILE_NAME.match(text)
            assert name is not None, f"no file name in the first line of {text[:40]!r}"
            (folder / name[1]).write_text(text)
    return folder


def test_the_commands_of_the_page_work_one_after_another(reader: Path) -> None:
    commands = [
        line
        for language, text in BLOCK.findall(PAGE)
        if language == "sh"
        for line in text.splitlines()
    ]
    assert len(commands) >= 6
    for command in commands:
        finished = run_warpbench_here(reader, *shlex.split(command)[1:])
        assert finished.status == 0, f"{command}: {finished.out}{finished.err}"


def test_the_tests_of_the_page_pass(reader: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_performance.py"],
        cwd=reader, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout
    assert "2 passed" in finished.stdout


def test_the_gate_says_of_the_fault_what_the_page_says(reader: Path, tmp_path: Path) -> None:
    for name in ("pyproject.toml", "my_agent.py"):
        text = (reader / name).read_text()
        (tmp_path / name).write_text(text)
    assert run_warpbench_here(tmp_path, "baseline").status == 0
    faulty = (tmp_path / "my_agent.py").read_text().replace(PARALLEL, SERIAL)
    assert SERIAL in faulty
    (tmp_path / "my_agent.py").write_text(faulty)
    judged = run_warpbench_here(tmp_path, "gate")
    assert judged.status == 1
    printed = [line.strip() for line in judged.out.splitlines()]
    shown = PAGE.partition("one after another, the gate reports:\n")[2].partition("\n\n|")[0]
    for line in filter(None, map(str.strip, shown.splitlines())):
        if line.endswith("…"):  # which stands for the rest of a line, or for further lines
            assert any(each.startswith(line[:-1]) for each in printed), judged.out
        else:
            assert line in printed, judged.out
    (missed,) = [line for line in judged.err.splitlines() if line.startswith("warpbench: ")]
    assert f"    {missed}\n" in PAGE


def test_every_command_of_the_workflow_can_be_parsed() -> None:
    commands = re.findall(r"^ *run: (warpbench .*)$", WORKFLOW, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        text = re.sub(r"\$\{\{.*?\}\}", "main", command)
        build().parse_args(shlex.split(text)[1:])
