"""The chart of where the time went: a bar for each cell, a segment for each part."""

from dataclasses import asdict

from ...bench.results.formatting import percent, seconds
from ...bench.results.records import CellResult
from ..comparison.ranking import ComparisonGroup, label
from ..comparison.time_breakdown import MEANINGS, lost_shares
from .chart import Chart, measured_at
from .description import Axis, LegendEntry, Note, Panel, Quantity, Span
from .palette import PART_COLOURS, Palette
from .series import row_of


def describe_time_parts(group: ComparisonGroup, load: int, _palette: Palette) -> Panel | None:
    """Describe the mean session of each strategy and loop at a concurrency, split into parts."""
    cells = [cell for cell in measured_at(group, load) if any(_parts(cell).values())]
    if not cells:
        return None
    spans, notes = [], []
    for row, cell in enumerate(cells):
        total_s, begin_s = sum(_parts(cell).values()), 0.0
        for part, part_s in _parts(cell).items():
            if not part_s:
                continue
            spans.append(
                Span(
                    row=row,
                    begin=begin_s,
                    end=begin_s + part_s,
                    colour=PART_COLOURS[part],
                    meaning=MEANINGS[part],
                    text=f"{seconds(part_s)}, {percent(part_s / total_s)}",
                )
            )
            begin_s += part_s
        notes.append(Note(row, begin_s, seconds(begin_s)))
    shown = [part for part in MEANINGS if any(_parts(cell)[part] for cell in cells)]
    return Panel(
        finding=_finding(cells),
        # Lengths are compared, so the axis begins at zero and is never logarithmic.
        x=Axis(label="mean latency of a session", quantity=Quantity.TIME, room=0.15, low=0),
        rows=tuple(map(row_of, cells)),
        spans=tuple(spans),
        notes=tuple(notes),
        legend=tuple(
            LegendEntry(label=MEANINGS[part], colour=PART_COLOURS[part]) for part in shown
        ),
    )


def _finding(cells: list[CellResult]) -> str:
    lost = [
        (share, MEANINGS[part], label(cell.cell))
        for cell in cells
        for part, share in lost_shares(cell).items()
    ]
    if not lost:
        return "Sessions wait for the model and their tools almost all the time"
    share, meaning, who = max(lost)
    return f"The largest loss is {meaning}: {percent(share)} of the time ({who})"


def _parts(cell: CellResult) -> dict[str, float]:
    return {} if cell.time_parts_s is None else asdict(cell.time_parts_s)


CHART = Chart(name="time", heading="Where the time of a session went", describe=describe_time_parts)
