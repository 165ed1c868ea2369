"""The report as one HTML file."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from warpbench.bench.results.finding_text import how_often
from warpbench.bench.results.own_waits import OwnWait
from warpbench.bench.results.records import CellResult, Run
from warpbench.bench.results.reference import Reference
from warpbench.bench.results.refused_hosts import RefusedHost
from warpbench.reports.charts.chart import RenderedChart
from warpbench.reports.charts.registry import CHARTS
from warpbench.reports.comparison.summary_text import verdict
from warpbench.reports.html.page import render_page

pytestmark = pytest.mark.once

STANDING = [chart for chart in CHARTS if not chart.is_optional]

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """Reads a page strictly: what is opened is closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def page(sample: Run, sample_charts: tuple[RenderedChart, ...]) -> str:
    return render_page(sample, sample_charts)


def test_the_same_run_and_charts_give_the_same_page(
    sample: Run, sample_charts: tuple[RenderedChart, ...], page: str
) -> None:
    assert render_page(sample, sample_charts) == page


@pytest.fixture(scope="module")
def degenerate_page(degenerate: Run, degenerate_charts: tuple[RenderedChart, ...]) -> str:
    return render_page(degenerate, degenerate_charts)


def test_every_degenerate_run_has_a_well_formed_page(degenerate_page: str) -> None:
    Reader(degenerate_page)


def test_nothing_outside_the_file_is_asked_for(degenerate_page: str) -> None:
    reader = Reader(degenerate_page)
    assert {"link", "img", "iframe", "object", "image", "a"}.isdisjoint(
        tag for tag, _ in reader.tags
    )
    assert reader.all("script") == [{"type": "application/json", "id": "data"}, {}]
    for _, attributes in reader.tags:
        assert not {"src", "srcset", "action", "background"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    page = degenerate_page
    known = ("http-equiv", "httpx2", "http://www.w3.org/2000/svg")  # the last is a name, no address
    assert "http" not in re.sub("|".join(map(re.escape, known)), "", page)
    assert "@import" not in page
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page))


def test_its_own_policy_forbids_requests_and_every_script_but_ours(page: str) -> None:
    (policy,) = (meta for meta in Reader(page).all("meta") if "http-equiv" in meta)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    ours = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["content"] == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{ours}'"
    )


def test_the_figures_in_it_are_json_that_ends_no_element(degenerate_page: str) -> None:
    (text,) = re.findall(r'<script [^>]*id="data">(.*?)</script>', degenerate_page, re.DOTALL)
    data = json.loads(text)
    assert "<" not in text
    assert len(data["scenarios"]) == degenerate_page.count("data-scenario=")
    assert sum(len(one["groups"]) for one in data["scenarios"]) == degenerate_page.count(
        "data-group="
    )


def test_hostile_names_are_only_ever_text(
    hostile: Run, hostile_charts: tuple[RenderedChart, ...]
) -> None:
    page = render_page(hostile, hostile_charts)
    assert page.count("<script") == 2  # ours
    reader = Reader(page)
    assert "<script>alert('$\\frac{1}{0}$')</script>" in reader.text
    assert not {"\x1b", "\u202e"} & set(page)


def test_identifiers_are_unique_and_references_lead_somewhere(degenerate_page: str) -> None:
    page = degenerate_page
    reader = Reader(page)
    identifiers = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(set(identifiers)) == len(identifiers)
    wanted = {a["href"].removeprefix("#") for _, a in reader.tags if a.get("href")}  # type: ignore[union-attr]
    wanted |= set(re.findall(r"url\(#([^)]+)\)", page))
    wanted |= {part for _, a in reader.tags for part in (a.get("aria-labelledby") or "").split()}
    assert wanted <= set(identifiers)


def test_a_picture_brings_no_rules_for_the_page(page: str) -> None:
    assert len(Reader(page).all("style")) == 1


def test_pictures_have_a_title_and_a_description(sample: Run, page: str) -> None:
    reader = Reader(page)
    pictures = reader.all("svg")
    assert len(pictures) == len(STANDING)
    assert all(picture["role"] == "img" for picture in pictures)
    assert len(reader.all("desc")) == len(STANDING)
    assert "tools: throughput by concurrency" in reader.text


def test_the_verdict_stands_before_all_else(sample: Run, page: str) -> None:
    text = Reader(page).text
    assert text.index(verdict(sample)[0]) < text.index("Findings") < text.index("Every cell")


def test_what_is_to_be_pasted_into_the_scenario_keeps_its_lines(sample: Run) -> None:
    cell = sample.cells[0]
    host = RefusedHost(host="api.x.com", paths=("/count",), requests=90, sessions=5, cost_s=1e9)
    page = render_page(replace(sample, cells=(replace(cell, refused=(host,)),)))
    (pasted,) = re.findall(r"<pre>(.*?)</pre>", page.partition("<h2")[0], flags=re.DOTALL)
    assert pasted.splitlines()[0] == "[[services]]"
    assert "https://api.x.com/count*" in pasted


