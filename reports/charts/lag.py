"""The chart of how late the event loop was over a trial: who holds it shows as a tower."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...bench.results.formatting import name, time_unit, whole
from ...bench.results.records import CellResult
from ...bench.results.timeline import Vitals
from ...mocks.clock import seconds
from ..comparison.ranking import ComparisonGroup, ScenarioCells
from ..comparison.time_breakdown import parts_load
from .axes import Look, Scale, figure, legend, name_axes, say_nothing_measured

_HEIGHT_IN = 4.4
_LEAST_S = 1e-4


def followed_cells(field: ComparisonGroup) -> tuple[tuple[CellResult, Vitals], ...]:
    """The cells at the highest load whose event loop was followed, in the run's order."""
    load = parts_load(field)
    if load is None:
        return ()
    return tuple(
        (cell, cell.vitals)
        for cell in field.at(load)
        if cell.vitals is not None and any(cell.vitals.loop_lag_ns)
    )


def draw_lag(scenario: ScenarioCells, look: Look) -> Figure:
    """Draw the longest lag between two samples over the time of a trial, for each loop."""
    fields = scenario.groups
    made, all_axes = figure(
        f"{name(scenario.name)}: how late the event loop was", _HEIGHT_IN, len(fields)
    )
    followed = [vitals for field in fields for _, vitals in followed_cells(field)]
    if not followed:
        for axes in all_axes:
            say_nothing_measured(axes)
        return made
    lags = [max(seconds(lag_ns), _LEAST_S) for vitals in followed for lag_ns in vitals.loop_lag_ns]
    times = [seconds(at_ns) for vitals in followed for at_ns in vitals.at_ns]
    lag_scale = Scale.over(lags, time_unit(max(lags)), from_zero=True)
    longest = max(times) or 1.0
    time_scale = Scale(
        time_unit(longest), 0.0, longest / time_unit(longest).factor, logarithmic=False
    )
    for axes, field in zip(all_axes, fields, strict=True):
        load = parts_load(field)
        name_axes(axes, field, "" if load is None else f"{whole(load)} at once")
        if followed_cells(field):
            _draw_field(axes, field, (time_scale, lag_scale), look)
        else:
            say_nothing_measured(axes)
    shown = {
        (result.cell.strategy, result.cell.loop)
        for field in fields
        for result, _ in followed_cells(field)
    }
    series = [one for field in fields for one in field.series]
    legend(made, look, [one for one in series if (one.strategy, one.loop) in shown], [])
    return made


def _draw_field(
    axes: Axes, field: ComparisonGroup, scales: tuple[Scale, Scale], look: Look
) -> None:
    time_scale, lag_scale = scales
    time_scale.apply_to_x(axes)
    lag_scale.apply_to_y(axes)
    for result, vitals in followed_cells(field):
        axes.plot(
            [seconds(at_ns) / time_scale.unit.factor for at_ns in vitals.at_ns],
            [
                max(seconds(lag_ns), _LEAST_S) / lag_scale.unit.factor
                for lag_ns in vitals.loop_lag_ns
            ],
            **{**look.line(result.cell.strategy, result.cell.loop), "marker": "", "linewidth": 1.4},
            drawstyle="steps-pre",
        )
    axes.set_xlabel(f"time of the trial ({time_scale.unit.name})")
    axes.set_ylabel(f"longest lag ({lag_scale.unit.name})")
