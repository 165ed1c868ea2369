"""Draws a described picture with matplotlib, for SVG and PNG.

It knows lines, bars, marks, tiles and texts, and no chart. Pictures are drawn with matplotlib's
objects, without pyplot: nothing outlives the figure. Matplotlib reads its settings when an artist
is made *and* when it is saved, so both happen inside ``settings()``, which puts back what it found.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from .description import (
    Axis,
    LegendEntry,
    Line,
    LineShape,
    Panel,
    Picture,
    Range,
    ScaleKind,
    fitted,
    ranges,
    tick_text,
)
from .palette import GRID, IDEAL_COLOUR, IDEAL_DASHES, INK, MUTED
from .ticks import logarithmic_ticks

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

_WIDTH_IN = 7.2
_WIDTH_OF_TWO_IN = 9.6
_LINES_HEIGHT_IN = 4.6
_FRAME_IN = 1.9
_ROW_IN = 0.36
_LANE_IN = 0.14
_HALF_BAR = 0.31
_LEAST_ROWS = 2
_MOST_TICKS = 9
_CROWDED_COLUMNS = 9
_LEGEND_COLUMNS = 4
# What an entry of a legend takes: its mark, and each letter at the legend's size.
_LEGEND_MARK_IN = 0.69
_LEGEND_LETTER_IN = 0.074
# Letters of a bold heading and of a title that fit on an inch.
_HEADING_LETTERS = 9.6
_TITLE_LETTERS = 10.5
_TITLE_LINES = 3
_STEP_WIDTH = 1.4

_INSEPARABLE = re.compile(r"(?<=\d) (?=%|[mµ]?s\b|min\b|h\b)| (?=·)|(?<=·) ")

_SETTINGS: dict["RcKeyType", Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "figure.facecolor": "white",
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    # DejaVu comes with matplotlib, so a picture is the same on every machine.
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": 10,
    "legend.frameon": False,
    # Text stays text: it can be read aloud, searched and copied.
    "svg.fonttype": "none",
    "text.color": INK,
    # A name with dollar signs is a name, not a formula.
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 10,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 10,
}
_REFERENCE: dict[str, Any] = {
    "color": IDEAL_COLOUR,
    "linewidth": 1.4,
    "linestyle": (0, IDEAL_DASHES),
}


@contextmanager
def settings(salt: str) -> Iterator[None]:
    """Hold the charts' settings for a while.

    Args:
        salt: From which an SVG's identifiers are derived, instead of from chance.
    """
    with mpl.rc_context():
        mpl.rcdefaults()  # a user's own matplotlibrc must not show in a report
        mpl.rcParams.update({**_SETTINGS, "svg.hashsalt": salt})
        yield


def draw(picture: Picture, subject: str = "") -> Figure:
    """Draw a picture.

    Args:
        picture: The description.
        subject: What the whole picture is about, before its title: the scenario.
    """
    panels = picture.panels
    # Tiles need the width: such panels stand one above the other.
    columns = 1 if any(panel and panel.tiles for panel in panels) else min(len(panels), 2)
    rows = -(-len(panels) // columns)
    heights = [
        max(map(_height_in, panels[start : start + columns]))
        for start in range(0, len(panels), columns)
    ]
    made = Figure(
        figsize=(_WIDTH_OF_TWO_IN if columns > 1 else _WIDTH_IN, sum(heights) + 0.3),
        layout="constrained",
    )
    all_axes = made.subplots(
        rows, columns, squeeze=False, gridspec_kw={"height_ratios": heights}
    ).flatten()
    for unused in all_axes[len(panels) :]:
        unused.set_axis_off()
    heading, titles = _titles(picture)
    width = made.get_figwidth()
    title = f"{subject}: {heading}" if subject else heading
    made.suptitle(_wrapped(title, width * _HEADING_LETTERS), x=0.01, ha="left")
    shared = ranges(panels)
    for axes, panel, text in zip(all_axes, panels, titles, strict=False):
        if text:
            axes.set_title(_wrapped(text, width / columns * _TITLE_LETTERS * 0.85), color=MUTED)
        if panel is None or panel.message:
            _say(axes, "nothing was measured" if panel is None else panel.message)
        else:
            _draw_panel(axes, panel, shared)
    _draw_legend(made, picture.legend)
    return made


def _titles(picture: Picture) -> tuple[str, list[str]]:
    """Return the heading of a picture and the titles of its panels: a finding leads if it can."""
    panels = picture.panels
    only = panels[0] if len(panels) == 1 else None
    if only is not None and only.finding:
        return only.finding, [", ".join(filter(None, (picture.heading, only.subject)))]
    return picture.heading, [
        "" if panel is None else "\n".join(filter(None, (panel.subject, panel.finding)))
        for panel in panels
    ]


def _wrapped(text: str, letters: float) -> str:
    # A number keeps its unit, and a strategy its loop.
    text = _INSEPARABLE.sub("\u00a0", text)
    lines = (
        line
        for part in text.split("\n")
        for line in textwrap.wrap(
            part, round(letters), max_lines=_TITLE_LINES, placeholder=" …", break_on_hyphens=False
        )
    )
    return "\n".join(lines)


def _height_in(panel: Panel | None) -> float:
    if panel is None or panel.y is not None:
        return _LINES_HEIGHT_IN
    row_in = _LANE_IN if panel.is_compact else _ROW_IN
    return _FRAME_IN + row_in * max(_LEAST_ROWS, len(panel.rows))


def _say(axes: Axes, text: str) -> None:
    """Stand in for a picture of nothing."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, wrap=True)


