"""The trend of cells in the terminal: a spark line each, and every change point marked."""

from collections.abc import Iterable, Sequence

from rich.console import Console

from ...bench.statistics.change_points import ChangePoint, Trend
from ...bench.statistics.figures import FIGURES

_BARS = "▁▂▃▄▅▆▇█"
_MOST_BARS = 60


def print_trends(trends: Iterable[Trend], console: Console) -> None:
    """Print the trends, each with its change points."""
    for trend in trends:
        values = [point.value for point in trend.points]
        _line(console, trend.cell, "bold")
        runs = f"{len(values)} run{'' if len(values) == 1 else 's'}"
        _line(console, f"  {trend.metric}  {spark_line(trend)}  {_short(values[-1])}  ({runs})")
        for change in trend.changes:
            _line(console, f"  {_in_words(trend, change)}", _style(trend, change))
        if not trend.changes:
            _line(console, "  no change point", "dim")


def spark_line(trend: Trend) -> str:
    """Return a bar for each of the latest runs, and a ◆ before each that begins a new level."""
    values = [point.value for point in trend.points]
    first = max(0, len(values) - _MOST_BARS)
    begins = {change.index for change in trend.changes}
    bars = _bars(values[first:])
    return "".join(
        f"{'◆' if first + number in begins else ''}{bar}" for number, bar in enumerate(bars)
    )


def _bars(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    if low == high:
        return _BARS[len(_BARS) // 2] * len(values)
    steps = len(_BARS) - 1
    return "".join(_BARS[round(steps * (value - low) / (high - low))] for value in values)


def _in_words(trend: Trend, change: ChangePoint) -> str:
    point = trend.points[change.index]
    commit = f" at {point.commit}" if point.commit else ""
    levels = f"{_short(change.before)} → {_short(change.after)}"
    return f"◆ {point.created_at}{commit}: {levels} ({change.growth:+.1%})"


def _style(trend: Trend, change: ChangePoint) -> str:
    return "green" if (change.growth > 0) == FIGURES[trend.metric].more_is_better else "red"


def _short(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"  # noqa: PLR2004


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, soft_wrap=True, markup=False, highlight=False)
