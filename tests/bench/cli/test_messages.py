"""``--quiet`` and ``--verbose``: in every command where they mean something, and in no other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import UnknownOptionError
from warpbench.bench.cli.app import COMMANDS, IMPORTS, build

from ...conftest import Warpbench, run_warpbench_here

pytestmark = pytest.mark.once

README = (Path(__file__).resolve().parents[3] / "README.md").read_text()
ARGUMENTS = {
    "report": ("results",),
    "compare": ("results", "results"),
    "export": ("csv", "results"),
    "history": ("runs.sqlite",),
    "completion": ("bash",),
    "import trace": ("spans.json", "--out", "replay.toml"),
}
MEASURE = {"run", "advise", "profile", "explore", "baseline", "gate"}
WRITE_FILES = {"report", "compare", "learn", "import trace"}
NAMES = [
    *(command.name for command in COMMANDS),
    *(f"import {command.name}" for command in IMPORTS),
]


def takes(command: str, option: str) -> bool:
    """Say whether a command has an option."""
    try:
        build().parse_args([*command.split(), *ARGUMENTS.get(command, ()), option])
    except UnknownOptionError:
        return False
    return True


@pytest.mark.parametrize("command", NAMES)
def test_a_command_takes_them_where_it_has_something_to_say(command: str) -> None:
    assert takes(command, "--quiet") is (command in MEASURE | WRITE_FILES)
    assert takes(command, "--verbose") is (command in MEASURE)


def test_the_readme_says_which() -> None:
    quiet, verbose = re.findall(r"^`--quiet`.*?It is in (.*?)`--verbose`.*?It is in (.*?)\. The", (
        README
    ), re.DOTALL | re.MULTILINE)[0]  # fmt: skip

    assert set(re.findall(r"`([\w ]+)`", quiet)) == MEASURE | WRITE_FILES
    assert set(re.findall(r"`([\w ]+)`", verbose)) == MEASURE


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of a run, and a trace."""
    folder = tmp_path_factory.mktemp("messages")
    words = ("--clock", "virtual", "--strategy", "gather", "--loop", "asyncio", "--quiet")
    made = run_warpbench_here(folder, "run", "two-sleeps", "--concurrency", "2", *words)
    assert made.status == 0, made.err
    request = {"type": "n", "in": 1000, "out": 50, "api_time": 3.0, "think_time": 2.0}
    (folder / "trace.jsonl").write_text(json.dumps({"requests": [request]}))
    return folder


@pytest.mark.parametrize(
    ("command", "words", "file"),
    [
        ("report", ("results", "--out", "page"), "page/report.html"),
        ("compare", ("results", "results", "--out", "compared"), "compared"),
        ("learn", ("failure", "--out", "lessons"), "lessons"),
        ("import trace", ("trace.jsonl", "--out", "replay.toml"), "replay.toml"),
    ],
)
def test_quiet_leaves_out_the_list_of_files_and_nothing_else(
    command: str, words: tuple[str, ...], file: str, results: Path
) -> None:
    told = run_warpbench_here(results, *command.split(), *words)
    quiet = run_warpbench_here(results, *command.split(), *words, "--quiet")

    assert (told.status, quiet.status) == (0, 0), quiet.err
    assert (results / file).exists()
    answer = "".join(without(told.out, file))
    assert quiet.out.strip() == answer.strip() != told.out.strip()


def without(text: str, path: str) -> Iterator[str]:
    """Yield the lines of a text that name nothing in a folder."""
    for line in text.splitlines(keepends=True):
        if path.partition("/")[0] not in line and not line.startswith("results/"):
            yield line


def test_a_profile_says_which_cell_begins_and_which_files_there_are_if_it_is_to(
    warpbench: Warpbench,
) -> None:
    words = ("profile", "two-sleeps", "--strategy", "gather", "--concurrency", "2")

    verbose = warpbench(*words, "--verbose")
    quiet = warpbench(*words, "--quiet")

    assert verbose.status == quiet.status == 0, quiet.err
    assert "cell 1 of 1 begins: two-sleeps/agent/gather/asyncio@2" in verbose.err
    assert quiet.err == ""
    assert "results/" in verbose.out
    assert "results/" not in quiet.out
    assert warpbench(*words, "--quiet", "--verbose").status == 2
