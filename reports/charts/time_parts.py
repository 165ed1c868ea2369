"""The chart of where the time went: a bar for each cell, a segment for each part."""

from dataclasses import asdict

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ...bench.results.formatting import name, seconds, time_unit, whole
from ...bench.results.records import CellResult
from ..comparison.ranking import ComparisonGroup, ScenarioCells
from ..comparison.time_breakdown import MEANINGS, cells_with_parts, parts_load
from .axes import (
    ROW_IN,
    Look,
    Scale,
    figure,
    name_axes,
    row_axis,
    row_label,
    say_nothing_measured,
    write_beside,
)
from .palette import PART_COLOURS

_FRAME_IN = 2.0
_LEGEND_COLUMNS = 4


def draw_time_parts(scenario: ScenarioCells, _look: Look) -> Figure:
    """Draw the mean session of each strategy and loop at the highest load, split into parts."""
    fields = scenario.groups
    rows = max(len(cells_with_parts(field)) for field in fields)
    made, all_axes = figure(
        f"{name(scenario.name)}: where the time of a session went",
        _FRAME_IN + ROW_IN * max(rows, 1),
        len(fields),
    )
    cells = [cell for field in fields for cell in cells_with_parts(field)]
    totals = [sum(_parts(cell).values()) for cell in cells]
    if not any(totals):
        for axes in all_axes:
            say_nothing_measured(axes)
        return made
    unit = time_unit(max(totals))
    # Lengths are compared, so the axis begins at zero and is never logarithmic.
    scale = Scale(unit, 0.0, max(totals) / unit.factor * 1.15, logarithmic=False)
    for axes, field in zip(all_axes, fields, strict=True):
        load = parts_load(field)
        name_axes(axes, field, "" if load is None else f"{whole(load)} at once")
        if cells_with_parts(field):
            _draw_field(axes, field, scale)
        else:
            say_nothing_measured(axes)
    shown = [part for part in MEANINGS if any(_parts(cell)[part] for cell in cells)]
    made.legend(
        handles=[Patch(color=PART_COLOURS[part], label=MEANINGS[part]) for part in shown],
        loc="outside lower center",
        ncols=min(_LEGEND_COLUMNS, len(shown)),
    )
    return made


def _draw_field(axes: Axes, field: ComparisonGroup, scale: Scale) -> None:
    cells = cells_with_parts(field)
    scale.apply_to_x(axes)
    for row, cell in enumerate(cells):
        left = 0.0
        for part, part_s in _parts(cell).items():
            width = part_s / scale.unit.factor
            axes.barh(row, width, left=left, height=0.62, color=PART_COLOURS[part])
            left += width
        write_beside(axes, seconds(left * scale.unit.factor), (left, row))
    row_axis(axes, [row_label(cell) for cell in cells])
    axes.set_xlabel(f"mean latency of a session ({scale.unit.name})")


def _parts(cell: CellResult) -> dict[str, float]:
    return {} if cell.time_parts_s is None else asdict(cell.time_parts_s)
