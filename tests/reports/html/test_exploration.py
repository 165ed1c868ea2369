"""The page of an exploration, and the file beside it."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from warpbench.bench.results.case import Case
from warpbench.bench.results.exploration import Exploration, FailureKind, Found
from warpbench.bench.results.exploration_file import Explorations
from warpbench.bench.results.steps import Step, StepKind
from warpbench.mocks.clock import Choice
from warpbench.mocks.errors import UsageError
from warpbench.reports.comparison.exploration import times_text
from warpbench.reports.html.exploration import (
    page_title,
    render_exploration,
    write_exploration,
)

from ...built import CELL
from ...golden import assert_golden
from ..explorations import FOUND, INTERRUPTED, LEAK, STEPS
from .test_page import Reader

pytestmark = pytest.mark.once

NOT_APPLICABLE = Exploration(cell=replace(CELL, strategy="sync"), not_applicable="it has no form")
ENDED = replace(INTERRUPTED, cell=replace(CELL, loop="uvloop"))
ALL = Explorations(scenario="./chat.toml", explorations=(FOUND, ENDED, NOT_APPLICABLE))
NONE = Explorations(
    scenario="chat", explorations=(Exploration(cell=CELL, schedules=200, of=200, elapsed_s=12.0),)
)
HOSTILE = "<script>alert(1)</script>\"'&\u202e\x1b[31m"
SECRET = "sk-proj-" + "a1B2c3D4" * 6


@pytest.fixture(scope="module")
def page() -> str:
    return render_exploration(ALL)


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return Reader(page)


def test_the_wording_of_the_page(page: str) -> None:
    some = replace(FOUND, found=FOUND.found[:2])
    shown = render_exploration(replace(ALL, explorations=(some, ENDED, NOT_APPLICABLE)))
    _, _, body = shown.partition("<body>")
    assert_golden("exploration_page", f"<body>{body}")
    assert_golden(
        "exploration_page_of_nothing", "<body>" + render_exploration(NONE).partition("<body>")[2]
    )


def test_it_is_one_file_without_a_script_that_asks_for_nothing(page: str, reader: Reader) -> None:
    tags = {tag for tag, _ in reader.tags}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "image", "noscript"})
    for _, attributes in reader.tags:
        assert not {"src", "srcset", "action", "background"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    assert "http" not in page.replace("http-equiv", "").replace("httpx", "")
    assert "url(" not in page
    assert "@import" not in page
    (policy,) = (meta for meta in reader.all("meta") if "http-equiv" in meta)
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_identifiers_are_unique_and_references_lead_somewhere(reader: Reader) -> None:
    identifiers = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(set(identifiers)) == len(identifiers)
    wanted = {(a["href"] or "").removeprefix("#") for _, a in reader.tags if "href" in a}
    labels = [a["aria-labelledby"] or "" for _, a in reader.tags if "aria-labelledby" in a]
    assert len(set(labels)) == len(labels)
    assert wanted | {part for label in labels for part in label.split()} <= set(identifiers)


def test_headings_descend_one_step_at_a_time(reader: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_pictures_have_a_name_and_tables_have_headings(reader: Reader) -> None:
    assert [picture["role"] for picture in reader.all("svg")] == ["img"]
    assert len(reader.all("desc")) == 1
    assert [heading["scope"] for heading in reader.all("th")] == ["col"] * 5
    assert len(reader.all("table")) == 1


def test_each_failure_has_its_section_and_its_command(page: str, reader: Reader) -> None:
    failures = len(FOUND.found) + len(INTERRUPTED.found)
    assert len([tag for tag in reader.all("section") if tag.get("class") == "failure"]) == failures
    assert page.count("--replay ") == failures + len(FOUND.notes)
    assert reader.text.count("--replay 17/sessions=3+7") == 1


def test_it_minds_the_readers_light_and_the_printer(page: str) -> None:
    assert page.count("prefers-color-scheme: dark") == 2
    assert page.count("@media print") == 2


def test_text_of_an_agent_is_only_ever_text() -> None:
    step = Step(session=3, kind=StepKind.TOOL, name=HOSTILE, begin_s=0, end_s=1, place=HOSTILE)
    failure = replace(LEAK, kind=FailureKind.FAILED, error=HOSTILE, last_place=HOSTILE)
    found = Found(failure=failure, case=Case(0), seen_in=1, steps=(step,))
    cell = replace(CELL, target=HOSTILE, scenario=HOSTILE)
    exploration = replace(FOUND, cell=cell, found=(found,), not_repeated=((1, failure),))
    absent = replace(NOT_APPLICABLE, not_applicable=HOSTILE)

    page = render_exploration(Explorations(scenario=HOSTILE, explorations=(exploration, absent)))

    assert "<script" not in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert Reader(page).text.count("<script>alert(1)</script>") >= 8


@pytest.mark.parametrize(
    ("explorations", "title"),
    [
        ([FOUND], "15 distinct failures in 200 schedules of agent"),
        ([INTERRUPTED], "1 distinct failure in 20 of 200 schedules of agent"),
        (NONE.explorations, "No failure in 200 schedules of agent"),
        ([*NONE.explorations] * 2, "No failure in 400 schedules of agent in 2 cells"),
        ([replace(FOUND, found=())], "No failure that came again in 200 schedules of agent"),
        (
            [replace(INTERRUPTED, is_interrupted=False, stopped_at_first=True)],
            "1 distinct failure in 20 schedules of agent",
        ),
        ([NOT_APPLICABLE], "No schedule of agent was run"),
    ],
)
def test_the_title_states_the_finding(explorations: list[Exploration], title: str) -> None:
    assert page_title(tuple(explorations)) == title


def test_the_file_holds_all_that_was_found(tmp_path: Path) -> None:
    page, file = write_exploration(ALL, tmp_path / "new")

    assert page.read_text() == render_exploration(ALL)
    assert TypeAdapter(Explorations).validate_json(file.read_text(), strict=True) == ALL


def test_neither_file_holds_a_secret(tmp_path: Path) -> None:
    step = replace(STEPS[1], name=SECRET, place=f"{SECRET}.py:{SECRET}:1")
    failure = replace(LEAK, kind=FailureKind.FAILED, error=f"refused: {SECRET}")
    choice = Choice(f"session 3 {SECRET}", 0, "session 7 answer 1")
    found = Found(failure=failure, case=Case(0), seen_in=1, differences=(choice,), steps=(step,))
    exploration = replace(FOUND, found=(found,), not_repeated=((1, failure),))

    for file in write_exploration(replace(ALL, explorations=(exploration,)), tmp_path):
        text = file.read_text()
        assert SECRET not in text, file.name
        assert "session 3 [redacted]" in text


def test_a_file_that_cannot_be_written_is_an_error_of_usage(tmp_path: Path) -> None:
    (tmp_path / "exploration.json").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        write_exploration(NONE, tmp_path)


@pytest.mark.parametrize(
    ("times_s", "texts"),
    [
        ((0, 0.5, 0.5), ("0 s", "500 ms", "500 ms")),
        ((107.01, 107.02, 108), ("107.01 s", "107.02 s", "108.00 s")),
        ((0.1 + 0.2, 0.3), ("300 ms", "300 ms")),
        ((), ()),
    ],
)
def test_times_beside_each_other_are_told_apart(
    times_s: tuple[float, ...], texts: tuple[str, ...]
) -> None:
    assert times_text(times_s) == texts
