"""What the page's script draws: the described pictures of a run as JSON. Pure.

Every text of a picture is made here or in the charts, so that page and table write a number alike;
the script writes nothing but the numbers at its axes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...bench.results.formatting import name, seconds, whole
from ...bench.results.records import CellResult, Run
from ...bench.statistics.standing import Standing
from ..charts.chart import Chart, measured_at
from ..charts.description import (
    Axis,
    LegendEntry,
    Line,
    Panel,
    Point,
    Quantity,
    Span,
    in_common_units,
)
from ..charts.palette import Palette, on_dark
from ..charts.registry import CHARTS
from ..charts.series import loop_entry
from ..charts.timeline import HEADING, TimelinePanel, describe_timeline
from ..comparison.ranking import ComparisonGroup, is_serial, scenarios

_DIGITS = 5


@dataclass(frozen=True, slots=True)
class _Colours:
    """The colours that are used, each once: the page has a style for each, light and dark."""

    found: dict[str, int] = field(default_factory=dict)

    def index(self, colour: str) -> int:
        return self.found.setdefault(colour, len(self.found))


def page_data(run: Run, charts: Sequence[Chart] = CHARTS) -> str:
    """Return the data of a run's page as JSON that may stand inside a ``script`` element."""
    palette, colours = Palette.of(run), _Colours()
    # How the lab drives the requests of a service as deployed says nothing of the service.
    driven = [result for result in run.cells if not result.cell.workers]
    strategies = [
        {"name": name(strategy), "colour": colours.index(palette.colours[strategy])}
        for strategy in dict.fromkeys(result.cell.strategy for result in driven)
    ]
    shared = _loops(driven, palette)
    unsaid = _loops(run.cells, palette).keys() - shared.keys()
    described = [
        {
            "name": name(scenario.name),
            "groups": [
                _group(group, charts, palette, colours, shared) for group in scenario.groups
            ],
        }
        for scenario in scenarios(run)
    ]
    data = {
        "strategies": strategies,
        "scenarios": described,
        "lines": [
            _entry(entry, colours)
            for entry in sorted(shared, key=lambda entry: entry.is_thin)
            if entry.dashes is not None and entry not in unsaid
        ],
        "colours": [[colour, on_dark(colour)] for colour in colours.found],
    }
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    # Inside a script element nothing but its end tag and a comment's begin would be read.
    return text.replace("<", "\\u003c")


def _loops(cells: Iterable[CellResult], palette: Palette) -> dict[LegendEntry, None]:
    loops = dict.fromkeys(result.cell.loop for result in cells if not is_serial(result))
    return dict.fromkeys(loop_entry(loop, palette) for loop in loops)


def _group(
    group: ComparisonGroup,
    charts: Sequence[Chart],
    palette: Palette,
    colours: _Colours,
    shared: dict[LegendEntry, None],
) -> dict[str, Any]:
    described = []
    for chart in charts:
        if not chart.is_shown([group], palette):
            continue
        panels = chart.panels(group, palette)
        shared.update(
            (entry, None) for panel in panels.values() for entry in panel.legend if entry.is_shared
        )
        described.append(
            {
                "heading": chart.heading,
                "isByLoad": chart.is_by_load,
                "isWide": chart.is_wide,
                "panels": {
                    str(load): panel_data(panel, colours)
                    for load, panel in zip(panels, in_common_units(panels.values()), strict=True)
                    if panel is not None
                },
            }
        )
    return {
        "name": group.name,
        "loads": [[load, whole(load)] for load in group.loads],
        "charts": described,
        "timelines": _timelines(group, colours),
    }


def _timelines(group: ComparisonGroup, colours: _Colours) -> dict[str, Any]:
    """Return the lanes of each load's cells, and which two are compared first."""
    cells = list(dict.fromkeys(cell for load in group.loads for cell in measured_at(group, load)))
    found = {cell: panel for cell in cells if (panel := describe_timeline(cell)) is not None}
    in_units = in_common_units(panel.panel for panel in found.values())
    panels = [
        {
            "label": one.label,
            "owner": name(cell.cell.strategy),
            "end": _short(one.end_s),
            **panel_data(panel, colours),
        }
        for (cell, one), panel in zip(found.items(), in_units, strict=True)
        if panel is not None
    ]
    positions = {cell: position for position, cell in enumerate(found)}
    by_load = {
        str(load): [positions[cell] for cell in measured_at(group, load) if cell in positions]
        for load in group.loads
    }
    return {
        "heading": HEADING,
        "panels": panels,
        "byLoad": by_load,
        "compared": [found[cell].label for cell in _best_and_next(group, found)],
    }


