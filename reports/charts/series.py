"""What charts of strategies and loops share: their names, rows, lines and legend entries."""

from collections.abc import Iterable

from ...bench.results.cell import NO_LOOP
from ...bench.results.formatting import name, shortened
from ...bench.results.records import CellResult
from ..comparison.ranking import is_serial, label
from .description import LegendEntry, Line, LineShape, Point, Row
from .palette import IDEAL_COLOUR, IDEAL_DASHES, MUTED, Palette

_LONGEST_LEGEND_ENTRY = 28
_LONGEST_ROW_LABEL = 34


def row_of(result: CellResult) -> Row:
    """Return the row of a cell."""
    text = shortened(label(result.cell), _LONGEST_ROW_LABEL)
    return Row(
        label=f"{text} (one at a time)" if is_serial(result) else text,
        owner=name(result.cell.strategy),
        name=label(result.cell),
    )


def line_of(
    result: CellResult,
    palette: Palette,
    points: Iterable[Point],
    *,
    has_marks: bool = False,
    shape: LineShape = LineShape.STRAIGHT,
) -> Line:
    """Return the line of a cell's strategy and loop through points."""
    style = palette.lines[result.cell.loop]
    return Line(
        label=label(result.cell),
        owner=name(result.cell.strategy),
        colour=palette.colours[result.cell.strategy],
        points=tuple(points),
        dashes=style.dashes,
        marker=style.marker if has_marks else "",
        shape=shape,
    )


def legend_of(cells: Iterable[CellResult], palette: Palette) -> tuple[LegendEntry, ...]:
    """Explain colours and line styles: a strategy is named once and a loop once."""
    shown = tuple(cells)
    strategies = {result.cell.strategy: result for result in shown}
    loops = dict.fromkeys(result.cell.loop for result in shown if not is_serial(result))
    return (
        *(
            LegendEntry(
                label=_strategy_entry(result), colour=palette.colours[strategy], is_shared=True
            )
            for strategy, result in strategies.items()
        ),
        *(loop_entry(loop, palette) for loop in loops),
    )


def loop_entry(loop: str, palette: Palette) -> LegendEntry:
    """Explain the line style of a loop."""
    style = palette.lines[loop]
    text = "no event loop" if loop == NO_LOOP else shortened(name(loop), _LONGEST_LEGEND_ENTRY)
    return LegendEntry(
        label=text, colour=MUTED, dashes=style.dashes, marker=style.marker, is_shared=True
    )


def ideal_entry() -> LegendEntry:
    """Explain the dashed line of the ideal."""
    return LegendEntry(
        label="ideal", colour=IDEAL_COLOUR, dashes=IDEAL_DASHES, is_thin=True, is_shared=True
    )


def ideal_median_entry() -> LegendEntry:
    """Explain the dashed line of the ideal median."""
    return LegendEntry(label="ideal p50", colour=IDEAL_COLOUR, dashes=IDEAL_DASHES, is_thin=True)


def _strategy_entry(result: CellResult) -> str:
    text = shortened(name(result.cell.strategy), _LONGEST_LEGEND_ENTRY)
    return f"{text} (one at a time)" if is_serial(result) else text