def _draw_panel(axes: Axes, panel: Panel, shared: dict[str, Range]) -> None:
    if panel.columns:
        _tile_axes(axes, panel)
    else:
        _scale(axes, "x", panel.x, shared.get(panel.x.label) or fitted(panel.x, panel.across()))
        axes.set_xlabel(panel.x.text)
    if panel.y is not None:
        _scale(axes, "y", panel.y, shared.get(panel.y.label) or fitted(panel.y, panel.upward()))
        axes.set_ylabel(panel.y.text)
    elif not panel.columns:
        _row_axis(axes, panel)
    _draw_lines(axes, panel)
    _draw_rows(axes, panel)
    for reference in panel.references:
        above = 3 if panel.spans else 1.5
        axes.axvline(reference.x / panel.x.unit.factor, **_REFERENCE, zorder=above)


def _scale(axes: Axes, side: str, axis: Axis, extent: Range) -> None:
    """Give one axis its scale, its range and its ticks."""
    is_x = side == "x"
    artist = axes.xaxis if is_x else axes.yaxis
    set_scale, set_limits = (
        (axes.set_xscale, axes.set_xlim) if is_x else (axes.set_yscale, axes.set_ylim)
    )
    if axis.scale is ScaleKind.NINES:
        set_scale("function", functions=(_nines(extent.high), _from_nines))
    elif extent.is_logarithmic:
        set_scale("log")
    set_limits(extent.low, extent.high)
    text = FuncFormatter(lambda value, _: tick_text(axis, value))
    if axis.ticks:
        ticks = [tick / axis.unit.factor for tick in axis.ticks]
        artist.set_major_locator(FixedLocator(_with_room(axes, ticks) if is_x else ticks))
        artist.set_minor_locator(NullLocator())
    elif extent.is_logarithmic:
        ticks = list(logarithmic_ticks(extent.low, extent.high))
        artist.set_major_locator(FixedLocator(_with_room(axes, ticks) if is_x else ticks))
        artist.set_minor_formatter(NullFormatter())
    else:
        artist.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    artist.set_major_formatter(text)


def _nines(most: float) -> Any:
    def place(percent: Any) -> Any:
        return -np.log10(1 - np.clip(percent, 0, most) / 100)

    return place


def _from_nines(place: Any) -> Any:
    return (1 - 10 ** -np.asarray(place)) * 100


def _with_room(axes: Axes, ticks: Sequence[float]) -> list[float]:
    """Leave out the ticks whose texts would touch, but for the first and the last."""
    transform = axes.transData.transform
    left, right = (transform((x, axes.get_ylim()[1]))[0] for x in axes.get_xlim())
    places = {tick: transform((tick, axes.get_ylim()[1]))[0] for tick in ticks}
    kept: list[float] = []
    least_gap = (right - left) / _MOST_TICKS
    for tick in reversed(ticks):
        if not kept or places[kept[-1]] - places[tick] >= least_gap:
            kept.append(tick)
    if kept[-1] != ticks[0]:
        kept[-1] = ticks[0]
    return kept


