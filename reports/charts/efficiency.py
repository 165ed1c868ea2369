"""The heat map of efficiency: how near each strategy comes to the ideal at each concurrency."""

from ...bench.results.formatting import percent, whole
from ...bench.results.records import CellResult, Status
from ..comparison.ranking import ComparisonGroup, label
from .chart import Chart, measured_at
from .description import Axis, Panel, Quantity, Tile
from .palette import INK, Palette, share_colour
from .series import row_of

_ABSENT = {Status.FAILED: ("failed", "#F1D9CF"), Status.NOT_APPLICABLE: ("n/a", "#EEEEEE")}
# From this share on the colour is so dark that white writing reads better.
_DARK = 0.5


def describe_efficiency(group: ComparisonGroup, _load: int, _palette: Palette) -> Panel | None:
    """Describe each cell's efficiency, a row for each strategy and loop.

    The colour says how much, not who: the palette of strategies has no part in it.
    """
    tiles = [
        _tile(group, cell, (row, column), load)
        for row, series in enumerate(group.series)
        for column, load in enumerate(group.loads)
        if (cell := series.at(load)) is not None
    ]
    return Panel(
        finding=_finding(group),
        x=Axis(label="concurrency", quantity=Quantity.COUNT),
        rows=tuple(row_of(series.cells[0]) for series in group.series),
        columns=tuple(map(whole, group.loads)),
        tiles=tuple(tiles),
    )


def _tile(group: ComparisonGroup, cell: CellResult, place: tuple[int, int], load: int) -> Tile:
    row, column = place
    ink = INK
    if cell.status in _ABSENT:
        text, colour = _ABSENT[cell.status]
    elif not cell.sessions.all_succeeded:
        lost = cell.sessions.started - cell.sessions.succeeded
        text, colour = f"{whole(lost)} lost", _ABSENT[Status.FAILED][1]
    else:
        share = group.share_of_ideal(cell, load)
        within = min(max(share or 0.0, 0.0), 1.0)
        text, colour = percent(share), share_colour(within)
        ink = "#FFFFFF" if within > _DARK else INK
    return Tile(
        row=row,
        column=column,
        colour=colour,
        ink=ink,
        label=text,
    )


def _finding(group: ComparisonGroup) -> str:
    for load in reversed(group.loads):
        shares = [
            (share, label(cell.cell))
            for cell in measured_at(group, load)
            if (share := group.share_of_ideal(cell, load)) is not None
        ]
        if not shares:
            continue
        (least, last), (most, first) = min(shares), max(shares)
        if percent(least) == percent(most):
            return f"At concurrency {whole(load)}, efficiency is {percent(most)}"
        return (
            f"At concurrency {whole(load)}, efficiency goes from {percent(least)} ({last}) to "
            f"{percent(most)} ({first})"
        )
    return "No cell has an efficiency"


CHART = Chart(
    name="efficiency",
    heading="Efficiency (ideal ÷ measured makespan)",
    describe=describe_efficiency,
    is_by_load=False,
)
