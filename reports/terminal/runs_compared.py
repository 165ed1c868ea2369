"""Two runs compared, as a table in the terminal and as Markdown."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..comparison.run_changes import (
    HEADINGS,
    rows,
    summary,
)
from ..comparison.runs_compared import Direction, RunsCompared

_STYLES = {Direction.BETTER: "green", Direction.WORSE: "red"}


def print_compared(compared: RunsCompared, console: Console) -> None:
    """Print the table and the sentences."""
    if compared.changes:
        body = rows(compared)
        shown = _columns_that_fit(body, console.width)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in shown:
            heading = HEADINGS[column]
            table.add_column(
                heading, justify="left" if heading in _NAMES else "right", no_wrap=True
            )
        for change, row in zip(compared.changes, body, strict=True):
            style = _STYLES.get(change.direction, "")
            texts = [Text(row[column]) for column in shown[:-1]]
            table.add_row(*texts, Text(row[shown[-1]], style=style))
        console.print(table)
        console.print()
    for sentence in summary(compared):
        console.print(sentence, markup=False, highlight=False)


_NAMES = frozenset({"cell", "change"})
_GAP = 2
# What goes where there is little room, the first one first.
_DISPENSABLE = ("p99", "before", "after", "CPU/session", "95 % CI")


def _columns_that_fit(body: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the positions of the columns that stay."""
    widths = [max(map(len, column)) + _GAP for column in zip(HEADINGS, *body, strict=True)]
    kept = list(range(len(HEADINGS)))
    for heading in _DISPENSABLE:
        if sum(widths[column] for column in kept) - _GAP <= width:
            break
        kept.remove(HEADINGS.index(heading))
    return kept
