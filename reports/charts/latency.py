"""The chart of latency percentiles by strategy at the highest load."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...bench.results.formatting import name, seconds, time_unit, whole
from ...bench.results.records import CellResult, Status
from ..comparison.ranking import ComparisonGroup, ScenarioCells, is_serial
from .axes import (
    IDEAL_LINE,
    MUTED,
    ROW_IN,
    Look,
    Scale,
    figure,
    ideal_handle,
    name_axes,
    row_axis,
    row_label,
    say_nothing_measured,
    write_beside,
)

_FRAME_IN = 2.0
# The marks of the percentiles: filled, open, pointed.
_MARKS = {"p50": "o", "p90": "o", "p99": "D"}


def latency_load(field: ComparisonGroup) -> int | None:
    """The highest load at which a latency was measured."""
    loads = (load for load in reversed(field.loads) if _measured(field, load))
    alone = [cell for cell in field.cells if is_serial(cell) and _has_latency(cell)]
    return next(loads, field.loads[-1] if alone else None)


def cells_with_latency(field: ComparisonGroup) -> tuple[CellResult, ...]:
    """The cells to compare: those at that load, and the serial ones, in the run's order."""
    load = latency_load(field)
    return () if load is None else tuple(filter(_has_latency, field.at(load)))


def percentiles(cell: CellResult) -> dict[str, float]:
    """The percentiles to show that the samples could carry, in ascending order."""
    values = {name: getattr(cell.latency_s, name) for name in _MARKS}
    return {name: value for name, value in values.items() if value is not None}


def ideal_median_s(field: ComparisonGroup) -> float | None:
    """The median of the sessions' critical paths at that load."""
    cells = cells_with_latency(field)
    ideals = [cell.ideal_latency_s.p50 for cell in cells if not is_serial(cell)]
    ideals += [cell.ideal_latency_s.p50 for cell in cells]
    return next((ideal for ideal in ideals if ideal is not None), None)


def at_load(field: ComparisonGroup) -> str:
    """Say at which load latency is shown."""
    load = latency_load(field)
    return "" if load is None else f"{whole(load)} at once"


def draw_latency(scenario: ScenarioCells, look: Look) -> Figure:
    """Draw the percentiles of latency at the highest load, a row for each strategy and loop."""
    fields = scenario.groups
    rows = max(len(cells_with_latency(field)) for field in fields)
    made, all_axes = figure(
        f"{name(scenario.name)}: latency", _FRAME_IN + ROW_IN * rows, len(fields)
    )
    times = [time for field in fields for time in _times(field)]
    # The value of the greatest percentile is written to the right of it.
    scale = Scale.over(times, time_unit(max(times)), from_zero=True, beyond=0.2) if times else None
    for axes, field in zip(all_axes, fields, strict=True):
        name_axes(axes, field, at_load(field))
        if scale is not None and cells_with_latency(field):
            _draw_field(axes, field, scale, look)
        else:
            say_nothing_measured(axes)
    if scale is not None:
        made.legend(
            handles=[*_percentile_handles(), ideal_handle("ideal p50")],
            loc="outside lower center",
            ncols=4,
        )
    return made


def _draw_field(axes: Axes, field: ComparisonGroup, scale: Scale, look: Look) -> None:
    cells = cells_with_latency(field)
    ideal_s = ideal_median_s(field)
    scale.apply_to_x(axes)
    if ideal_s is not None:
        axes.axvline(ideal_s / scale.unit.factor, **IDEAL_LINE, zorder=1.5)
    for row, result in enumerate(cells):
        _draw_row(axes, row, result, scale.unit.factor, look.colours[result.cell.strategy])
    row_axis(axes, [row_label(result) for result in cells])
    axes.set_xlabel(f"latency of a session ({scale.unit.name})")


def _draw_row(axes: Axes, row: int, cell: CellResult, factor: float, colour: str) -> None:
    times = percentiles(cell)
    drawn = [time / factor for time in times.values()]
    axes.plot([min(drawn), max(drawn)], [row, row], color=colour, linewidth=2.2)
    for percentile, time in times.items():
        axes.plot(time / factor, row, **_mark(percentile, colour))
    last, time = list(times.items())[-1]
    text = seconds(time) if last == "p99" else f"{last} {seconds(time)}"
    write_beside(axes, text, (max(drawn), row))


def _percentile_handles() -> list[Line2D]:
    return [
        Line2D([], [], linestyle="none", **_mark(percentile, MUTED), label=percentile)
        for percentile in _MARKS
    ]


def _mark(percentile: str, colour: str) -> dict[str, Any]:
    return {
        "marker": _MARKS[percentile],
        "markersize": 7,
        "color": colour,
        "markerfacecolor": "white" if percentile == "p90" else colour,
        "markeredgewidth": 1.6,
    }


def _times(field: ComparisonGroup) -> list[float]:
    """All that is drawn of a field."""
    times = [time for cell in cells_with_latency(field) for time in percentiles(cell).values()]
    ideal_s = ideal_median_s(field)
    return times if ideal_s is None else [*times, ideal_s]


def _measured(field: ComparisonGroup, load: int) -> bool:
    return any(_has_latency(cell) for cell in field.at(load) if not is_serial(cell))


def _has_latency(cell: CellResult) -> bool:
    return cell.status is Status.MEASURED and bool(percentiles(cell))
