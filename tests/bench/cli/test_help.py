"""What ``--help`` says of each command: pinned by a golden file, with examples that work."""

import re
import shlex
from importlib.metadata import version

import pytest
from warpbench.bench.cli.app import COMMANDS, IMPORTS, build
from warpbench.bench.cli.main import main

from ...golden import assert_golden

pytestmark = pytest.mark.once

WORDS = [
    [],
    *([command.name] for command in COMMANDS),
    ["import"],
    *(["import", command.name] for command in IMPORTS),
]
EXAMPLES = [example for command in (*COMMANDS, *IMPORTS) for example in command.examples]


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def help_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*words, "--help"]) == 0
    return capsys.readouterr().out


def test_the_help_of_each_command_is_as_pinned(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [f"$ warpbench {' '.join([*w, '--help'])}\n{help_of(w, capsys)}" for w in WORDS]

    assert_golden("help", "\n".join(texts))


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_it_fits_the_terminal_and_has_examples_and_statuses(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    text = help_of(words, capsys)

    assert "Examples:\n  warpbench " in text
    assert "Exit status:\n  0 " in text
    wide = [line for line in text.splitlines() if len(line) > 60]
    assert all(line.startswith(("  warpbench ", "Usage: ")) for line in wide), wide


def test_warpbench_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == help_of([], capsys)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_can_be_parsed(example: str) -> None:
    program, *words = shlex.split(example)

    assert program == "warpbench"
    build().parse_args(words)


def test_the_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"warpbench {version('warpbench')}\n"


def test_a_shell_can_complete_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """`tests/slow` asks for the other shells: what sets them apart is a library's."""
    assert_commands_are_completed("bash", capsys)


def assert_commands_are_completed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"\b{command.name}\b", script), command.name
