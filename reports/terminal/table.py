"""The terminal's report: a table of cells for each scenario, the warnings, the verdict."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...bench.results.formatting import name, plain, shortened, whole
from ...bench.results.records import CellResult, Finding, Run, Status
from ...bench.statistics.standing import Standing
from ..comparison.booking_text import bookings_explained
from ..comparison.columns import EFFICIENCY, Column, columns_for, columns_that_fit, remark
from ..comparison.ranking import (
    SYMBOLS,
    ScenarioCells,
    label,
    marks,
    marks_explained,
    scenarios,
)
from ..comparison.reference_text import references_explained
from ..comparison.scaling import objectives_of
from ..comparison.service_text import service_lines
from ..comparison.summary_text import verdict

_GAP = 2
_BAR_WIDTH = 10
_PERCENT_WIDTH = len("100 %")
_WIDE = 100
# A row may hold three names: target, strategy and loop.
_NAMES_PER_LINE = 6
_SHORTEST_NAME = 8
# What a terminal without Unicode shows in the place of each sign.
_ASCII = str.maketrans(
    {"★": "*", "☆": "+", "█": "#", "░": ".", "–": "-", "·": "-", "…": "~", "µ": "u", "×": "x"}  # noqa: RUF001 (a dash and a times sign are meant)
)


def render_table(run: Run, console: Console) -> None:
    """Print a run: each scenario's cells, what was found, and the verdict.

    The least important columns are left out where the console is narrow, and a console
    that is no terminal gets the same as plain text.

    Args:
        run: The run.
        console: Where to print; its width and encoding decide what is shown.
    """

    def write(text: Text, indent: int = 0) -> None:
        console.print(Padding.indent(_fit(text, console), indent))

    if not run.cells:
        write(Text("The run has no cells."))
    for scenario in scenarios(run):
        write(Text(name(scenario.name), style="bold"))
        console.print(_table(scenario, columns_for(scenario, objectives_of(run)), console))
        for cell in scenario.cells:
            if remark(cell):
                write(_remark_line(cell), indent=1 + _GAP)
        console.print()
    for finding in run.findings:
        write(_finding_line(finding))
    if run.findings:
        console.print()
    for legend in _legends(run):
        write(Text(legend, style="dim"))
    for paragraph in verdict(run):
        write(Text(paragraph, style="bold"))


def _legends(run: Run) -> list[str]:
    """Return what the signs in the tables mean, and what an efficiency is of."""
    marked = "   ".join(marks_explained(scenarios(run)))
    return [
        *([marked] if marked else []),
        *references_explained(run.cells),
        *bookings_explained(run.cells),
        *service_lines(run.cells),
    ]


def _table(scenario: ScenarioCells, columns: Sequence[Column], console: Console) -> Table:
    """Lay out the cells of a scenario in the columns for which there is room."""
    found = {cell: mark for group in scenario.groups for cell, mark in marks(group).items()}
    bar = _BAR_WIDTH if console.width >= _WIDE else _BAR_WIDTH // 2
    longest_name = max(console.width // _NAMES_PER_LINE, _SHORTEST_NAME)

    def shown(column: Column, cell: CellResult) -> Text:
        text = _efficiency(cell, bar) if column is EFFICIENCY else _plain(column, cell)
        if column.is_name:
            text = Text(shortened(text.plain, longest_name))
        return _fit(text, console)

    def width_of(column: Column) -> int:
        return max(len(column.heading), *(shown(column, cell).cell_len for cell in scenario.cells))

    # The mark's column stands before the others.
    room = console.width - 1
    fitting = columns_that_fit(columns, lambda column: width_of(column) + _GAP, room)
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, _GAP), header_style="dim")
    table.add_column("", no_wrap=True, width=1)
    for column in fitting:
        left = column.is_name or column is EFFICIENCY
        table.add_column(
            column.heading,
            justify="left" if left else "right",
            no_wrap=True,
            overflow="ellipsis",
        )
    for block in scenario.blocks:
        if table.row_count:
            table.add_row()
        for cell in block:
            mark = found.get(cell)
            table.add_row(
                _fit(Text(SYMBOLS.get(mark, "") if mark else "", style="green"), console),
                *(shown(column, cell) for column in fitting),
                style=_row_style(cell, mark),
            )
    return table


def _row_style(cell: CellResult, mark: Standing | None) -> str:
    if cell.status is not Status.MEASURED:
        return "dim"
    return "bold" if mark is Standing.FASTEST else ""


def _plain(column: Column, cell: CellResult) -> Text:
    """What a column says about a cell; of one without a result only which it is."""
    if column.identifies or cell.status is Status.MEASURED:
        return Text(column.text(cell))
    return Text()


def _efficiency(cell: CellResult, bar: int) -> Text:
    if cell.status is Status.FAILED:
        return Text("failed", style="red")
    if cell.status is Status.NOT_APPLICABLE:
        return Text("not applicable" if bar == _BAR_WIDTH else "n/a")
    if cell.efficiency is None:
        return Text(EFFICIENCY.text(cell))
    filled = round(min(max(cell.efficiency, 0.0), 1.0) * bar)
    return Text.assemble(
        ("█" * filled, "cyan"),
        ("░" * (bar - filled), "dim"),
        f" {EFFICIENCY.text(cell):>{_PERCENT_WIDTH}}",
    )


def _remark_line(result: CellResult) -> Text:
    style = "yellow" if result.status is Status.MEASURED else ""
    return Text(
        f"{label(result.cell)} at concurrency {whole(result.cell.concurrency)}: {remark(result)}",
        style=style,
    )


def _finding_line(finding: Finding) -> Text:
    return Text.assemble(("warning: ", "bold yellow"), plain(finding.message))


def _fit(text: Text, console: Console) -> Text:
    """Put a text into the signs that the console can show."""
    if not console.options.ascii_only:
        return text
    ascii_text = text.plain.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    return Text(ascii_text, style=text.style, spans=text.spans)
