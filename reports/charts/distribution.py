"""The chart of how latency is distributed over the sessions at one concurrency."""

from ...bench.results.formatting import seconds
from ..comparison.ranking import ComparisonGroup, label
from .chart import Chart
from .description import Axis, Panel, Point, Quantity, ScaleKind
from .latency import ideal_reference, left_out
from .palette import Palette
from .quantiles import cells_with_quantiles, quantiles
from .series import ideal_median_entry, legend_of, line_of

_TICKS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
_MOST = 90
# A little more than all, so that a line along the top is seen whole.
_TOP = 1.01


def describe_distribution(group: ComparisonGroup, load: int, palette: Palette) -> Panel | None:
    """Describe the share of sessions that finished within each time."""
    cells = cells_with_quantiles(group, load)
    if not cells:
        return None
    within = [(cell.latency_quantiles_s[_MOST], label(cell.cell)) for cell in cells]
    (least, first), (most, last) = min(within), max(within)
    finding = (
        f"{_MOST} % of the sessions finished within {seconds(least)} ({first}) "
        f"to {seconds(most)} ({last})"
    )
    if seconds(least) == seconds(most):
        finding = f"{_MOST} % of the sessions finished within {seconds(most)}"
    return Panel(
        finding=finding + left_out(group, load),
        x=Axis(
            label="latency of a session",
            quantity=Quantity.TIME,
            scale=ScaleKind.WIDE,
            from_zero=False,
        ),
        y=Axis(
            label="share of sessions finished",
            quantity=Quantity.SHARE,
            low=0,
            high=_TOP,
            ticks=_TICKS,
        ),
        lines=tuple(
            line_of(
                cell,
                palette,
                (
                    Point(time_s, share / 100, f"{share:g} % within {seconds(time_s)}")
                    for share, time_s in quantiles(cell)
                ),
            )
            for cell in cells
        ),
        references=ideal_reference(group, load),
        legend=(*legend_of(cells, palette), ideal_median_entry()),
        point_text="{y} within {x}",
    )


CHART = Chart(
    name="distribution", heading="Share of sessions finished", describe=describe_distribution
)
