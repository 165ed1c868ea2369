"""The examples in README and docs, run as a reader would run them, in this process."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from warpbench.bench.results.finding_text import how_often
from warpbench.bench.results.records import Status
from warpbench.bench.results.reference import Reference
from warpbench.bench.results.run_file import read_run

from .commands_here import run_command_here
from .conftest import in_short, run_warpbench_here

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"^# (\S+\.(?:py|toml))\n")
# They take seconds on an idle machine and minutes on a busy one: tests/slow runs the first two.
MEASURE_FOR_LONG = ("warpbench advise", "warpbench doctor", " auto")


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(README) if found == language]


def sequences() -> list[list[str]]:
    """Return the commands of each block: one may read what those above it wrote."""
    found = (
        [line.split("#")[0].strip() for line in block.splitlines() if line.startswith("warpbench ")]
        for block in blocks("sh")
    )
    return [commands for commands in found if commands]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a reader has saved the README's files."""
    folder = tmp_path_factory.mktemp("reader")
    for text in blocks("python") + blocks("toml"):
        name = FILE_NAME.match(text)
        assert name is not None, f"no file name in the first line of {text[:40]!r}"
        (folder / name[1]).write_text(text)
    return folder


@pytest.mark.parametrize("commands", sequences(), ids=lambda commands: commands[0])
def test_the_commands_of_the_readme_work(commands: list[str], reader: Path) -> None:
    for command in commands:
        assert_works(command, reader)


MEASURING = (CHECKOUT / "docs" / "measuring.md").read_text()
IN_TURN = """\
            for call in message.tool_calls:  # one after another: the lab will show it
                result = await look_up()
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
"""
AT_ONCE = """\
            results = await asyncio.gather(*(look_up() for _ in message.tool_calls))
            for call, result in zip(message.tool_calls, results):
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
"""
OWN = "run tools --target my_agent:build --clock virtual --concurrency 5 --sessions 5 --trials 1"


def test_the_readmes_own_agent_is_told_in_which_line_its_tools_wait(reader: Path) -> None:
    text = (reader / "my_agent.py").read_text()
    line = next(at for at, each in enumerate(text.splitlines(), 1) if "sleep(0.3)" in each)
    finished = run_command_here(reader, *OWN.split(), "--out", "as-it-is")
    told = " ".join(finished.out.split())

    place = f"look_up (my_agent.py:{line})"
    assert f"at {place}, in asyncio.sleep" in README
    assert f"{place}, in asyncio.sleep, {how_often(4, 0.3)}." in told
    assert "Running the tools of an answer at once saves a session 900 ms." in told
    assert f"{how_often(4, 0.3)} at {place}" in told
    assert "efficiency is of the agent alone" in told
    cells = [cell for cell in read_run(reader / "as-it-is" / "run.json").cells if cell.own_waits]
    assert {cell.cell.strategy for cell in cells} >= {"gather", "taskgroup"}
    for cell in cells:
        assert cell.reference is Reference.SOLO
        assert cell.efficiency == 1
        assert cell.latency_s.p50 == pytest.approx(2.2)
        (wait,) = cell.own_waits
        assert (wait.waits, wait.sessions, wait.in_turn) == (20, 5, True)


def test_repaired_it_reaches_the_ideal_with_every_strategy(reader: Path, tmp_path: Path) -> None:
    text = (reader / "my_agent.py").read_text()
    assert text.count(IN_TURN) == 1
    (tmp_path / "my_agent.py").write_text(text.replace(IN_TURN, AT_ONCE))
    finished = run_command_here(tmp_path, *OWN.split())
    cells = [
        cell
        for cell in read_run(tmp_path / "results" / "run.json").cells
        if cell.status is Status.MEASURED
    ]

    assert "tools one after another" not in " ".join(finished.out.split())
    assert [cell.efficiency for cell in cells] == [1.0] * len(cells)
    assert [cell.latency_s.p50 for cell in cells] == pytest.approx([1.3] * len(cells))
    assert {cell.cell.strategy for cell in cells} >= {"gather", "taskgroup"}


def measuring_commands() -> list[str]:
    """Those of ``docs/measuring.md``, but for those that measure the machine for long."""
    lines = (line for _, block in BLOCK.findall(MEASURING) for line in block.splitlines())
    return [
        line
        for line in lines
        if line.startswith("warpbench ") and not any(each in line for each in MEASURE_FOR_LONG)
    ]


@pytest.mark.parametrize("command", measuring_commands())
def test_a_command_of_the_page_on_measuring_works(command: str, tmp_path: Path) -> None:
    save_files_of_measuring(tmp_path)
    if command.startswith("warpbench compare"):
        for folder in ("results-before", "results-after"):
            run = f"warpbench run chat --strategy gather --sessions 10 --out {folder}"
            assert_works(run, tmp_path)

    assert_works(command, tmp_path)


def save_files_of_measuring(folder: Path) -> None:
    for _, text in BLOCK.findall(MEASURING):
        name = FILE_NAME.match(text)
        if name is not None:
            (folder / name[1]).write_text(text)


def test_the_test_of_the_page_on_measuring_passes(tmp_path: Path) -> None:
    save_files_of_measuring(tmp_path)
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_chat.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout
    assert "1 passed" in finished.stdout


def assert_works(command: str, folder: Path) -> None:
    # Of many strategies, one leaves threads that the next trial in the same process would find.
    is_apart = " --processes " in command or "support.toml" in command
    run_it = run_warpbench_here if is_apart else run_command_here
    finished = run_it(folder, *in_short(shlex.split(command)[1:]))

    assert finished.status == 0, finished.out + finished.err
    assert "Traceback" not in finished.err


def test_the_readme_names_every_dependency() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[><=\[ ]", dependency)[0] for dependency in project["dependencies"]]
    table = README.partition("## Dependencies")[2].partition("## More")[0]
    rows = re.findall(r"^\| (\S[^|]*) \|", table, re.MULTILINE)
    named = {name for row in rows for name in row.split(", ")}

    assert named - {"package"} == set(names)


def test_the_constraints_hold_no_address() -> None:
    for name in ("constraints.txt", "constraints-frameworks.txt", "constraints-browser.txt"):
        text = (CHECKOUT / name).read_text()
        assert "://" not in text
        assert text.count("--hash=sha256:") > text.count("==")
