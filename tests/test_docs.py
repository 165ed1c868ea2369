"""The examples in README and docs, run as a reader would run them, in this process."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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


def commands() -> list[str]:
    lines = (line for block in blocks("sh") for line in block.splitlines())
    return [line.split("#")[0].strip() for line in lines if line.startswith("warpbench ")]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a reader has saved the README's files."""
    folder = tmp_path_factory.mktemp("reader")
    for text in blocks("python") + blocks("toml"):
        name = FILE_NAME.match(text)
        assert name is not None, f"no file name in the first line of {text[:40]!r}"
        (folder / name[1]).write_text(text)
    return folder


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_works(command: str, reader: Path) -> None:
    # What it reads a command above it wrote; in a parallel run maybe in another worker's folder.
    if command.startswith("warpbench gate") and not (reader / "warpbench-baseline.json").exists():
        assert run_warpbench_here(reader, "baseline").status == 0
    if command.startswith("warpbench report") and not (reader / "results" / "run.json").exists():
        assert_works("warpbench run two-sleeps --strategy gather", reader)

    assert_works(command, reader)


MEASURING = (CHECKOUT / "docs" / "measuring.md").read_text()


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
    finished = run_warpbench_here(folder, *in_short(shlex.split(command)[1:]))

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
