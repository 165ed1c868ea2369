"""All the charts of a run, drawn and written as SVG and PNG.

This module and ``matplotlib_renderer`` are the only ones that import matplotlib, which takes half a
second: import it where charts are made, not where a command starts.
"""

import io
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from ...bench.results.formatting import name
from ...bench.results.json_file import write_text, write_whole
from ...bench.results.records import Run
from ...mocks.errors import UsageError
from ..comparison.ranking import ScenarioCells, scenarios
from ..comparison.summary_text import group_verdict
from .chart import Chart, RenderedChart
from .description import Picture
from .matplotlib_renderer import draw, settings
from .palette import Palette
from .registry import CHARTS

_DPI = 150


def render_charts(run: Run, charts: Sequence[Chart] = CHARTS) -> tuple[RenderedChart, ...]:
    """Draw the charts of a run, each for every scenario.

    The same run gives the same bytes.
    """
    palette = Palette.of(run)
    all_scenarios = scenarios(run)
    stems = _stems(scenario.name for scenario in all_scenarios)
    return tuple(
        _rendered(scenario, f"{stem}-{chart.name}", chart, palette)
        for scenario, stem in zip(all_scenarios, stems, strict=True)
        for chart in charts
        if chart.is_shown(scenario.groups, palette)
    )


def write_charts(run: Run, folder: Path | str) -> list[Path]:
    """Draw the charts of a run and write each as SVG and PNG.

    Args:
        run: The run.
        folder: Where to; it is made where it is missing.

    Returns:
        The files: ``tools-throughput.svg``, ``tools-throughput.png`` and so on.
    """
    return save_charts(render_charts(run), folder)


def save_charts(charts: Iterable[RenderedChart], folder: Path | str) -> list[Path]:
    """Write charts that were drawn, each as SVG and PNG; returns the files.

    Raises:
        UsageError: A file cannot be written.
    """
    place = Path(folder)
    files = []
    for chart in charts:
        svg, png = place / f"{chart.name}.svg", place / f"{chart.name}.png"
        write_text(svg, chart.svg, UsageError)
        write_whole(png, chart.png, UsageError)
        files += [svg, png]
    return files


def _rendered(
    scenario: ScenarioCells, file_name: str, chart: Chart, palette: Palette
) -> RenderedChart:
    picture = chart.picture(scenario, palette)
    svg, png = render(picture, file_name, name(scenario.name))
    return RenderedChart(
        scenario=scenario.name,
        name=file_name,
        title=f"{name(scenario.name)}: {chart.heading[0].lower()}{chart.heading[1:]}",
        description=_description(picture, scenario),
        svg=svg,
        png=png,
    )


def _description(picture: Picture, scenario: ScenarioCells) -> str:
    """Say what a picture shows, and the verdict, for a reader who cannot see it."""
    findings = [
        f"{': '.join(filter(None, (panel.subject, panel.finding)))}."
        for panel in picture.panels
        if panel is not None and panel.finding
    ]
    return " ".join([*findings, *(group_verdict(group) for group in scenario.groups)])


def render(picture: Picture, file_name: str, subject: str = "") -> tuple[str, bytes]:
    """Draw a picture as SVG and as PNG, the same each time.

    Args:
        picture: The description of the picture.
        file_name: Name of its files: sets its marks apart from those of others on one page.
        subject: What the picture is about, before its title.
    """
    with settings(salt=file_name), warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes in the PNG; the SVG's text
        # is text, and the reader's own fonts draw it.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        made = draw(picture, subject)
        svg = _as_svg(made)
        # Both have the layout that the first one finds. With any engine, "none" included, a figure
        # is drawn twice each time it is saved.
        made.set_layout_engine(None)
        return svg, _as_png(made)


def _as_svg(made: Figure) -> str:
    """Return a picture as an SVG document, the same each time."""
    buffer = io.BytesIO()
    # Without these there would be the date, and addresses of what describes such data.
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    made.savefig(buffer, format="svg", metadata=nothing)
    # No reader needs the document type, and it names an address.
    return re.sub(r"<!DOCTYPE[^>]*>\n", "", buffer.getvalue().decode("utf-8"), count=1)


def _as_png(made: Figure) -> bytes:
    """Return a picture as PNG, the same each time."""
    buffer = io.BytesIO()
    made.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def _stems(names: Iterable[str]) -> list[str]:
    """Turn names of scenarios into parts of file names: safe, readable, no two alike."""
    stems: list[str] = []
    for scenario in names:
        # Lower case, as some file systems take "Tools" and "tools" for one name.
        slug = re.sub(r"[^a-z0-9]+", "-", scenario.lower()).strip("-")[:60] or "scenario"
        stem, number = slug, 2
        while stem in stems:
            stem, number = f"{slug}-{number}", number + 1
        stems.append(stem)
    return stems
