"""The report as one HTML file that needs nothing else: no request, no network.

What comes from outside (names, errors, the command) is escaped by the template engine and
stripped of what does not print. The page's own policy forbids requests, and every script but the
one that we wrote (by its hash), so that a slip in the first two would still do nothing.

The script draws the pictures that answer to the pointer from the figures in the page
(``page_data``). Where no script runs, the static charts stand in for them.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import median

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ...bench.results.formatting import counted, listed, name, percent, plain, printable
from ...bench.results.records import CellResult, Run, Status
from ...bench.statistics.objectives import Objectives
from ...bench.statistics.standing import Standing
from ..charts.chart import RenderedChart
from ..charts.svg import inline_svg
from ..comparison.booking_text import bookings_explained
from ..comparison.columns import EFFICIENCY, Column, columns_for, remark
from ..comparison.fidelity import HEADINGS as FIDELITY_HEADINGS
from ..comparison.fidelity import fidelity_rows
from ..comparison.own_wait_text import HEADINGS as OWN_WAIT_HEADINGS
from ..comparison.own_wait_text import own_wait_rows
from ..comparison.ranking import SYMBOLS, ScenarioCells, marks, marks_explained, scenarios
from ..comparison.reference_text import references_explained
from ..comparison.scaling import objectives_of
from ..comparison.service_text import service_lines
from ..comparison.summary_text import verdict
from . import templates
from .page_data import page_data

_SCRIPT = ("draw", "panel", "page")


@dataclass(frozen=True, slots=True)
class Entry:
    """What one column says about one cell.

    Attributes:
        text: As it is shown.
        is_name: Whether it is a text rather than a number.
        bar: Length of the bar beside it in percent, or ``None`` for no bar.
    """

    text: str
    is_name: bool
    bar: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One cell as a row of the table.

    Attributes:
        entries: What the columns say; of a cell without a result only which it is.
        remark: Why there is no result, or which sessions did not succeed.
        absent: Whether there is no result.
        best: Whether it is the fastest at its concurrency.
        mark: The sign for that, or for a tie.
        mark_meaning: The same in words.
        strategy: Its strategy, by which the page's script finds it.
    """

    entries: tuple[Entry, ...]
    remark: str
    absent: bool
    best: bool
    mark: str
    mark_meaning: str
    strategy: str


@dataclass(frozen=True, slots=True)
class Section:
    """One scenario: its pictures, its tables, what its marks mean, what its figures are of."""

    name: str
    groups: tuple[str, ...]
    probe: str
    pictures: tuple[Markup, ...]
    columns: tuple[Column, ...]
    blocks: tuple[tuple[Row, ...], ...]
    marks: tuple[str, ...]
    own_waits: tuple[tuple[str, ...], ...]
    references: tuple[str, ...]


def render_page(run: Run, charts: Sequence[RenderedChart] = (), profile: str | None = None) -> str:
    """Write the report of a run as one HTML document.

    Args:
        run: The run.
        charts: Its charts, as ``charts.render`` draws them; they become part of
            the document.
        profile: Name of the file beside it that holds profiles of its cells, if there is one.

    Returns:
        The document. The same run and charts give the same text.
    """
    found = scenarios(run)
    script = _script()
    return template("report.html").render(
        run=run,
        profile=profile,
        names=listed([name(scenario.name) for scenario in found]) if found else "an empty run",
        verdict=verdict(run),
        fidelity=fidelity_rows(run.fidelity),
        fidelity_headings=FIDELITY_HEADINGS,
        own_wait_headings=OWN_WAIT_HEADINGS,
        sections=[_section(scenario, charts, objectives_of(run)) for scenario in found],
        style=stylesheet(),
        script=Markup(script),  # noqa: S704 (our own files)
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=Markup(page_data(run)),  # noqa: S704 (JSON without a "<")
    )


def _section(
    scenario: ScenarioCells, charts: Sequence[RenderedChart], objectives: Objectives | None
) -> Section:
    columns = columns_for(scenario, objectives)
    found = {cell: mark for field in scenario.groups for cell, mark in marks(field).items()}
    return Section(
        name=name(scenario.name),
        groups=tuple(plain(group.name) for group in scenario.groups),
        probe=_probe(scenario),
        pictures=tuple(_picture(chart) for chart in charts if chart.scenario == scenario.name),
        columns=columns,
        blocks=tuple(
            tuple(_row(cell, columns, found.get(cell)) for cell in block)
            for block in scenario.blocks
        ),
        marks=marks_explained([scenario]),
        references=(
            *references_explained(scenario.cells),
            *bookings_explained(scenario.cells),
            *service_lines(scenario.cells),
        ),
        own_waits=own_wait_rows(scenario.cells),
    )


def _probe(scenario: ScenarioCells) -> str:
    """Say what the lab's own accounting cost."""
    shares = [cell.probe_share for cell in scenario.cells if cell.probe_share is not None]
    if not shares:
        return ""
    return (
        "The CPU time shown includes the accounting for where the time went. By the price of its "
        f"events, measured before the trials, that is {percent(median(shares))} in the median cell "
        f"and {percent(max(shares))} at most; amid an agent's work an event costs two to three "
        "times as much."
    )


def _picture(chart: RenderedChart) -> Markup:
    svg = inline_svg(chart.svg, chart.name, title=chart.title, description=chart.description)
    # It was written by an XML writer, which escapes what is text.
    return Markup(svg)  # noqa: S704


def _row(result: CellResult, columns: Sequence[Column], standing: Standing | None) -> Row:
    absent = result.status is not Status.MEASURED
    return Row(
        # The columns that identify a cell stand before the others.
        entries=tuple(
            _entry(result, column) for column in columns if column.identifies or not absent
        ),
        remark=remark(result),
        absent=absent,
        best=standing is Standing.FASTEST,
        mark=SYMBOLS.get(standing, "") if standing else "",
        mark_meaning=standing.value if standing in SYMBOLS else "",
        strategy=name(result.cell.strategy),
    )


def _entry(cell: CellResult, column: Column) -> Entry:
    share = cell.efficiency if column is EFFICIENCY else None
    return Entry(
        text=column.text(cell),
        is_name=column.is_name,
        bar=None if share is None else min(max(share, 0.0), 1.0) * 100,
    )


def stylesheet() -> Markup:
    """Return the rules of style that all our pages have."""
    return Markup(_read("report.css"))  # noqa: S704 (our own file)


@cache
def template(file: str) -> Template:
    """Return one of the templates, escaping what is put into it."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,  # a name that is misspelt is an error, not a gap
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = plain
    environment.filters["printable"] = printable
    environment.filters["counted"] = counted
    return environment.from_string(_read(file))


def _script() -> str:
    """Return the page's script: its parts in the order in which they use each other."""
    parts = (_read(f"script/{part}.js") for part in _SCRIPT)
    return f'(() => {{\n"use strict";\n{"".join(parts)}}})();\n'


def _read(file: str) -> str:
    return resources.files(templates).joinpath(file).read_text(encoding="utf-8")
