"""What all charts share: the look of axes, lines and legends.

Charts are drawn with matplotlib's objects, without pyplot: nothing outlives the figure.
Matplotlib reads its settings when an artist is made *and* when it is saved, so both happen
inside ``settings()``, which puts back what it found.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)
from matplotlib.typing import RcKeyType

from ...bench.results.cell import NO_LOOP
from ...bench.results.formatting import Unit, name, plain, shortened, whole
from ...bench.results.records import CellResult, Run
from ..comparison.ranking import Field, Series, is_serial, label
from .palette import IDEAL_COLOUR, LineStyle, loop_lines, strategy_colours

INK = "#222222"
MUTED = "#5A5A5A"
GRID = "#E3E3E3"
WIDTH_IN = 7.2
_WIDTH_OF_TWO_IN = 9.6
# Above this ratio of the greatest to the least a linear axis squeezes the small ones flat.
_WIDE_SPREAD = 12.0
_MOST_TICKS = 9
_LEGEND_COLUMNS = 4
# What an entry of a legend takes: its mark, and each letter at the legend's size.
_LEGEND_MARK_IN = 0.69
_LEGEND_LETTER_IN = 0.074
_MOST_DECADES_FOR_HALVES = 2.5
_LONGEST_LEGEND_ENTRY = 28
_LONGEST_ROW_LABEL = 34
ROW_IN = 0.36

_SETTINGS: dict[RcKeyType, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.facecolor": "white",
    "figure.titlesize": 13,
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


@dataclass(frozen=True, slots=True)
class Look:
    """The colours and line styles of one run, the same in all its charts."""

    colours: dict[str, str]
    lines: dict[str, LineStyle]

    @classmethod
    def of(cls, run: Run) -> "Look":
        """Give every strategy and loop of a run its look."""
        return cls(
            strategy_colours(result.cell.strategy for result in run.cells),
            loop_lines(result.cell.loop for result in run.cells),
        )

    def line(self, strategy: str, loop: str) -> dict[str, Any]:
        """How matplotlib is to draw the line of a series."""
        style = self.lines[loop]
        return {
            "color": self.colours[strategy],
            "linestyle": (0, style.dashes) if style.dashes else "-",
            "marker": style.marker,
        }


def figure(title: str, height_in: float, count: int) -> tuple[Figure, list[Axes]]:
    """Make a figure with a heading and one or more axes, two beside each other.

    Args:
        title: The heading.
        height_in: Height of each row of axes, in inches.
        count: How many axes.
    """
    columns = min(count, 2)
    rows = -(-count // columns)
    made = Figure(
        figsize=(_WIDTH_OF_TWO_IN if columns > 1 else WIDTH_IN, height_in * rows),
        layout="constrained",
    )
    headline(made, title)
    axes = made.subplots(rows, columns, squeeze=False).flatten().tolist()
    for unused in axes[count:]:
        unused.set_visible(False)
    return made, axes[:count]


def headline(made: Figure, title: str) -> None:
    """Put the heading where reading begins."""
    made.suptitle(title, x=0.01, ha="left")


def name_axes(axes: Axes, field: Field, more: str = "") -> None:
    """Say which field an axes shows, where the scenario has several."""
    parts = [shortened(plain(field.name), 48), more]
    text = ", ".join(part for part in parts if part)
    if text:
        axes.set_title(text, color=MUTED)


def say_nothing_measured(axes: Axes) -> None:
    """Stand in for a picture of nothing."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, "nothing was measured", ha="center", va="center", transform=axes.transAxes)


def legend(made: Figure, look: Look, series: Iterable[Series], further: Sequence[Line2D]) -> None:
    """Explain colours and line styles below the picture, where no data can be.

    A strategy is named once and a loop once, not each combination of both.

    Args:
        made: The figure.
        look: Colours and line styles.
        series: What the figure shows.
        further: What else is to be explained; each has its label.
    """
    shown = list(series)
    handles = [
        Line2D([], [], color=look.colours[strategy], linewidth=3.5, label=_strategy_entry(one))
        for strategy, one in {one.strategy: one for one in shown}.items()
    ]
    handles += [
        Line2D([], [], **{**look.line(one.strategy, one.loop), "color": MUTED}, label=entry)
        for one, entry in _loop_entries(shown)
    ]
    handles += further
    if handles:
        made.legend(
            handles=handles,
            loc="outside lower center",
            ncols=_columns_with_room(made, [str(handle.get_label()) for handle in handles]),
            handlelength=2.6,
            columnspacing=1.6,
        )


def ideal_handle(label: str) -> Line2D:
    """The legend's entry for the ideal."""
    return Line2D([], [], **IDEAL_LINE, label=label)


IDEAL_LINE: dict[str, Any] = {"color": IDEAL_COLOUR, "linewidth": 1.4, "linestyle": (0, (5, 3))}


def line_widths(count: int) -> list[float]:
    """Widths for lines drawn one over the other: where they coincide each still shows."""
    if count == 1:
        return [2.2]
    return [5.0 - 3.4 * index / (count - 1) for index in range(count)]


