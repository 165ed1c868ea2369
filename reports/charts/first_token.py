"""The chart of the time to first token by concurrency, of the model calls that stream."""

from ...bench.results.formatting import seconds, whole
from ...bench.results.records import CellResult, LatencySummary, Status
from ..comparison.ranking import ComparisonGroup, Series, label
from .chart import Chart
from .description import Axis, Line, Panel, Point, Quantity, ScaleKind, spreads_widely
from .palette import Palette
from .series import legend_of, line_of

_FIGURES = ("p99", "p95", "p90", "p50")
"""The percentiles that may be shown: the highest one that all cells have."""

_FEWEST_LOADS = 2


def describe_first_token(group: ComparisonGroup, _load: int, palette: Palette) -> Panel | None:
    """Describe the time to first token by concurrency, a line for each strategy and loop.

    One concurrency makes no line, and the table has its figures: then there is no chart.
    """
    figure = _figure_of(group)
    shown = [series for series in group.series if _points(series, figure)]
    loads = group.loads
    if len(loads) < _FEWEST_LOADS or not shown:
        return None
    is_wide = spreads_widely(loads)
    margin = (loads[-1] - loads[0]) * 0.06
    return Panel(
        finding=_finding(shown, figure),
        x=Axis(
            label="concurrency",
            quantity=Quantity.COUNT,
            scale=ScaleKind.LOGARITHMIC if is_wide else ScaleKind.LINEAR,
            low=None if is_wide else loads[0] - margin,
            high=None if is_wide else loads[-1] + margin,
            ticks=tuple(map(float, loads)),
        ),
        y=Axis(
            label=f"time to first token, {figure}", quantity=Quantity.TIME, scale=ScaleKind.WIDE
        ),
        lines=tuple(_line(series, figure, palette) for series in shown),
        legend=legend_of((series.cells[0] for series in shown), palette),
    )


def _figure_of(group: ComparisonGroup) -> str:
    summaries = [cell.ttft_s for cell in group.cells if _has_streams(cell)]
    return next(
        (each for each in _FIGURES if all(_value(one, each) is not None for one in summaries)),
        _FIGURES[-1],
    )


def _has_streams(cell: CellResult) -> bool:
    return cell.status is Status.MEASURED and cell.ttft_s.p50 is not None


def _value(summary: LatencySummary, figure: str) -> float | None:
    value: float | None = getattr(summary, figure)
    return value


def _points(series: Series, figure: str) -> list[tuple[int, float]]:
    found = ((cell.cell.concurrency, _value(cell.ttft_s, figure)) for cell in series.cells)
    return [(load, time_s) for load, time_s in found if time_s is not None]


def _line(series: Series, figure: str, palette: Palette) -> Line:
    points = (
        Point(load, time_s, f"concurrency {whole(load)}: TTFT {figure} {seconds(time_s)}")
        for load, time_s in _points(series, figure)
    )
    return line_of(series.cells[0], palette, points, has_marks=True)


def _finding(shown: list[Series], figure: str) -> str:
    """Say who has the first token earliest, and who latest, at the highest concurrency."""
    load = max(load for series in shown for load, _ in _points(series, figure))
    ends = [
        (time_s, label(series.cells[0].cell))
        for series in shown
        for at, time_s in _points(series, figure)
        if at == load
    ]
    (least_s, first), (most_s, last) = min(ends), max(ends)
    what = f"At concurrency {whole(load)}, TTFT {figure}"
    if seconds(least_s) == seconds(most_s):
        return f"{what} is {seconds(most_s)}"
    return f"{what} goes from {seconds(least_s)} ({first}) to {seconds(most_s)} ({last})"


CHART = Chart(
    name="first-token",
    heading="Time to first token by concurrency",
    describe=describe_first_token,
    is_by_load=False,
    is_optional=True,
)
