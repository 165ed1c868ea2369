"""The chart of two runs compared: the change of what each cell is ranked by, with its 95 % CI."""

import re
from collections.abc import Sequence
from pathlib import Path

from ...bench.results.formatting import listed, name
from ..comparison.run_changes import rows, summary
from ..comparison.runs_compared import Direction, RunsCompared
from .chart import RenderedChart
from .description import Axis, Dot, Panel, Picture, Quantity, Reference, Row, Span, in_common_units
from .palette import RATIO_COLOURS
from .render import render, save_charts

_LEAST_REACH = 0.02
_MARGIN = 1.15


def describe_ratios(title: str, compared: RunsCompared) -> Picture:
    """Describe a row for each cell: the change of its figure, and its 95 % confidence interval."""
    known = [
        (change, change.score.value, row[0])
        for change, row in zip(compared.changes, rows(compared), strict=True)
        if change.score.value is not None
    ]
    if not known:
        return Picture(title, (None,))
    spans, dots, ends = [], [], [0.0]
    for position, (change, ratio, _) in enumerate(known):
        interval = change.score.interval
        value = ratio - 1
        low = value if interval is None else min(interval.low - 1, value)
        high = value if interval is None else max(interval.high - 1, value)
        ends += [low, high]
        colour = RATIO_COLOURS[change.direction.value]
        spans.append(Span(row=position, begin=low, end=high, colour=colour, is_line=True))
        marker = "o" if change.direction is not Direction.UNKNOWN else "D"
        dots.append(Dot(row=position, x=value, colour=colour, marker=marker))
    reach = max(max(map(abs, ends)) * _MARGIN, _LEAST_REACH)
    panel = Panel(
        finding="",
        x=Axis(
            label=f"change of {_ranked_by(compared)}, with 95 % CI",
            quantity=Quantity.CHANGE,
            low=max(-1.0, -reach),
            high=reach,
        ),
        rows=tuple(Row(cell) for _, _, cell in known),
        spans=tuple(spans),
        dots=tuple(dots),
        references=(Reference(0.0, "no change"),),
    )
    return Picture(title, in_common_units([panel]))


def write_ratio_charts(
    base: str, others: Sequence[tuple[str, RunsCompared]], folder: Path | str
) -> list[Path]:
    """Draw one chart for each run that was compared with the first; returns the files.

    Args:
        base: What the first run is called.
        others: What each other run is called, and how it compares.
        folder: Where to; it is made where it is missing.
    """
    charts = []
    for number, (other, compared) in enumerate(others, 1):
        file_name = "compared" if len(others) == 1 else f"compared-{number}"
        title = f"{_called(base)} → {_called(other)}"
        svg, png = render(describe_ratios(title, compared), file_name)
        charts.append(RenderedChart("", file_name, title, " ".join(summary(compared)), svg, png))
    return save_charts(charts, folder)


def _ranked_by(compared: RunsCompared) -> str:
    figures = dict.fromkeys(change.percentile for change in compared.changes)
    return listed(["throughput" if each is None else f"{each} latency" for each in figures])


def _called(path: str) -> str:
    """Name a run by its folder."""
    return name(re.sub(r"/?run\.json$", "", path) or path)
