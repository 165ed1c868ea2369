"""The examples in README and docs, run as a reader would run them."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from .conftest import in_short

# One command reads what another wrote: all on one worker, in order.
pytestmark = [pytest.mark.once, pytest.mark.xdist_group("readme")]

CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"^# (\S+\.(?:py|toml))\n")
TIMEOUT_S = 120


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
    warpbench = str(Path(sys.executable).parent / "warpbench")
    if command.startswith("warpbench gate") and not (reader / "warpbench-baseline.json").exists():
        # In a parallel run another worker may have written it, in a folder of its own.
        subprocess.run([warpbench, "baseline"], cwd=reader, timeout=TIMEOUT_S, check=True)

    result = subprocess.run(
        [warpbench, *in_short(shlex.split(command)[1:])],
        cwd=reader,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def measuring_commands() -> list[str]:
    """Those of ``docs/measuring.md``, but for the sweep that takes minutes."""
    text = (CHECKOUT / "docs" / "measuring.md").read_text()
    lines = (line for _, block in BLOCK.findall(text) for line in block.splitlines())
    return [line for line in lines if line.startswith("warpbench ") and " auto" not in line]


@pytest.mark.parametrize("command", measuring_commands())
def test_a_command_of_the_page_on_measuring_works(command: str, tmp_path: Path) -> None:
    def run(line: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [
                str(Path(sys.executable).parent / "warpbench"),
                *in_short(shlex.split(line)[1:]),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    if command.startswith("warpbench compare"):
        for folder in ("results-before", "results-after"):
            run(f"warpbench run chat --strategy gather --sessions 10 --out {folder}")

    result = run(command)

    # The doctor may well find something on the machine at hand.
    assert result.returncode in ((0, 1) if command.endswith("doctor") else (0,)), result.stderr
    assert "Traceback" not in result.stderr


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
