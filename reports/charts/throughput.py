"""The chart of throughput by concurrency, beside the ideal.

Where all cells have one concurrency there are no lines: a bar for each then shows more.
"""

from ...bench.results.formatting import counted, percent, rate, whole
from ...bench.results.records import Status
from ...bench.statistics.standing import Standing
from ..comparison.ranking import ComparisonGroup, Series, label
from ..comparison.scaling import fits_well, fitted_law
from .chart import Chart
from .description import (
    Axis,
    LegendEntry,
    Line,
    Note,
    Panel,
    Point,
    Quantity,
    Reference,
    ScaleKind,
    Span,
    spreads_widely,
)
from .palette import FIT_DASHES, IDEAL_COLOUR, IDEAL_DASHES, MUTED, Palette
from .series import ideal_entry, legend_of, line_of, row_of

_CURVE = 40
_LABEL = "throughput"


def throughput_points(series: Series) -> tuple[tuple[int, float], ...]:
    """Return the measured points of a line: concurrency and sessions per second."""
    return tuple(
        (result.cell.concurrency, result.throughput_per_s)
        for result in series.cells
        if result.status is Status.MEASURED and result.throughput_per_s is not None
    )


def ideal_points(group: ComparisonGroup) -> tuple[tuple[int, float], ...]:
    """Return the line of the ideal: concurrency and sessions per second, where it is known."""
    ideals = ((load, group.ideal_throughput_per_s(load)) for load in group.loads)
    return tuple((load, ideal) for load, ideal in ideals if ideal is not None)


def describe_throughput(group: ComparisonGroup, _load: int, palette: Palette) -> Panel | None:
    """Describe throughput by concurrency: a line for each strategy and loop, or a bar."""
    measured = [series for series in group.series if throughput_points(series)]
    if not measured:
        return None
    if len(group.loads) == 1:
        return _bars(group, measured, palette)
    return _lines(group, measured, palette)


def _lines(group: ComparisonGroup, measured: list[Series], palette: Palette) -> Panel:
    laws = [line for series in measured for line in _law(series, palette)]
    legend = [*legend_of((series.cells[0] for series in measured), palette), ideal_entry()]
    if laws:
        legend.append(
            LegendEntry(
                label="scalability law (fitted)",
                colour=MUTED,
                dashes=FIT_DASHES,
                is_thin=True,
                is_shared=True,
            )
        )
    loads = group.loads
    margin = (loads[-1] - loads[0]) * 0.06
    is_wide = spreads_widely(loads)
    return Panel(
        finding=_finding(group),
        x=Axis(
            label="concurrency",
            quantity=Quantity.COUNT,
            scale=ScaleKind.LOGARITHMIC if is_wide else ScaleKind.LINEAR,
            low=None if is_wide else loads[0] - margin,
            high=None if is_wide else loads[-1] + margin,
            ticks=tuple(map(float, loads)),
        ),
        y=Axis(label=_LABEL, quantity=Quantity.RATE, scale=ScaleKind.WIDE),
        lines=(
            Line(
                label="ideal",
                owner="",
                colour=IDEAL_COLOUR,
                dashes=IDEAL_DASHES,
                points=tuple(
                    Point(load, per_s, f"concurrency {whole(load)}: {rate(per_s)}")
                    for load, per_s in ideal_points(group)
                ),
                is_thin=True,
                is_above=True,  # or the best ones would hide it
            ),
            *laws,
            *(_measured_line(group, series, palette) for series in measured),
        ),
        legend=tuple(legend),
    )


def _measured_line(group: ComparisonGroup, series: Series, palette: Palette) -> Line:
    points = []
    for cell in series.cells:
        load, per_s = cell.cell.concurrency, cell.throughput_per_s
        if cell.status is not Status.MEASURED or per_s is None:
            continue
        of = "" if cell.efficiency is None else f", {percent(cell.efficiency)} of the ideal"
        points.append(Point(load, per_s, f"concurrency {whole(load)}: {rate(per_s)}{of}"))
    has_marks = True
    if series.serial and len(points) == 1:
        # Its throughput is the same at every concurrency that is asked of it.
        text = f"one session at a time: {rate(points[0].y)}"
        points = [Point(load, points[0].y, text) for load in group.loads]
        has_marks = False
    return line_of(series.cells[0], palette, points, has_marks=has_marks)


def _law(series: Series, palette: Palette) -> list[Line]:
    law = fitted_law(series)
    if law is None or not fits_well(law):
        return []
    points = throughput_points(series)
    low, high = points[0][0], points[-1][0]
    # Evenly on a logarithmic axis, close enough for a curve on either kind.
    loads = [low * (high / low) ** (step / _CURVE) for step in range(_CURVE + 1)]
    style = line_of(series.cells[0], palette, ())
    return [
        Line(
            label=f"{style.label} (fitted)",
            owner=style.owner,
            colour=style.colour,
            dashes=FIT_DASHES,
            points=tuple(Point(load, law.throughput_per_s(load)) for load in loads),
            is_thin=True,
        )
    ]


def _bars(group: ComparisonGroup, measured: list[Series], palette: Palette) -> Panel:
    cells = [series.cells[0] for series in measured]
    rates = [throughput_points(series)[0][1] for series in measured]
    ideals = [per_s for _, per_s in ideal_points(group)]
    spans, notes = [], []
    for row, (cell, per_s) in enumerate(zip(cells, rates, strict=True)):
        of = "" if cell.efficiency is None else f", {percent(cell.efficiency)} of the ideal"
        spans.append(
            Span(
                row=row,
                begin=0,
                end=per_s,
                colour=palette.colours[cell.cell.strategy],
                text=f"{rate(per_s)}{of}",
            )
        )
        # In one column, beyond the line of the ideal.
        notes.append(Note(row, max([*rates, *ideals]), rate(per_s)))
    return Panel(
        finding=_finding(group),
        # A bar is read by its length, and a logarithm has no zero to begin at.
        x=Axis(label=_LABEL, quantity=Quantity.RATE, room=0.2, low=0),
        rows=tuple(map(row_of, cells)),
        spans=tuple(spans),
        notes=tuple(notes),
        references=tuple(Reference(ideal, f"ideal: {rate(ideal)}") for ideal in ideals),
        legend=(ideal_entry(),),
    )


def _finding(group: ComparisonGroup) -> str:
    for load in reversed(group.loads):
        ranking = group.ranking(load)
        best = ranking.best
        if best is None:
            if ranking.not_ranked:
                return f"At concurrency {whole(load)}, no cell is ranked: requests were refused"
            continue
        share = group.share_of_ideal(best, load)
        of = "" if share is None else f", {percent(share)} of the ideal"
        others = [
            f"; {counted(count, 'cell')} {'is' if count == 1 else 'are'} {standing}{of_it}"
            for standing, of_it in ((Standing.TIED, " with it"), (Standing.UNRANKED, " against it"))
            if (count := sum(cell is not best for cell in ranking.standing(standing)))
        ]
        return (
            f"At concurrency {whole(load)}, {label(best.cell)} reaches "
            f"{rate(best.throughput_per_s)}{of}{''.join(others)}"
        )
    return "No session succeeded"


CHART = Chart(
    name="throughput",
    heading="Throughput by concurrency",
    describe=describe_throughput,
    is_by_load=False,
)
