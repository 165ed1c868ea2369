"""A picture as a value: axes, lines, bars, points and texts, before anything is drawn.

A chart turns figures of a run into such a description. Two renderers draw it:
``matplotlib_renderer`` makes SVG and PNG, ``html/templates/script/panel.js`` draws it in the page.
Whatever both must agree on (values, units, texts, colours, dashes) is decided here and in the
charts, once.

Values are in base units: seconds, sessions per second, shares. Colours are ``#RRGGBB``, for a white
background.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from ...bench.results.formatting import Unit, rate_unit, time_unit

# Above this ratio of the greatest to the least a linear axis squeezes the small ones flat.
_WIDE_SPREAD = 12.0
# Virtual time may give every session the same value; an axis needs some room around it.
_LEAST_SPREAD = 1.5
_ROOM_BELOW = 0.05
_LEAST, _GREATEST = 1e-200, 1e200
_NO_UNIT = Unit("", 1.0)


class Quantity(StrEnum):
    """What an axis measures, which decides its units."""

    TIME = "time"
    RATE = "rate"
    SHARE = "share"
    CHANGE = "change"
    COUNT = "count"


class ScaleKind(StrEnum):
    """How an axis maps values to places.

    ``WIDE`` is logarithmic where values spread widely; a reader of the page chooses. ``NINES`` is
    the axis of HdrHistogram: from 0 to 99 % takes as much room as from 99 to 99.99 %.
    """

    LINEAR = "linear"
    LOGARITHMIC = "logarithmic"
    WIDE = "wide"
    NINES = "nines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis.

    Attributes:
        label: What it measures, without the unit.
        quantity: The kind of its values.
        scale: How values are mapped to places.
        from_zero: Whether a linear axis begins at zero, as lengths are compared.
        room: Room beyond the greatest value, as a share of the range, for texts beside it.
        low: Where it begins; by default where the values begin.
        high: Where it ends; by default where the values end.
        ticks: Values to be marked; none lets the renderer choose.
        unit: The unit it is labelled in; ``in_common_units`` sets it.
    """

    label: str
    quantity: Quantity
    scale: ScaleKind = ScaleKind.LINEAR
    from_zero: bool = True
    room: float = 0.05
    low: float | None = None
    high: float | None = None
    ticks: tuple[float, ...] = ()
    unit: Unit = _NO_UNIT

    @property
    def text(self) -> str:
        """Return the label with its unit: ``latency of a session (ms)``."""
        unit = f"sessions/{self.unit.name}" if self.quantity is Quantity.RATE else self.unit.name
        return f"{self.label} ({unit})" if unit else self.label


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a picture, and the text that a reader who asks for it is given."""

    x: float
    y: float
    text: str = ""


class LineShape(StrEnum):
    """How points are joined."""

    STRAIGHT = "straight"
    STEPS = "steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points joined by a line.

    Attributes:
        label: Name of what the line shows; tooltips begin with it.
        owner: Name of the strategy that it belongs to; empty if it belongs to none.
        colour: The line's colour.
        points: The points, in their order.
        dashes: Lengths of dashes and gaps in line widths; none for a solid line.
        marker: Matplotlib's letter for the mark at each point; none for no marks.
        shape: How points are joined.
        is_thin: Whether it is a reference or a fit, which measured lines stand out from.
        is_above: Whether it is drawn over the measured lines.
    """

    label: str
    owner: str
    colour: str
    points: tuple[Point, ...]
    dashes: tuple[float, ...] = ()
    marker: str = ""
    shape: LineShape = LineShape.STRAIGHT
    is_thin: bool = False
    is_above: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a picture that has no vertical scale.

    Attributes:
        label: What is written beside it; many lanes are not all named.
        owner: Name of the strategy that it belongs to; empty if it belongs to none.
        name: Name of what it shows; tooltips begin with it.
    """

    label: str
    owner: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A bar in a row, from one value to another.

    Attributes:
        row: Number of the row.
        begin: Where it begins.
        end: Where it ends.
        colour: The colour of the bar.
        meaning: What its colour means, where it has a meaning.
        text: Its value; the tooltip is ``name of the row, meaning: text``, and none without it.
        is_line: Whether it is drawn as a thin line.
        is_cut_short: Whether its end came before its time, which is marked.
    """

    row: int
    begin: float
    end: float
    colour: str
    meaning: str = ""
    text: str = ""
    is_line: bool = False
    is_cut_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A mark in a row; its tooltip is made as a bar's."""

    row: int
    x: float
    colour: str
    meaning: str = ""
    text: str = ""
    marker: str = "o"
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A coloured field in a row and a column, with its label; the tooltip names both."""

    row: int
    column: int
    colour: str
    ink: str
    label: str


@dataclass(frozen=True, slots=True)
class Note:
    """A text to the right of a value in a row."""

    row: int
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A dashed vertical line at a value, that others are compared with."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """An arrow from a value in one row to a value in a lower one."""

    row: int
    x: float
    to_row: int
    to_x: float
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendEntry:
    """What a colour, a line or a mark means.

    Attributes:
        label: The meaning.
        colour: The colour.
        dashes: Of a line; ``None`` for a coloured field or a mark.
        marker: Matplotlib's letter for the mark.
        is_open: Whether the mark is not filled.
        is_thin: Whether the line is a thin one.
        is_shared: Whether the whole page explains it in one place: strategies, loops, the ideal.
    """

    label: str
    colour: str
    dashes: tuple[float, ...] | None = None
    marker: str = ""
    is_open: bool = False
    is_thin: bool = False
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes with all that is drawn between them.

    Attributes:
        finding: The sentence that says what the panel shows.
        subject: What it is about, where a picture has several: the comparison group, the load.
        x: The horizontal axis.
        y: The vertical axis; none where there are rows.
        rows: The rows, from the top.
        columns: Names of the columns of tiles.
        is_compact: Whether rows are low, as of many lanes; a row without a label has none.
        point_text: How the texts of points follow from their values, ``p{x}: {y}``, where they do.
        span_text: How those of bars do: ``{length}, from {begin}``.
        message: What is said in place of a picture.
    """

    finding: str
    subject: str = ""
    x: Axis
    y: Axis | None = None
    rows: tuple[Row, ...] = ()
    columns: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    spans: tuple[Span, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    dots: tuple[Dot, ...] = ()
    tiles: tuple[Tile, ...] = ()
    notes: tuple[Note, ...] = ()
    references: tuple[Reference, ...] = ()
    legend: tuple[LegendEntry, ...] = ()
    is_compact: bool = False
    point_text: str = ""
    span_text: str = ""
    message: str = ""

    def across(self) -> Iterator[float]:
        """Yield every value on the horizontal axis."""
        yield from (point.x for line in self.lines for point in line.points)
        yield from (value for span in self.spans for value in (span.begin, span.end))
        yield from (dot.x for dot in self.dots)
        yield from (reference.x for reference in self.references)

    def upward(self) -> Iterator[float]:
        """Yield every value on the vertical axis."""
        yield from (point.y for line in self.lines for point in line.points)


@dataclass(frozen=True, slots=True)
class Picture:
    """Panels beside each other, to one scale, under one heading; ``None`` is one of nothing."""

    heading: str
    panels: tuple[Panel | None, ...]

    @property
    def legend(self) -> tuple[LegendEntry, ...]:
        """Return the entries of the panels' legends, each once: colours first, then lines."""
        entries = dict.fromkeys(
            entry for panel in self.panels if panel is not None for entry in panel.legend
        )
        return tuple(sorted(entries, key=lambda entry: (entry.dashes is not None, entry.is_thin)))


@dataclass(frozen=True, slots=True)
class Range:
    """From where to where an axis goes, in its unit, and whether its scale is logarithmic."""

    low: float
    high: float
    is_logarithmic: bool


def fitted(axis: Axis, values: Iterable[float]) -> Range:
    """Return the range of an axis that shows values, as a picture on paper has it."""
    drawn = [value / axis.unit.factor for value in values]
    low = axis.low if axis.low is None else axis.low / axis.unit.factor
    high = axis.high if axis.high is None else axis.high / axis.unit.factor
    positive = [value for value in drawn if value > 0]
    wide = axis.scale is ScaleKind.WIDE and spreads_widely(drawn)
    if positive and (wide or axis.scale is ScaleKind.LOGARITHMIC):
        powers = [math.log10(_bounded(value)) for value in (min(positive), max(positive))]
        decades = max(powers[1] - powers[0], math.log10(_LEAST_SPREAD))
        return Range(
            10 ** (powers[0] - decades * _ROOM_BELOW),
            10 ** (powers[1] + decades * axis.room),
            is_logarithmic=True,
        )
    least, most = (
        min(max(value, -_GREATEST), _GREATEST)
        for value in (min(drawn, default=0.0), max(drawn, default=1.0))
    )
    if axis.from_zero:
        least = 0.0
    # Virtual time may give every session the same value: no span to take a share of.
    margin = (most - least) * axis.room or most * 0.1 or 1.0
    begin = least if axis.from_zero else max(least - margin, 0.0)
    return Range(
        begin if low is None else low,
        most + margin if high is None else high,
        is_logarithmic=False,
    )


def _bounded(value: float) -> float:
    """Return a positive number that can be drawn: a results file may hold any that there is."""
    return min(max(value, _LEAST), _GREATEST)


def spreads_widely(values: Iterable[float]) -> bool:
    """Whether values span so much that only a logarithmic axis shows them all."""
    positive = [value for value in values if value > 0]
    return len(positive) > 1 and max(positive) / min(positive) >= _WIDE_SPREAD


def in_common_units(panels: Iterable[Panel | None]) -> tuple[Panel | None, ...]:
    """Give axes that measure the same the unit in which the greatest value of all reads best."""
    found = tuple(panels)
    greatest: dict[str, float] = {}
    for axis, values in (shown for panel in found if panel is not None for shown in _axes(panel)):
        greatest[axis.label] = max([greatest.get(axis.label, 0.0), *values])

    def in_unit(axis: Axis) -> Axis:
        return replace(axis, unit=_unit(axis.quantity, greatest.get(axis.label, 0.0)))

    return tuple(
        None
        if panel is None
        else replace(panel, x=in_unit(panel.x), y=None if panel.y is None else in_unit(panel.y))
        for panel in found
    )


def ranges(panels: Iterable[Panel | None]) -> dict[str, Range]:
    """Return the range of each axis that panels share, by its label.

    An axis with ticks of its own is not shared: ``fitted`` gives its range.
    """
    values: dict[str, list[float]] = {}
    axes: dict[str, Axis] = {}
    for panel in panels:
        for axis, shown in () if panel is None else _axes(panel):
            if axis.ticks:
                continue
            values.setdefault(axis.label, []).extend(shown)
            known = axes.get(axis.label, axis)
            highs = [high for high in (known.high, axis.high) if high is not None]
            axes[axis.label] = replace(axis, high=max(highs, default=None))
    return {label: fitted(axis, values[label]) for label, axis in axes.items()}


def _axes(panel: Panel) -> Iterator[tuple[Axis, list[float]]]:
    yield panel.x, list(panel.across())
    if panel.y is not None:
        yield panel.y, list(panel.upward())


def tick_text(axis: Axis, value: float) -> str:
    """Write a tick, of a value in the unit of its axis."""
    if axis.quantity is Quantity.CHANGE:
        return f"{value:+,.10g} %"
    return f"{value:,.10g}{' %' if axis.quantity is Quantity.SHARE else ''}"


def _unit(quantity: Quantity, greatest: float) -> Unit:
    match quantity:
        case Quantity.TIME:
            return time_unit(greatest)
        case Quantity.RATE:
            return rate_unit(greatest)
        case Quantity.SHARE | Quantity.CHANGE:
            return Unit("", 0.01)
        case Quantity.COUNT:
            return _NO_UNIT
