"""The chart of latency percentiles by strategy at one concurrency."""

from ...bench.results.formatting import listed, seconds, whole
from ...bench.results.records import CellResult
from ..comparison.ranking import ComparisonGroup, is_serial, label
from .chart import Chart, measured_at
from .description import Axis, Dot, LegendEntry, Note, Panel, Quantity, Reference, ScaleKind, Span
from .palette import MUTED, Palette
from .series import ideal_median_entry, row_of

# The marks of the percentiles: filled, open, pointed.
_MARKS = {"p50": ("o", False), "p90": ("o", True), "p99": ("D", False)}


def percentiles(cell: CellResult) -> dict[str, float]:
    """Return the percentiles to show that there are enough sessions for, in ascending order."""
    values = {percentile: getattr(cell.latency_s, percentile) for percentile in _MARKS}
    return {percentile: value for percentile, value in values.items() if value is not None}


def cells_with_latency(group: ComparisonGroup, load: int) -> tuple[CellResult, ...]:
    """Return the cells to compare at a concurrency, in the run's order.

    A strategy that takes one session at a time is left out beside others: its latency is without
    the wait for the sessions before, and would look best where people wait longest.
    """
    cells = tuple(filter(percentiles, measured_at(group, load)))
    others = tuple(cell for cell in cells if not is_serial(cell))
    return others if others and load > 1 else cells


def left_out(group: ComparisonGroup, load: int) -> str:
    """Say which cells ``cells_with_latency`` leaves out, and for how long somebody waits there.

    It goes on after a finding; empty if none is left out.
    """
    shown = cells_with_latency(group, load)
    waits_s = {
        label(cell.cell): (load - 1) * cell.latency_s.mean
        for cell in measured_at(group, load)
        if cell not in shown and cell.latency_s.mean is not None
    }
    if not waits_s:
        return ""
    wait_texts = {seconds(wait_s) for wait_s in waits_s.values()}
    bound = "" if len(wait_texts) == 1 else "up to "
    return (
        f"; {listed(tuple(waits_s))} {'is' if len(waits_s) == 1 else 'are'} left out: one at a "
        f"time, session {whole(load)} waits {bound}{seconds(max(waits_s.values()))} for its turn"
    )


def ideal_median_s(group: ComparisonGroup, load: int) -> float | None:
    """Return the median of the sessions' critical paths at a concurrency."""
    cells = cells_with_latency(group, load)
    ideals = [cell.ideal_latency_s.p50 for cell in cells if not is_serial(cell)]
    ideals += [cell.ideal_latency_s.p50 for cell in cells]
    return next((ideal for ideal in ideals if ideal is not None), None)


def ideal_reference(group: ComparisonGroup, load: int) -> tuple[Reference, ...]:
    """Return the line of the ideal median, if it is known."""
    ideal_s = ideal_median_s(group, load)
    return () if ideal_s is None else (Reference(ideal_s, f"ideal p50: {seconds(ideal_s)}"),)


def describe_latency(group: ComparisonGroup, load: int, palette: Palette) -> Panel | None:
    """Describe the percentiles of latency at a concurrency, a row for each strategy and loop."""
    cells = cells_with_latency(group, load)
    if not cells:
        return None
    spans, dots, notes = [], [], []
    for row, cell in enumerate(cells):
        times = percentiles(cell)
        colour = palette.colours[cell.cell.strategy]
        spans.append(
            Span(
                row=row,
                begin=min(times.values()),
                end=max(times.values()),
                colour=colour,
                is_line=True,
            )
        )
        for percentile, time_s in times.items():
            marker, is_open = _MARKS[percentile]
            dots.append(
                Dot(
                    row=row,
                    x=time_s,
                    colour=colour,
                    meaning=percentile,
                    text=seconds(time_s),
                    marker=marker,
                    is_open=is_open,
                )
            )
        last, time_s = list(times.items())[-1]
        text = seconds(time_s) if last == "p99" else f"{last} {seconds(time_s)}"
        notes.append(Note(row, max(times.values()), text))
    return Panel(
        finding=_finding(cells) + left_out(group, load),
        x=Axis(
            label="latency of a session", quantity=Quantity.TIME, scale=ScaleKind.WIDE, room=0.2
        ),
        rows=tuple(map(row_of, cells)),
        spans=tuple(spans),
        dots=tuple(dots),
        notes=tuple(notes),
        references=ideal_reference(group, load),
        legend=(
            *(
                LegendEntry(label=percentile, colour=MUTED, marker=marker, is_open=is_open)
                for percentile, (marker, is_open) in _MARKS.items()
            ),
            ideal_median_entry(),
        ),
    )


def _finding(cells: tuple[CellResult, ...]) -> str:
    medians = [
        (cell.latency_s.p50, label(cell.cell)) for cell in cells if cell.latency_s.p50 is not None
    ]
    if not medians:
        return ""
    (least, first), (most, last) = min(medians), max(medians)
    if seconds(least) == seconds(most):
        return f"The median latency is {seconds(least)}"
    return f"The median goes from {seconds(least)} ({first}) to {seconds(most)} ({last})"


CHART = Chart(name="latency", heading="Latency percentiles by strategy", describe=describe_latency)