def test_waits_in_the_targets_own_code_have_a_table(sample: Run, page: str) -> None:
    heading = "Waits in your own code"
    assert heading not in Reader(page).text
    wait = OwnWait(
        place="my_agent.py:build.<locals>.look_up:13",
        awaits="asyncio.sleep",
        seen_s=24.0,
        waits=80,
        sessions=20,
        lost_s=0.0,
        in_turn=True,
    )
    seen = OwnWait(place="a.py:seen_now_and_then:1", awaits="asyncio.sleep", seen_s=30.0)
    first, second, *others = sample.cells
    longer = replace(second, own_waits=(replace(wait, seen_s=32.0), seen))
    cells = (replace(first, own_waits=(wait,)), longer, *others)
    text = Reader(render_page(replace(sample, cells=cells))).text
    _, _, table = text.partition(heading)
    assert "look_up (my_agent.py:13)" in table
    often = how_often(4, 0.4).removesuffix(" a session")
    assert f"{often}, one after another" in table  # where it is longest
    assert how_often(4, 0.3).removesuffix(" a session") not in table
    assert "seen_now_and_then" not in text


def test_the_page_says_what_an_efficiency_is_of(sample: Run, page: str) -> None:
    assert "efficiency is of" not in Reader(page).text
    first, *others = sample.cells
    own = replace(first, reference=Reference.SOLO)
    text = Reader(render_page(replace(sample, cells=(own, *others)))).text
    assert "efficiency is of the agent alone" in text


def test_the_page_holds_findings_command_and_environment(sample: Run, page: str) -> None:
    text = Reader(page).text
    for finding in sample.findings:
        assert finding.message in text
    assert sample.command in text
    assert sample.environment.platform in text
    assert "openai 3.52.0" in text
    assert "3b089cf" in text


def test_the_table_has_a_row_for_each_cell_and_says_what_is_missing(sample: Run, page: str) -> None:
    reader = Reader(page)
    assert len(reader.all("table")) == 1
    rows = reader.all("tr")
    lost = 1  # the cell whose sessions did not all succeed has a line more
    assert len(rows) == 1 + len(sample.cells) + lost
    assert sum(row.get("class") == "absent" for row in rows) == 2
    marks = [tag.get("aria-label") for tag in reader.all("span") if tag.get("class") == "mark"]
    assert set(marks) == {"statistically tied"}
    assert "failed: the trial was killed by signal 9" in reader.text
    assert "3 failed, 2 timed out of 1,200 sessions" in reader.text


def test_a_cell_that_leads_is_marked_as_the_fastest(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    run = run_of([cell("gather", "asyncio", 10, 0.9), cell("threads", "none", 10, 0.5)])
    reader = Reader(render_page(run, []))
    assert sum(row.get("class") == "best" for row in reader.all("tr")) == 1
    assert [tag.get("aria-label") for tag in reader.all("span") if tag.get("class") == "mark"] == [
        "fastest"
    ]


def test_each_mark_that_is_shown_is_explained_and_no_other(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    noisy = replace(
        cell("threads", "none", 10, 0.9),
        trial_figures=tuple(
            replace(figures, throughput_per_s=throughput_per_s)
            for figures, throughput_per_s in zip(
                cell("threads", "none", 10, 0.9).trial_figures, (1.0, 40.0, 9.0), strict=False
            )
        ),
    )
    reader = Reader(render_page(run_of([cell("gather", "asyncio", 10, 0.9), noisy]), []))
    marks = {tag.get("aria-label") for tag in reader.all("span") if tag.get("class") == "mark"}
    assert marks == {"too noisy to rank"}
    assert "? too noisy to rank" in reader.text
    assert "statistically tied" not in reader.text


def test_headings_descend_one_step_at_a_time(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Reader(page).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_it_minds_the_readers_light_and_the_printer(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert 'name="viewport"' in page


def test_a_page_without_charts_is_whole(
    cell: Callable[..., CellResult], run_of: Callable[..., Run]
) -> None:
    reader = Reader(render_page(run_of([cell("gather", "asyncio", 10)])))
    assert reader.all("svg") == []
    assert len(reader.all("table")) == 1


def test_a_static_picture_has_nothing_that_nobody_sees(page: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert pictures
    for picture in pictures:
        referred = set(re.findall(r'#([^")]+)[")]', picture))
        referred |= set(" ".join(re.findall(r'aria-labelledby="([^"]+)"', picture)).split())
        assert set(re.findall(r'\bid="([^"]+)"', picture)) <= referred
        assert not re.search(r'\bd="[^"]*\.\d{3}', picture)
        assert not re.search(r">\s+<", picture)
