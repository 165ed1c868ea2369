"""The chart of two runs compared: what each cell is judged by, over what it was before."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ...bench.results.formatting import listed, name
from ..comparison.run_changes import rows, summary
from ..comparison.runs_compared import Direction, RunsCompared
from .axes import IDEAL_LINE, ROW_IN, figure, row_axis, say_nothing_measured
from .chart import Chart
from .palette import RATIO_COLOURS
from .render import render, save_charts

_FRAME_IN = 1.6
_LEAST_REACH = 0.02
_MARGIN = 1.15
# Below it, whole per cents would name two ticks alike.
_FINE_REACH = 0.1


def draw_ratios(title: str, compared: RunsCompared) -> Figure:
    """Draw a row for each cell: the ratio of its figures, and where it lies with 95 %."""
    known = [
        (change, row[0])
        for change, row in zip(compared.changes, rows(compared), strict=True)
        if change.score.value is not None
    ]
    made, (axes,) = figure(title, _FRAME_IN + ROW_IN * max(3, len(known)), 1)
    if not known:
        say_nothing_measured(axes)
        return made
    ends = [1.0]
    for position, (change, _) in enumerate(known):
        ratio = change.score
        value = 1.0 if ratio.value is None else ratio.value
        colour = RATIO_COLOURS[change.direction.value]
        low, high = (
            (value, value)
            if ratio.interval is None
            else (min(ratio.interval.low, value), max(ratio.interval.high, value))
        )
        ends += [low, high]
        marker = "o" if change.direction is not Direction.UNKNOWN else "D"
        axes.plot([low, high], [position, position], color=colour, linewidth=2.2)
        axes.plot([value], [position], color=colour, marker=marker, markersize=7)
    reach = max(max(abs(end - 1) for end in ends) * _MARGIN, _LEAST_REACH)
    axes.set_xlim(max(0.0, 1 - reach), 1 + reach)
    axes.axvline(1.0, **IDEAL_LINE, zorder=1)
    digits = 1 if reach < _FINE_REACH else 0
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio - 1:+.{digits}%}"))
    axes.set_xlabel(f"{_judged_by(compared)} over the first run's, 95 %")
    row_axis(axes, [cell for _, cell in known])
    return made


def write_ratio_charts(
    base: str, others: Sequence[tuple[str, RunsCompared]], folder: Path | str
) -> list[Path]:
    """Draw one chart for each run that was held against the first; returns the files.

    Args:
        base: What the first run is called.
        others: What each other run is called, and how it compares.
        folder: Where to; it is made where it is missing.
    """
    charts = []
    for number, (other, compared) in enumerate(others, 1):
        file_name = "compared" if len(others) == 1 else f"compared-{number}"
        title = f"{_called(base)} → {_called(other)}"
        svg, png = render(partial(draw_ratios, title, compared), file_name)
        charts.append(Chart("", file_name, title, " ".join(summary(compared)), svg, png))
    return save_charts(charts, folder)


def _judged_by(compared: RunsCompared) -> str:
    figures = dict.fromkeys(change.percentile for change in compared.changes)
    return listed(["throughput" if each is None else f"{each} latency" for each in figures])


def _called(path: str) -> str:
    """Name a run by its folder."""
    return name(re.sub(r"/?run\.json$", "", path) or path)
