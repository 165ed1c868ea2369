"""The chart of latency by percentile, on HdrHistogram's axis, which stretches the tail."""

from ...bench.results.formatting import seconds
from ..comparison.ranking import ComparisonGroup, label
from .chart import Chart
from .description import Axis, Panel, Point, Quantity, ScaleKind
from .latency import left_out
from .palette import Palette
from .quantiles import MAXIMUM, cells_with_quantiles, quantiles
from .series import legend_of, line_of

_TICKS = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999)
_LEAST = 90.0


def describe_percentiles(group: ComparisonGroup, load: int, palette: Palette) -> Panel | None:
    """Describe latency by percentile at a concurrency, a line for each strategy and loop."""
    curves = {
        cell: [(share, time_s) for share, time_s in quantiles(cell) if share < MAXIMUM]
        for cell in cells_with_quantiles(group, load)
    }
    curves = {cell: curve for cell, curve in curves.items() if curve}
    if not curves:
        return None
    most = max([_LEAST, *(curve[-1][0] for curve in curves.values())])
    return Panel(
        finding=_finding({label(cell.cell): dict(curve) for cell, curve in curves.items()})
        + left_out(group, load),
        x=Axis(
            label="percentile",
            quantity=Quantity.COUNT,
            scale=ScaleKind.NINES,
            low=0,
            high=most,
            ticks=tuple(tick for tick in _TICKS if tick <= most),
        ),
        y=Axis(label="latency of a session", quantity=Quantity.TIME, scale=ScaleKind.WIDE),
        lines=tuple(
            line_of(
                cell,
                palette,
                (Point(share, time_s, f"p{share:g}: {seconds(time_s)}") for share, time_s in curve),
            )
            for cell, curve in curves.items()
        ),
        legend=legend_of(curves, palette),
        point_text="p{x}: {y}",
    )


def _finding(curves: dict[str, dict[float, float]]) -> str:
    """Say how the highest marked percentile that all cells have differs between them."""
    share = max(
        (tick for tick in _TICKS if tick and all(tick in curve for curve in curves.values())),
        default=None,
    )
    if share is None:
        return ""
    ends = [(curve[share], who) for who, curve in curves.items()]
    (least, first), (most, last) = min(ends), max(ends)
    if seconds(least) == seconds(most):
        return f"p{share:g} is {seconds(most)}"
    return f"p{share:g} goes from {seconds(least)} ({first}) to {seconds(most)} ({last})"


CHART = Chart(name="percentiles", heading="Latency by percentile", describe=describe_percentiles)
