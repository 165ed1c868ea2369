"""No character that steers a terminal is shown, whatever an error or a results file holds."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.results.encoding import json_text
from warpbench.bench.results.samples import Outcome
from warpbench.mocks.errors import name_of, text_of
from warpbench.reports.exports import EXPORTS

from ...conftest import Finished, run_warpbench_here

pytestmark = pytest.mark.once

STEERS = "a\x1b[31mb\x00c\u202ed\x9be"
NO_BREAK_SPACE = "\xa0"
TARGET = f"""
STEERS = {STEERS!r}

def build():
    async def session(task):
        raise type(STEERS.replace("\\0", ""), (Exception,), {{}})(STEERS)
    return session

def crash():
    raise BaseException(STEERS)

def refuse():
    raise ValueError(STEERS)
"""
CELL = ("two-sleeps", "--concurrency", "1", "--sessions", "2")
RUN = ("run", *CELL, "--strategy", "gather", "--loop", "asyncio", "--clock", "virtual", "--trials")
KEPT = ("cell", "kind", "outcome", "reference", "status", "schema_version", "name")
"""What a results file names: a reader refuses it, or knows no other value."""


def steering(text: str) -> str:
    """Return the characters of a text that steer, as such and as escapes of a page."""
    shown = [each for each in text if not each.isprintable() and each not in {"\n", NO_BREAK_SPACE}]
    return "".join(shown) + "".join(re.findall(r"&#x?(?:27|1b|8238|202e|0);", text))


def shown_by(finished: Finished) -> str:
    return finished.out + finished.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "steering_target.py").write_text(TARGET)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture(scope="module")
def run_of_build(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run whose sessions raise what steers, made once for all tests that look at it."""
    folder = tmp_path_factory.mktemp("build")
    (folder / "steering_target.py").write_text(TARGET)
    target = ("--target", "steering_target:build")
    return run_warpbench_here(folder, *RUN, "2", *target, NO_COLOR="1")


def test_the_error_of_a_session_steers_no_terminal(run_of_build: Finished) -> None:
    assert_steers_no_terminal(run_of_build)
    assert_steers_no_file(run_of_build.folder)


def test_the_error_of_a_trial_steers_no_terminal(folder: Path) -> None:
    finished = run_warpbench_here(folder, *RUN, "1", "--target", "steering_target:crash")
    assert_steers_no_terminal(finished)
    assert_steers_no_file(folder)


def test_the_error_of_a_target_steers_no_terminal(folder: Path) -> None:
    finished = run_warpbench_here(folder, *RUN, "1", "--target", "steering_target:refuse")
    assert_steers_no_terminal(finished)


def assert_steers_no_terminal(finished: Finished) -> None:
    assert finished.status != 0
    assert "a\\x1b[31mb\\x00c\\u202ed\\x9be" in re.sub(r"\s+", " ", shown_by(finished))
    assert not steering(shown_by(finished))


def assert_steers_no_file(folder: Path) -> None:
    files = [*(folder / "results").rglob("*")]
    assert files
    for file in files:
        if file.suffix in {".html", ".svg", ".json", ".csv"}:
            assert not steering(file.read_text()), file.name


def test_a_gate_shows_no_steering_error(folder: Path) -> None:
    made = run_warpbench_here(folder, "baseline", *CELL, "--target", "agent")
    assert made.status == 0, made.err
    baseline = folder / "warpbench-baseline.json"
    baseline.write_text(baseline.read_text().replace('"agent"', '"steering_target:crash"'))
    reports = ("--summary", "gate.md", "--junit", "gate.xml")
    for options in (reports, ("--json",)):
        finished = run_warpbench_here(folder, "gate", *options)
        assert "u202ed" in shown_by(finished)
        assert not steering(shown_by(finished))
    for file in ("gate.md", "gate.xml"):
        assert not steering((folder / file).read_text())


def texts_replaced(value: Any) -> Any:
    """Return a document with each free text in it replaced by one that steers."""
    if isinstance(value, dict):
        return {key: each if key in KEPT else texts_replaced(each) for key, each in value.items()}
    if isinstance(value, list):
        return [texts_replaced(each) for each in value]
    return STEERS if isinstance(value, str) else value


def commands() -> Iterator[tuple[str, ...]]:
    yield "report", "bad.json", "--out", "page"
    for name in EXPORTS:
        yield "export", name, "bad.json"
    yield "compare", "good.json", "bad.json", "--markdown", "page/compared.md", "--out", "compared"
    yield "history", "kept"
    yield "history", "kept", "--json"


def test_no_view_of_a_results_file_shows_a_character_that_steers(
    folder: Path, run_of_build: Finished
) -> None:
    assert run_of_build.status == 1
    good = json.loads((run_of_build.folder / "results/run.json").read_text())
    (folder / "good.json").write_text(json.dumps(good))
    (folder / "kept").mkdir()
    for place in ("bad.json", "kept/bad.json"):
        (folder / place).write_text(json.dumps(texts_replaced(good)))
    for command in commands():
        finished = run_warpbench_here(folder, *command, is_drawn=True)
        assert not steering(shown_by(finished)), command
        assert finished.status == 0, finished.err
    for file in (*(folder / "page").rglob("*"), *(folder / "compared").rglob("*")):
        if file.suffix in {".html", ".svg", ".md"}:
            assert not steering(file.read_text()), file.name


def test_a_text_of_an_error_keeps_its_lines_and_nothing_that_steers() -> None:
    assert text_of(ValueError("one\ntwo\x1b[0m")) == "one\ntwo\\x1b[0m"
    assert name_of(type("\u202eName", (Exception,), {})()) == "\\u202eName"


def test_json_that_is_printed_holds_the_same_and_steers_nothing() -> None:
    document = {"é": [STEERS, "\U000e0001", Outcome.FAILED], "→": 1.5}
    text = json_text(document)
    assert json.loads(text) == document
    assert not steering(text)
    assert "é" in text
