"""The chart of event-loop lag over a trial: who blocks the loop shows as a tower."""

from ...bench.results.formatting import seconds as duration
from ...bench.results.records import CellResult
from ...bench.results.timeline import Vitals
from ...mocks.clock import seconds
from ..comparison.ranking import ComparisonGroup, label
from .chart import Chart, measured_at
from .description import Axis, LineShape, Panel, Point, Quantity, ScaleKind
from .palette import Palette
from .series import legend_of, line_of

# What is shorter is drawn as long as this: a logarithm has no zero.
_LEAST_S = 1e-4


def followed_cells(group: ComparisonGroup, load: int) -> tuple[tuple[CellResult, Vitals], ...]:
    """Return the cells at a concurrency whose event loop was followed, in the run's order."""
    return tuple(
        (cell, cell.vitals)
        for cell in measured_at(group, load)
        if cell.vitals is not None and any(cell.vitals.loop_lag_ns)
    )


def describe_lag(group: ComparisonGroup, load: int, palette: Palette) -> Panel | None:
    """Describe the longest lag between two samples over the time of a trial, for each loop."""
    followed = followed_cells(group, load)
    if not followed:
        return None
    worst, who = max((max(vitals.loop_lag_ns), label(cell.cell)) for cell, vitals in followed)
    longest_s = max(seconds(at_ns) for _, vitals in followed for at_ns in vitals.at_ns) or 1.0
    return Panel(
        finding=f"The event loop was up to {duration(seconds(worst))} late ({who})",
        x=Axis(label="time of the trial", quantity=Quantity.TIME, low=0, high=longest_s),
        y=Axis(label="longest lag", quantity=Quantity.TIME, scale=ScaleKind.WIDE),
        lines=tuple(
            line_of(
                cell,
                palette,
                (
                    Point(
                        seconds(at_ns),
                        max(seconds(lag_ns), _LEAST_S),
                        f"at {duration(seconds(at_ns))}: up to {duration(seconds(lag_ns))} late",
                    )
                    for at_ns, lag_ns in zip(vitals.at_ns, vitals.loop_lag_ns, strict=True)
                ),
                shape=LineShape.STEPS,
            )
            for cell, vitals in followed
        ),
        legend=legend_of((cell for cell, _ in followed), palette),
        point_text="at {x}: up to {y} late",
    )


CHART = Chart(name="lag", heading="Event-loop lag", describe=describe_lag, is_wide=True)
