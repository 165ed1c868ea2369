"""The heat map of how near each strategy comes to the ideal at each load."""

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...bench.results.formatting import name, percent, whole
from ...bench.results.records import Status
from ..comparison.ranking import ComparisonGroup, ScenarioCells, Series
from .axes import INK, ROW_IN, WIDTH_IN, Look, headline, name_axes, row_label

_FRAME_IN = 1.1
_AROUND_IN = 0.5
_CROWDED = 9
# One hue from light to dark, which every reader sees in its order, and grey print too.
_COLOURS = LinearSegmentedColormap.from_list("share", ["#F3F6F9", "#9CC3E0", "#2C7FB8", "#0B4F7D"])
# From this share on the colour is so dark that white writing reads better.
_DARK = 0.5
_ABSENT = {Status.FAILED: ("failed", "#F1D9CF"), Status.NOT_APPLICABLE: ("n/a", "#EEEEEE")}


def draw_efficiency(scenario: ScenarioCells, _look: Look) -> Figure:
    """Draw each cell's share of the ideal, a row for each strategy and loop.

    The colour says how much, not who: the look of the lines has no part in it.
    """
    heights = [_FRAME_IN + ROW_IN * len(field.series) for field in scenario.groups]
    made = Figure(figsize=(WIDTH_IN, _AROUND_IN + sum(heights)), layout="constrained")
    headline(made, f"{name(scenario.name)}: share of the ideal")
    all_axes = made.subplots(
        len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights}
    ).flatten()
    for axes, field in zip(all_axes, scenario.groups, strict=True):
        name_axes(axes, field)
        _draw_field(axes, field)
    return made


def _draw_field(axes: Axes, field: ComparisonGroup) -> None:
    loads, series = field.loads, field.series
    for row, one in enumerate(series):
        for column in range(len(loads)):
            _draw_cell(axes, field, one, (row, column))
    axes.set_xlim(0, len(loads))
    axes.set_ylim(len(series), 0)
    crowded = len(loads) > _CROWDED
    axes.set_xticks(
        [column + 0.5 for column in range(len(loads))],
        [whole(load) for load in loads],
        rotation=45 if crowded else 0,
    )
    axes.set_yticks(
        [row + 0.5 for row in range(len(series))],
        [row_label(one.cells[0]) for one in series],
    )
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("sessions at once")


def _draw_cell(axes: Axes, field: ComparisonGroup, series: Series, place: tuple[int, int]) -> None:
    row, column = place
    load = field.loads[column]
    cell = series.at(load)
    if cell is None:
        return
    share = field.share_of_ideal(cell, load)
    if cell.status in _ABSENT:
        text, background = _ABSENT[cell.status]
        ink = INK
    elif not cell.sessions.all_succeeded:
        lost = cell.sessions.started - cell.sessions.succeeded
        text, background, ink = f"{whole(lost)} lost", _ABSENT[Status.FAILED][1], INK
    else:
        text = percent(share)
        within = min(max(share or 0.0, 0.0), 1.0)
        background = to_hex(_COLOURS(within))
        ink = "white" if within > _DARK else INK
        if len(field.loads) > _CROWDED:
            text = text.removesuffix(" %")
    axes.add_patch(
        Rectangle((column, row), 1, 1, facecolor=background, edgecolor="white", linewidth=1.5)
    )
    axes.text(
        column + 0.5,
        row + 0.5,
        text,
        ha="center",
        va="center",
        color=ink,
        fontsize=8 if len(field.loads) > _CROWDED else 10,
    )
