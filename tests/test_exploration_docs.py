"""The commands and files of docs/exploration.md, as a reader would run them."""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from .commands_here import run_command_here
from .conftest import TIMEOUT_S, Finished

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).resolve().parent.parent
TEXT = (CHECKOUT / "docs" / "exploration.md").read_text()
FILES = re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
SHOWN = re.findall(r"^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
SHOWN_OF_SERVICES = [block for block in SHOWN if "_service" in block]


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    for name, text in FILES:
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_command_prints_what_the_page_shows(reader: Path) -> None:
    command, _, shown = SHOWN[0].removeprefix("$ ").partition("\n")

    finished = run_command_here(reader, *shlex.split(command)[1:])

    assert_shows(finished, shown)
    assert finished.status == 1


def test_the_page_is_written_where_the_page_says(reader: Path) -> None:
    (command,) = re.findall(r"^```sh\n(warpbench .*)\n```", TEXT, re.MULTILINE)

    finished = run_command_here(reader, *shlex.split(command)[1:])

    files = ["results/exploration.html", "results/exploration.json"]
    assert finished.out.splitlines()[-2:] == files
    page = (reader / files[0]).read_text()
    assert "<h1>1 distinct failure in 20 schedules of notes_agent:build</h1>" in page
    assert SHOWN[0].strip().splitlines()[-1].strip() in page


def assert_shows(finished: Finished, shown: str) -> None:
    pattern = re.escape(shown.strip()).replace("…", r"[\d.,]+(?: m?s)?")
    assert re.fullmatch(pattern, finished.out.strip()), finished.out


def test_the_command_of_the_notes_prints_what_the_page_shows(reader: Path) -> None:
    (block,) = (block for block in SHOWN if "news_agent" in block)
    command, _, shown = block.removeprefix("$ ").partition("\n")

    finished = run_command_here(reader, *shlex.split(command)[1:])

    assert_shows(finished, shown)
    assert finished.status == 0


@pytest.mark.parametrize("block", SHOWN_OF_SERVICES)
def test_a_command_on_a_service_prints_what_the_page_shows(block: str) -> None:
    if importlib.util.find_spec("agents") is None:
        pytest.skip("openai-agents is not installed: make examples")
    command, _, shown = block.removeprefix("$ ").partition("\n")

    finished = run_command_here(CHECKOUT / "examples", *shlex.split(command)[1:])

    assert_shows(finished, shown)
    assert finished.status == ("_repaired" not in command)


def test_the_last_line_of_a_failure_replays_it_as_the_page_shows(reader: Path) -> None:
    command = SHOWN[0].strip().splitlines()[-1].strip()

    finished = run_command_here(reader, *shlex.split(command)[1:])

    assert finished.status == 1
    assert finished.out.strip() == SHOWN[2].strip()
    assert run_command_here(reader, *shlex.split(command)[1:]).out == finished.out


def test_repaired_nothing_is_found(reader: Path) -> None:
    agent = (reader / "notes_agent.py").read_text()
    repaired = agent.replace("    notes = {}  # of all users: the mistake\n", "").replace(
        "    async def session(task):\n", "    async def session(task):\n        notes = {}\n"
    )
    assert repaired != agent
    (reader / "notes_agent.py").write_text(repaired)

    finished = run_command_here(
        reader, "explore", "chat", "--target", "notes_agent:build", "--schedules", "5"
    )

    assert (finished.status, finished.out.strip()[-10:]) == (0, "no failure")


def test_the_test_of_the_page_fails_with_the_failure(reader: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    finished = subprocess.run(
        command, cwd=reader, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )

    assert finished.returncode == 1
    assert "leak: text of one session reaches another" in finished.stdout
