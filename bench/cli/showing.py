"""What commands show of a run."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from ...mocks.redaction import redacted
from ...reports.terminal.table import render_table
from ..results.records import Run
from .options import FileMessages


def show_run(run: Run, run_file: Path, out: Path, messages: FileMessages) -> None:
    """Print the table, write page and charts, and name every file."""
    run = redacted(run)
    console = Console()
    render_table(run, console)
    if run.cells:
        paths = write_pages(run, out)
        if not messages.quiet:
            console.print()
        show_paths((run_file, *paths), console, messages)


def show_paths(paths: Iterable[Path | str], console: Console, messages: FileMessages) -> None:
    """Print the paths of files, a line each, unless quiet was asked for."""
    for path in () if messages.quiet else paths:
        console.print(str(path), soft_wrap=True, markup=False, highlight=False)


def write_pages(run: Run, out: Path) -> list[Path]:
    """Write page and charts of a run; return the files, the page first."""
    # matplotlib takes half a second to import, which an interrupted run need not wait for.
    from ...reports.html.write import write_report  # noqa: PLC0415

    return write_report(redacted(run), out)
