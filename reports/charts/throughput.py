"""The chart of throughput against load, beside the ideal."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...bench.results.formatting import name, rate, rate_unit, whole
from ...bench.results.records import Status
from ..comparison.ranking import ComparisonGroup, ScenarioCells, Series
from ..comparison.scaling import fits_well, fitted_law
from .axes import (
    IDEAL_LINE,
    MUTED,
    ROW_IN,
    Look,
    Scale,
    figure,
    ideal_handle,
    legend,
    line_widths,
    load_axis,
    name_axes,
    row_axis,
    row_label,
    say_nothing_measured,
    write_beside,
)

_HEIGHT_IN = 4.8
_FRAME_IN = 2.0
_CURVE = 60
_LAW_LINE: Mapping[str, Any] = MappingProxyType({"linewidth": 0.9, "linestyle": (0, (1, 1.5))})
_PERIODS = {"s": "second", "min": "minute", "h": "hour"}

Point = tuple[int, float]


def throughput_points(series: Series) -> tuple[Point, ...]:
    """The measured points of a line: load and sessions per second."""
    return tuple(
        (result.cell.concurrency, result.throughput_per_s)
        for result in series.cells
        if result.status is Status.MEASURED and result.throughput_per_s is not None
    )


def ideal_points(field: ComparisonGroup) -> tuple[Point, ...]:
    """The line of the ideal: load and sessions per second, where the script tells."""
    ideals = ((load, field.ideal_throughput_per_s(load)) for load in field.loads)
    return tuple((load, ideal) for load, ideal in ideals if ideal is not None)


def draw_throughput(scenario: ScenarioCells, look: Look) -> Figure:
    """Draw throughput against load, a line for each strategy and loop.

    Dotted beside it is the scalability law, where there are enough loads to fit it.
    Where all cells have one load there are no lines: a bar for each then shows more.
    """
    fields = scenario.groups
    rates = [rate for field in fields for rate in _rates(field)]
    one_load = all(len(field.loads) == 1 for field in fields)
    rows = max(len(_measured(field)) for field in fields)
    made, all_axes = figure(
        f"{name(scenario.name)}: throughput",
        _FRAME_IN + ROW_IN * rows if one_load else _HEIGHT_IN,
        len(fields),
    )
    shown: list[Series] = []
    for axes, field in zip(all_axes, fields, strict=True):
        measured = _measured(field)
        name_axes(axes, field, f"{whole(field.loads[0])} at once" if one_load else "")
        if not measured:
            say_nothing_measured(axes)
        elif one_load:
            _draw_bars(axes, field, measured, rates, look)
        else:
            _draw_lines(axes, field, measured, rates, look)
            shown += measured
    further = [ideal_handle("ideal")] if rates else []
    if any(fits_well(fitted_law(series)) for series in shown):
        further.append(Line2D([], [], **_LAW_LINE, color=MUTED, label="scalability law, fitted"))
    legend(made, look, shown, further)
    return made


def _draw_lines(
    axes: Axes,
    field: ComparisonGroup,
    measured: Sequence[Series],
    rates: Sequence[float],
    look: Look,
) -> None:
    scale = Scale.over(rates, rate_unit(max(rates)), from_zero=True)
    scale.apply_to_y(axes)
    load_axis(axes, field.loads)
    ideal = ideal_points(field)
    axes.plot(
        [load for load, _ in ideal],
        [rate / scale.unit.factor for _, rate in ideal],
        **IDEAL_LINE,
        zorder=3,  # above the lines, or the best ones would hide it
    )
    for series, width in zip(measured, line_widths(len(measured)), strict=True):
        style = look.line(series.strategy, series.loop)
        points = throughput_points(series)
        law = fitted_law(series)
        if law is not None and fits_well(law):
            loads = _between(points[0][0], points[-1][0])
            axes.plot(
                loads,
                [law.throughput_per_s(load) / scale.unit.factor for load in loads],
                color=style["color"],
                **_LAW_LINE,
                zorder=1.6,
            )
        if series.serial and len(points) == 1:
            # It carries the same whatever is asked of it.
            axes.axhline(points[0][1] / scale.unit.factor, color=style["color"], linewidth=1.6)
            continue
        axes.plot(
            [load for load, _ in points],
            [rate / scale.unit.factor for _, rate in points],
            **style,
            linewidth=width,
            markersize=4 + width,
            markeredgecolor="white",
            markeredgewidth=0.6,
        )
    axes.set_ylabel(f"sessions per {_PERIODS[scale.unit.name]}")


def _draw_bars(
    axes: Axes,
    field: ComparisonGroup,
    measured: Sequence[Series],
    rates: Sequence[float],
    look: Look,
) -> None:
    unit = rate_unit(max(rates))
    # A bar is read by its length, and a logarithm has no zero to begin at.
    axes.set_xlim(0, max(rates) / unit.factor * 1.2 or 1)
    for _, ideal in ideal_points(field):
        axes.axvline(ideal / unit.factor, **IDEAL_LINE, zorder=3)
    for row, series in enumerate(measured):
        per_s = throughput_points(series)[0][1]
        axes.barh(row, per_s / unit.factor, height=0.62, color=look.colours[series.strategy])
        # In one column, beyond the line of the ideal.
        write_beside(axes, rate(per_s), (max(rates) / unit.factor, row))
    row_axis(axes, [row_label(series.cells[0]) for series in measured])
    axes.set_xlabel(f"sessions per {_PERIODS[unit.name]}")


def _between(low: float, high: float) -> list[float]:
    """Return loads close enough for a curve, on either kind of axis."""
    return [low * (high / low) ** (step / _CURVE) for step in range(_CURVE + 1)]


def _measured(field: ComparisonGroup) -> list[Series]:
    return [series for series in field.series if throughput_points(series)]


def _rates(field: ComparisonGroup) -> list[float]:
    """All that is drawn of a field."""
    measured = _measured(field)
    rates = [rate for series in measured for _, rate in throughput_points(series)]
    return rates + [ideal for _, ideal in ideal_points(field)] if measured else rates
