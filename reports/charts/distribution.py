"""The chart of how latency is distributed over the sessions at the highest load."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from ...bench.results.formatting import name, time_unit
from ...bench.results.records import CellResult
from ..comparison.ranking import ComparisonGroup, ScenarioCells, Series
from .axes import (
    IDEAL_LINE,
    Look,
    Scale,
    figure,
    ideal_handle,
    legend,
    line_widths,
    name_axes,
    say_nothing_measured,
)
from .latency import at_load, cells_with_latency, ideal_median_s

_HEIGHT_IN = 4.8


def cells_with_quantiles(field: ComparisonGroup) -> tuple[CellResult, ...]:
    """The cells that have a distribution, at the load at which latency is compared."""
    return tuple(cell for cell in cells_with_latency(field) if len(cell.latency_quantiles_s) > 1)


def draw_distribution(scenario: ScenarioCells, look: Look) -> Figure:
    """Draw which share of the sessions was done within which time."""
    fields = scenario.groups
    made, all_axes = figure(f"{name(scenario.name)}: latency distribution", _HEIGHT_IN, len(fields))
    times = [time for field in fields for time in _times(field)]
    scale = Scale.over(times, time_unit(max(times)), from_zero=False) if times else None
    shown: list[Series] = []
    for axes, field in zip(all_axes, fields, strict=True):
        cells = cells_with_quantiles(field)
        name_axes(axes, field, at_load(field) if cells else "")
        if scale is not None and cells:
            shown += [Series(result.cell.strategy, result.cell.loop, (result,)) for result in cells]
            _draw_field(axes, cells, ideal_median_s(field), scale, look)
        else:
            say_nothing_measured(axes)
    legend(made, look, shown, [ideal_handle("ideal p50")] if shown else [])
    return made


def _draw_field(
    axes: Axes, cells: Sequence[CellResult], ideal_s: float | None, scale: Scale, look: Look
) -> None:
    scale.apply_to_x(axes)
    if ideal_s is not None:
        axes.axvline(ideal_s / scale.unit.factor, **IDEAL_LINE, zorder=1.5)
    for result, width in zip(cells, line_widths(len(cells)), strict=True):
        quantiles = result.latency_quantiles_s
        axes.plot(
            [time / scale.unit.factor for time in quantiles],
            [100 * index / (len(quantiles) - 1) for index in range(len(quantiles))],
            **{**look.line(result.cell.strategy, result.cell.loop), "marker": ""},
            linewidth=width,
        )
    axes.set_ylim(0, 101)
    axes.yaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 90, 100]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0f} %"))
    axes.set_ylabel("sessions done")
    axes.set_xlabel(f"latency of a session ({scale.unit.name})")


def _times(field: ComparisonGroup) -> list[float]:
    """All that is drawn of a field."""
    cells = cells_with_quantiles(field)
    times = [time for cell in cells for time in cell.latency_quantiles_s]
    ideal_s = ideal_median_s(field)
    return [*times, ideal_s] if cells and ideal_s is not None else times
