"""A chart from outside: its description is all that it takes to be a picture and on the page."""

import json
from xml.etree import ElementTree

import pytest
from matplotlib.text import Text
from warpbench.bench.results.formatting import mega_bytes
from warpbench.bench.results.records import Run
from warpbench.reports.charts import render
from warpbench.reports.charts.chart import Chart, measured_at
from warpbench.reports.charts.description import Axis, Panel, Picture, Quantity, Span
from warpbench.reports.charts.matplotlib_renderer import draw, settings
from warpbench.reports.charts.palette import Palette
from warpbench.reports.charts.registry import CHARTS
from warpbench.reports.charts.render import render_charts
from warpbench.reports.charts.series import row_of
from warpbench.reports.comparison.ranking import ComparisonGroup
from warpbench.reports.html.page_data import page_data

pytestmark = pytest.mark.once

STANDING = [chart for chart in CHARTS if not chart.is_optional]


def describe_memory(group: ComparisonGroup, load: int, palette: Palette) -> Panel | None:
    """Describe the peak memory of each cell."""
    cells = measured_at(group, load)
    if not cells:
        return None
    return Panel(
        finding=f"At most {mega_bytes(max(cell.peak_rss_bytes or 0 for cell in cells))}",
        x=Axis(label="peak memory (bytes)", quantity=Quantity.COUNT, low=0),
        rows=tuple(map(row_of, cells)),
        spans=tuple(
            Span(
                row=row,
                begin=0,
                end=cell.peak_rss_bytes or 0,
                colour=palette.colours[cell.cell.strategy],
                text=mega_bytes(cell.peak_rss_bytes),
            )
            for row, cell in enumerate(cells)
        ),
    )


MEMORY = Chart(name="memory", heading="Peak memory", describe=describe_memory)


def texts_drawn(picture: Picture, file_name: str, subject: str = "") -> tuple[str, bytes]:
    """Stand in for ``render``: the texts of a picture that is drawn, and not yet laid out."""
    with settings(salt=file_name):
        texts = draw(picture, subject).findobj(Text)
    return "\n".join(text.get_text() for text in texts), b""


def test_a_chart_from_outside_is_drawn_as_a_picture(sample: Run) -> None:
    (memory,) = render_charts(sample, (MEMORY,))
    assert memory.name == "tools-memory"
    root = ElementTree.fromstring(memory.svg)
    texts = ["".join(one.itertext()) for one in root.iter() if one.tag.endswith("}text")]
    assert "tools: At most 92 MB" in texts
    assert "taskgroup · uvloop" in texts
    assert memory.png.startswith(b"\x89PNG")


def test_a_chart_from_outside_is_on_the_page(sample: Run) -> None:
    data = json.loads(page_data(sample, (*CHARTS, MEMORY)))
    *_, memory = data["scenarios"][0]["groups"][0]["charts"]
    assert memory["heading"] == "Peak memory"
    assert list(memory["panels"]) == ["1", "10", "100"]
    panel = memory["panels"]["100"]
    assert panel["finding"] == "At most 92 MB"
    assert [span[2] for span in panel["spans"]] == [
        int(float(f"{cell.peak_rss_bytes:.6g}"))
        for cell in sample.cells
        if cell.peak_rss_bytes and (cell.cell.concurrency == 100)
    ]


def test_both_renderers_are_given_the_same_description(
    sample: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "render", texts_drawn)
    pictures = {chart.name: chart for chart in render_charts(sample, STANDING)}
    data = json.loads(page_data(sample))
    (group,) = data["scenarios"][0]["groups"]
    for chart, described in zip(STANDING, group["charts"], strict=True):
        panel = list(described["panels"].values())[-1]
        picture = pictures[f"tools-{chart.name}"]
        assert described["heading"] == chart.heading
        assert f"{panel['finding']}." in picture.description
        assert panel["x"]["text"] in picture.svg