def _best_and_next(
    group: ComparisonGroup, found: Mapping[CellResult, TimelinePanel]
) -> list[CellResult]:
    """Return the best cell at the highest load, and the next one that is not tied with it."""
    places = [place for place in group.ranking(group.loads[-1]).places if place.result in found]
    slower = [place for place in places[1:] if place.standing is Standing.SLOWER]
    return [place.result for place in (*places[:1], *(slower or places[1:])[:1])]


def panel_data(panel: Panel, colours: _Colours) -> dict[str, Any]:
    """Return a panel as the script reads it: short lists, colours by their number."""
    meanings: dict[str, int] = {}
    data: dict[str, Any] = {
        "finding": panel.finding,
        "x": _axis(panel.x),
        "y": None if panel.y is None else _axis(panel.y),
        "rows": [[row.label, row.owner, row.name] for row in panel.rows],
        "columns": list(panel.columns),
        "lines": [_line(line, panel, colours) for line in panel.lines],
        "spans": [_span(span, panel, colours, meanings) for span in panel.spans],
        "dots": [
            [
                dot.row,
                _short(dot.x),
                colours.index(dot.colour),
                meanings.setdefault(dot.meaning, len(meanings)),
                dot.text,
                dot.marker,
                int(dot.is_open),
            ]
            for dot in panel.dots
        ],
        "arrows": [
            [
                arrow.row,
                _short(arrow.x),
                arrow.to_row,
                _short(arrow.to_x),
                colours.index(arrow.colour),
            ]
            for arrow in panel.arrows
        ],
        "tiles": [
            [tile.row, tile.column, tile.colour, tile.ink, tile.label] for tile in panel.tiles
        ],
        "notes": [[note.row, _short(note.x), note.text] for note in panel.notes],
        "references": [[_short(one.x), one.text] for one in panel.references],
        "legend": [_entry(entry, colours) for entry in panel.legend if not entry.is_shared],
        "pointText": panel.point_text or None,
        "spanText": panel.span_text or None,
    }
    data["meanings"] = list(meanings)
    if panel.is_compact:
        data["isCompact"] = True
    return {key: value for key, value in data.items() if value not in ([], None)}


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "text": axis.text,
        "quantity": axis.quantity.value,
        "factor": axis.unit.factor,
        "scale": axis.scale.value,
        "fromZero": axis.from_zero,
        "low": None if axis.low is None else _short(axis.low),
        "high": None if axis.high is None else _short(axis.high),
        "ticks": list(map(_short, axis.ticks)),
    }


def _span(
    span: Span, panel: Panel, colours: _Colours, meanings: dict[str, int]
) -> list[int | float | str | None]:
    """Return a bar: its length and not its end, so that the length keeps its digits."""
    begin, length = _short(span.begin), _short(span.end - span.begin)
    values = {"begin": _value_text(panel.x, begin), "length": _value_text(panel.x, length)}
    is_made = span.text == panel.span_text.format(**values)
    return [
        span.row,
        begin,
        length,
        colours.index(span.colour),
        meanings.setdefault(span.meaning, len(meanings)),
        *([] if is_made and not span.is_line else [span.text]),
        *([1] if span.is_line else []),
    ]


def _value_text(axis: Axis, value: float) -> str:
    """Write a value of an axis in a text, as the script does (``valueText``)."""
    if axis.quantity is Quantity.TIME:
        return seconds(value)
    return f"{value * 100:g} %" if axis.quantity is Quantity.SHARE else f"{value:g}"


def _line(line: Line, panel: Panel, colours: _Colours) -> dict[str, Any]:
    return {
        "label": line.label,
        "owner": line.owner,
        "colour": colours.index(line.colour),
        "dashes": list(line.dashes),
        "marks": bool(line.marker),
        "shape": line.shape.value,
        "isThin": line.is_thin,
        "isAbove": line.is_above,
        "points": [_point(point, panel) for point in line.points],
    }


def _point(point: Point, panel: Panel) -> list[float | str]:
    """Return a point; its text only where the script cannot make it."""
    x, y = _short(point.x), _short(point.y)
    if panel.y is None or not panel.point_text:
        return [x, y, point.text] if point.text else [x, y]
    made = panel.point_text.format(x=_value_text(panel.x, x), y=_value_text(panel.y, y))
    return [x, y] if point.text == made else [x, y, point.text]


def _entry(entry: LegendEntry, colours: _Colours) -> dict[str, Any]:
    return {
        "label": entry.label,
        "colour": colours.index(entry.colour),
        "dashes": None if entry.dashes is None else list(entry.dashes),
        "marker": entry.marker,
        "isOpen": entry.is_open,
        "isThin": entry.is_thin,
    }


def _short(value: float) -> float:
    short = float(f"{value:.{_DIGITS}g}")
    return int(short) if short.is_integer() else short