def _row_axis(axes: Axes, panel: Panel) -> None:
    axes.set_yticks(range(len(panel.rows)), [row.label for row in panel.rows])
    axes.set_ylim(len(panel.rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_color(GRID)


def _tile_axes(axes: Axes, panel: Panel) -> None:
    crowded = len(panel.columns) > _CROWDED_COLUMNS
    axes.set_xlim(0, len(panel.columns))
    axes.set_ylim(len(panel.rows), 0)
    axes.set_xticks(
        [column + 0.5 for column in range(len(panel.columns))],
        list(panel.columns),
        rotation=45 if crowded else 0,
    )
    axes.set_yticks(
        [row + 0.5 for row in range(len(panel.rows))], [row.label for row in panel.rows]
    )
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel(panel.x.text)
    for tile in panel.tiles:
        place = (tile.column, tile.row)
        axes.add_patch(Rectangle(place, 1, 1, facecolor=tile.colour, edgecolor="white", lw=1.5))
        axes.text(
            tile.column + 0.5,
            tile.row + 0.5,
            tile.label.removesuffix(" %") if crowded else tile.label,
            ha="center",
            va="center",
            color=tile.ink,
            fontsize=8 if crowded else 10,
        )


def _draw_lines(axes: Axes, panel: Panel) -> None:
    if panel.y is None:
        return
    x_factor, y_factor = panel.x.unit.factor, panel.y.unit.factor
    measured = sum(not line.is_thin for line in panel.lines)
    steps = any(line.shape is LineShape.STEPS for line in panel.lines)
    # Towers beside each other would merge if they were wide.
    widths = iter([_STEP_WIDTH] * measured if steps else _line_widths(measured))
    for line in panel.lines:
        axes.plot(
            [point.x / x_factor for point in line.points],
            [point.y / y_factor for point in line.points],
            **_line_style(line, 1.2 if line.is_thin else next(widths)),
        )


def _line_style(line: Line, width: float) -> dict[str, Any]:
    return {
        "color": line.colour,
        "linewidth": width,
        "linestyle": (0, line.dashes) if line.dashes else "-",
        "marker": line.marker,
        "markersize": 4 + width,
        "markeredgecolor": "white",
        "markeredgewidth": 0.6,
        "drawstyle": "steps-pre" if line.shape is LineShape.STEPS else "default",
        "zorder": 3 if line.is_above else 1.6 if line.is_thin else 2,
    }


def _line_widths(count: int) -> list[float]:
    """Widths for lines drawn one over the other: where they coincide each still shows."""
    if count <= 1:
        return [2.2] * count
    return [5.0 - 3.4 * index / (count - 1) for index in range(count)]


def _draw_rows(axes: Axes, panel: Panel) -> None:
    factor = panel.x.unit.factor
    for span in panel.spans:
        begin, end = span.begin / factor, span.end / factor
        if span.is_line:
            axes.plot([begin, end], [span.row, span.row], color=span.colour, linewidth=2.2)
        else:
            axes.barh(span.row, end - begin, left=begin, height=2 * _HALF_BAR, color=span.colour)
        if span.is_cut_short:
            axes.plot([end], [span.row], marker="x", color="black", markersize=9, clip_on=False)
    for arrow in panel.arrows:
        axes.annotate(
            "",
            (arrow.to_x / factor, arrow.to_row - _HALF_BAR),
            xytext=(arrow.x / factor, arrow.row + _HALF_BAR),
            arrowprops={
                "arrowstyle": "-|>",
                "color": arrow.colour,
                "linewidth": 1.2,
                "shrinkA": 0,
                "shrinkB": 0,
            },
            zorder=0.9,  # behind the bars
        )
    for dot in panel.dots:
        axes.plot(dot.x / factor, dot.row, **_mark(dot.marker, dot.colour, is_open=dot.is_open))
    for note in panel.notes:
        axes.annotate(
            note.text,
            (note.x / factor, note.row),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=MUTED,
        )


def _mark(marker: str, colour: str, *, is_open: bool) -> dict[str, Any]:
    return {
        "marker": marker,
        "markersize": 7,
        "color": colour,
        "markerfacecolor": "white" if is_open else colour,
        "markeredgewidth": 1.6,
    }


def _draw_legend(made: Figure, entries: Sequence[LegendEntry]) -> None:
    """Explain colours, lines and marks below the picture, where no data can be."""
    if not entries:
        return
    made.legend(
        handles=[_handle(entry) for entry in entries],
        loc="outside lower center",
        ncols=_columns_with_room(made, [entry.label for entry in entries]),
        handlelength=2.6,
        columnspacing=1.6,
    )


def _handle(entry: LegendEntry) -> Artist:
    label = _legible(entry.label)
    if entry.dashes is None and entry.marker:
        style = _mark(entry.marker, entry.colour, is_open=entry.is_open)
        return Line2D([], [], linestyle="none", **style, label=label)
    if entry.dashes is None:
        return Patch(color=entry.colour, label=label)
    return Line2D(
        [],
        [],
        color=entry.colour,
        linewidth=1.4 if entry.is_thin else 1.6,
        linestyle=(0, entry.dashes) if entry.dashes else "-",
        marker=entry.marker,
        label=label,
    )


def _columns_with_room(made: Figure, entries: Sequence[str]) -> int:
    """Find the most columns in which a legend is no wider than its figure."""
    for columns in range(min(_LEGEND_COLUMNS, len(entries)), 1, -1):
        # Entries run down the columns; the first ones hold one more where it does not come out.
        size, longer = divmod(len(entries), columns)
        starts = [column * size + min(column, longer) for column in range(columns + 1)]
        longest = [max(map(len, entries[a:b])) for a, b in pairwise(starts)]
        if sum(_LEGEND_MARK_IN + _LEGEND_LETTER_IN * length for length in longest) <= (
            made.get_figwidth()
        ):
            return columns
    return 1


def _legible(label: str) -> str:
    """Matplotlib leaves out of a legend what begins with an underscore."""
    return f" {label}" if label.startswith("_") else label