def spreads_widely(values: Iterable[float]) -> bool:
    """Whether values span so much that only a logarithmic axis shows them all."""
    positive = [value for value in values if value > 0]
    return len(positive) > 1 and max(positive) / min(positive) >= _WIDE_SPREAD


def load_axis(axes: Axes, loads: Sequence[int]) -> None:
    """Draw the horizontal axis of loads: a tick for each load, or for those with room."""
    low, high = loads[0], loads[-1]
    if spreads_widely(loads):
        axes.set_xscale("log")
        axes.set_xlim(low / (high / low) ** 0.05, high * (high / low) ** 0.05)
    else:
        margin = (high - low) * 0.06 or max(high, 1) * 0.5
        axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(FixedLocator(_ticks_with_room(axes, loads)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda load, _: whole(round(load))))
    axes.set_xlabel("sessions at once")


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of a measured axis; the fields of a scenario share one, to be compared.

    Attributes:
        unit: In which values are drawn.
        low: The least value shown, in that unit.
        high: The greatest.
        logarithmic: Whether the values span too much for a linear axis.
    """

    unit: Unit
    low: float
    high: float
    logarithmic: bool

    @classmethod
    def over(
        cls, values: Sequence[float], unit: Unit, *, from_zero: bool, beyond: float = 0.05
    ) -> "Scale":
        """Fit a scale to values.

        Args:
            values: All that will be drawn on it, at least one.
            unit: In which it will be drawn.
            from_zero: Whether a linear axis begins at zero, as lengths are compared.
            beyond: How much room is left beyond the greatest value, as a share.
        """
        drawn = [value / unit.factor for value in values]
        if spreads_widely(drawn):
            low, high = min(value for value in drawn if value > 0), max(drawn)
            decades = high / low
            return cls(unit, low / decades**0.05, high * decades**beyond, logarithmic=True)
        low, high = (0.0 if from_zero else min(drawn)), max(drawn)
        # Virtual time may give every session the same value: no span to take a share of.
        margin = (high - low) * beyond or high * 0.1 or 1.0
        return cls(
            unit, low if from_zero else max(low - margin, 0.0), high + margin, logarithmic=False
        )

    def apply_to_x(self, axes: Axes) -> None:
        """Draw a horizontal axis to this scale."""
        if self.logarithmic:
            axes.set_xscale("log")
        axes.set_xlim(self.low, self.high)
        self._tick(axes.xaxis)

    def apply_to_y(self, axes: Axes) -> None:
        """Draw a vertical axis to this scale."""
        if self.logarithmic:
            axes.set_yscale("log")
        axes.set_ylim(self.low, self.high)
        self._tick(axes.yaxis)

    def _tick(self, axis: Axis) -> None:
        if not self.logarithmic:
            axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
            return
        # Within few decades the powers of ten alone would be one or two ticks.
        few = self.high / self.low < 10**_MOST_DECADES_FOR_HALVES
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=12))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_formatter(NullFormatter())


def row_axis(axes: Axes, labels: Sequence[str]) -> None:
    """Draw the vertical axis of a picture that has a row for each cell."""
    axes.set_yticks(range(len(labels)), list(labels))
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_color(GRID)


def row_label(result: CellResult) -> str:
    """Name a cell at the side of its row."""
    text = shortened(label(result.cell), _LONGEST_ROW_LABEL)
    return f"{text} (one at a time)" if is_serial(result) else text


def write_beside(axes: Axes, text: str, place: tuple[float, float]) -> None:
    """Write a value to the right of what shows it."""
    axes.annotate(
        text,
        place,
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=MUTED,
    )


def _ticks_with_room(axes: Axes, loads: Sequence[int]) -> list[float]:
    """Leave out the loads whose labels would touch, but for the first and the last."""
    transform = axes.transData.transform
    left, right = (transform((x, 1.0))[0] for x in axes.get_xlim())
    kept: list[float] = []
    least_gap = (right - left) / _MOST_TICKS
    for load in reversed(loads):
        at = transform((load, 1.0))[0]
        if not kept or transform((kept[-1], 1.0))[0] - at >= least_gap:
            kept.append(float(load))
    if kept[-1] != loads[0]:
        kept[-1] = float(loads[0])
    return kept


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


def _strategy_entry(series: Series) -> str:
    text = shortened(name(series.strategy), _LONGEST_LEGEND_ENTRY)
    return _legible(f"{text} (one at a time)" if series.serial else text)


def _loop_entries(series: Iterable[Series]) -> list[tuple[Series, str]]:
    one_of = {one.loop: one for one in series if not one.serial}
    return [
        (
            one,
            "no event loop"
            if loop == NO_LOOP
            else _legible(shortened(name(loop), _LONGEST_LEGEND_ENTRY)),
        )
        for loop, one in one_of.items()
    ]


def _legible(label: str) -> str:
    """Matplotlib leaves out of a legend what begins with an underscore."""
    return f" {label}" if label.startswith("_") else label
