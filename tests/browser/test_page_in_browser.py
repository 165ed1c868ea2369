"""The page in headless Chromium: it answers to pointer and keys, filters, and is accessible.

``make browser`` runs these; they take ``chromium`` on the machine and Playwright to drive it.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.results.exploration_file import Explorations
from warpbench.bench.results.formatting import seconds
from warpbench.bench.results.records import Run
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.runner.runner import run_cells
from warpbench.bench.statistics.stopping import Sampling
from warpbench.bench.strategies import available_strategies
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import load_scenario
from warpbench.reports.charts.render import render_charts
from warpbench.reports.charts.ticks import logarithmic_ticks
from warpbench.reports.html import templates
from warpbench.reports.html.exploration import render_exploration
from warpbench.reports.html.page import render_page

from ..built import HEADER, Nobody
from ..reports.conftest import DEGENERATE
from ..reports.explorations import FOUND, INTERRUPTED

playwright = pytest.importorskip("playwright.sync_api", reason="make browser brings Playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="make browser brings axe")
CHROMIUM = shutil.which("chromium")
# In a browser nothing may leave the machine either, and a container has no sandbox of its own.
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]


@pytest.fixture(scope="module")
def run() -> Run:
    """Two scenarios, four strategies, three loads, measured in virtual time."""
    known = available_strategies()
    factors = Factors(
        scenarios=(load_scenario("tools"), load_scenario("blocking-blunder")),
        strategies=tuple(known[name] for name in ("sync", "threads", "gather", "blocking")),
        loops=("asyncio", "uvloop"),
        concurrency=(2, 10, 20),
        session_count=100,
        clock=ClockMode.VIRTUAL,
    )
    specs = [replace(spec, accounts_time=True) for spec in cells_of(factors)]
    made, _ = run_cells(
        HEADER,
        specs,
        sampling=Sampling(trials=1),
        runner=TrialProcesses(60),
        observer=Nobody(),
        save=lambda _: None,
    )
    return made


@pytest.fixture(scope="module")
def address(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_page(run, render_charts(run)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    complaints: list[str] = []
    contexts = []

    def open_page(where: str = address, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(where)
        complaints.remove(where)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []  # no error, no warning, no request


def texts(page: Any, selector: str) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        selector, "all => all.filter(one => one.checkVisibility()).map(one => one.textContent)"
    )
    return found


FIGURES = '[data-group="0.0"] figure .kind'


def test_each_scenario_has_its_pictures(opened: Callable[..., Any]) -> None:
    page = opened()
    assert texts(page, FIGURES) == [
        "Throughput by concurrency",
        "Efficiency (ideal ÷ measured makespan)",
        "Latency percentiles by strategy, concurrency 20",
        "Latency by percentile, concurrency 20",
        "Where the time of a session went, concurrency 20",
        "Share of sessions finished, concurrency 20",
        "The first sessions over time, concurrency 20",
        "Event-loop lag, concurrency 20",
    ]
    assert page.locator('[data-group="1.0"] figure').count() == 8
    assert page.locator("noscript figure").count() == 0  # the static ones are for no script


def test_the_pointer_is_told_what_lies_under_it_and_the_strategy_stands_out(
    opened: Callable[..., Any],
) -> None:
    page = opened()
    throughput = page.locator('[data-group="0.0"] figure').first
    throughput.locator('circle.mark[data-strategy="gather"]').last.hover()
    tooltip = page.get_by_role("tooltip")
    assert tooltip.is_visible()
    assert "gather · uvloop, concurrency 20: " in tooltip.text_content()
    assert "of the ideal" in tooltip.text_content()
    dimmed = page.eval_on_selector(
        '[data-group="1.0"] path[data-strategy="sync"]', "one => getComputedStyle(one).opacity"
    )
    assert float(dimmed) < 0.5  # in the pictures of the other scenario as well
    page.mouse.move(5, 5)
    assert not tooltip.is_visible()


def test_the_arrow_keys_read_a_picture_aloud(opened: Callable[..., Any]) -> None:
    page = opened()
    page.locator('[data-group="0.0"] svg[role="img"]').first.focus()
    page.keyboard.press("ArrowRight")
    first = page.get_by_role("status").text_content()
    page.keyboard.press("ArrowRight")
    second = page.get_by_role("status").text_content()
    assert first.startswith("ideal, concurrency 2: ")
    assert second.startswith("ideal, concurrency 10: ")
    page.keyboard.press("Escape")
    assert not page.get_by_role("tooltip").is_visible()


def test_a_strategy_is_hidden_and_shown_in_pictures_and_table(opened: Callable[..., Any]) -> None:
    page = opened()
    rows = 'tr[data-strategy="sync"]'
    lines = '[data-group] path[data-strategy="sync"]'
    assert texts(page, rows)
    assert page.locator(lines).count() > 0
    button = page.get_by_role("button", name="sync")
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert texts(page, rows) == []
    assert page.locator(lines).count() == 0
    button.click()
    assert texts(page, rows)
    # The pointer is on it still: what was drawn anew is lit, and not everything dim.
    opacity = "all => all.map(one => getComputedStyle(one).opacity)"
    assert set(page.eval_on_selector_all(lines, opacity)) == {"1"}


def test_scenarios_are_filtered(opened: Callable[..., Any]) -> None:
    page = opened()
    page.get_by_label("scenario").select_option(label="blocking-blunder")
    assert texts(page, "[data-scenario] > h2") == ["blocking-blunder"]
    page.get_by_label("scenario").select_option(label="all")
    assert texts(page, "[data-scenario] > h2") == ["tools", "blocking-blunder"]


def test_another_load_and_a_log_scale_are_drawn(opened: Callable[..., Any]) -> None:
    page = opened()
    page.get_by_label("concurrency").first.select_option("2")
    assert "Latency by percentile, concurrency 2" in texts(page, FIGURES)
    ticks = '[data-group="0.0"] figure:nth-of-type(1) .grid text'
    assert "0" in texts(page, ticks)
    page.get_by_label("log scale").check()
    assert "0" not in texts(page, ticks)


def test_the_timeline_shows_two_strategies_and_how_far_each_goes_on(
    opened: Callable[..., Any],
) -> None:
    page = opened()
    panels = '[data-group="0.0"] .panel'
    # The best, and the next that is not tied with it.
    assert [text.partition(":")[0] for text in texts(page, panels)] == ["threads", "sync"]
    assert "the beginning is shown" in texts(page, panels)[1]
    page.get_by_label("compare").first.select_option("blocking · asyncio")
    assert texts(page, panels)[0].startswith("blocking · asyncio")
    row = page.locator('[data-group="0.0"] figure.wide svg').first.locator("rect").last
    row.hover()
    assert "blocked the event loop: 500 ms" in page.get_by_role("tooltip").text_content()
    page.get_by_label("whole time").first.check()
    assert "the beginning is shown" not in "".join(texts(page, panels))


def test_the_script_writes_times_as_the_other_reports_do(browser: Any) -> None:
    page = browser.new_context().new_page()
    page.add_script_tag(content=resources.files(templates).joinpath("script/draw.js").read_text())
    figures = (1.0, 1.23456, 2.5, 5.9949, 9.9951, 9.9996)
    times_s = [0.0, *(figure * 10.0**power for power in range(-7, 6) for figure in figures)]
    shown = page.evaluate("times => times.map(duration)", times_s)
    assert shown == [seconds(time_s) for time_s in times_s]
    page.context.close()


def test_the_script_labels_a_logarithmic_axis_as_the_other_charts_do(browser: Any) -> None:
    page = browser.new_context().new_page()
    page.add_script_tag(content=resources.files(templates).joinpath("script/draw.js").read_text())
    begins = (1e-6, 0.00096, 0.31, 1.0, 3.1, 42.0, 299.8, 8e4)
    ranges = [(low, low * ratio) for low in begins for ratio in (1.5, 3.7, 12.0, 400.0, 1e6, 1e10)]
    shown = page.evaluate(
        "ranges => ranges.map(([low, high]) => logarithmicTicks(low, high))", ranges
    )
    assert shown == [pytest.approx(logarithmic_ticks(low, high)) for low, high in ranges]
    page.context.close()


def test_an_axis_of_one_value_has_labels_on_both_sides_of_it(browser: Any) -> None:
    page = browser.new_context().new_page()
    page.add_script_tag(content=resources.files(templates).joinpath("script/draw.js").read_text())
    ticks = page.evaluate("linear(roomAround(1.2, 1.2), [0, 100]).ticks")
    assert min(ticks) < 1.2 < max(ticks)
    assert page.evaluate("linear(roomAround(0, 0), [0, 100]).ticks.length") >= 3
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_and_fits_in_both_themes_and_on_a_phone(
    opened: Callable[..., Any], theme: str, width: int
) -> None:
    page = opened(color_scheme=theme, viewport={"width": width, "height": 800})
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_of_an_exploration_is_accessible_and_none_of_its_texts_is_cut(
    opened: Callable[..., Any], tmp_path: Path, theme: str, width: int
) -> None:
    path = tmp_path / "exploration.html"
    other = replace(INTERRUPTED, cell=replace(FOUND.cell, loop="uvloop"))
    found = Explorations(scenario="chat", explorations=(FOUND, other))
    path.write_text(render_exploration(found), encoding="utf-8")
    page = opened(path.as_uri(), color_scheme=theme, viewport={"width": width, "height": 800})

    violations = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wider = page.eval_on_selector_all(
        "figure text.on",
        """all => all.filter(one => one.getBBox().x + one.getBBox().width
            > one.previousElementSibling.getBBox().x + one.previousElementSibling.getBBox().width
        ).map(one => one.textContent)""",
    )
    assert wider == []


def test_what_is_printed_is_light_and_has_no_controls(opened: Callable[..., Any]) -> None:
    page = opened(color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.get_by_label("log scale").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    colour = page.eval_on_selector(
        'path[data-strategy="sync"]', "one => getComputedStyle(one).stroke"
    )
    assert colour == "rgb(0, 0, 0)"


def test_what_is_printed_keeps_the_legend(opened: Callable[..., Any]) -> None:
    page = opened()
    page.get_by_role("button", name="blocking").click()
    page.emulate_media(media="print")
    assert texts(page, ".toolbar > *") == [
        *("sync", "threads", "gather"),
        *("no event loop", "asyncio", "uvloop", "ideal"),
    ]
    swatch = '.toolbar [data-strategy="gather"] .swatch'
    line = '[data-group="0.0"] circle.mark[data-strategy="gather"]'
    background = page.eval_on_selector(swatch, "one => getComputedStyle(one).backgroundColor")
    assert background == page.eval_on_selector(line, "one => getComputedStyle(one).fill")


def test_without_scripts_the_static_charts_are_shown(opened: Callable[..., Any]) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator("figure.static svg").count() == 16


@pytest.mark.parametrize("name", DEGENERATE)
def test_a_degenerate_run_is_drawn_without_a_complaint(
    opened: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(render_page(DEGENERATE[name]()), encoding="utf-8")
    page = opened(path.as_uri())
    for box in page.get_by_label("log scale").all():
        box.check()
    assert "NaN" not in page.content()
