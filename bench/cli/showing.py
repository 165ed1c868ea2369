"""What ``run`` and ``report`` show of a run."""

from pathlib import Path

from rich.console import Console

from ...reports.terminal.table import render_table
from ..results.records import Run


def show_run(run: Run, run_file: Path, out: Path) -> None:
    """Print the table, write page and charts, and name every file."""
    console = Console()
    render_table(run, console)
    if run.cells:
        paths = write_pages(run, out)
        console.print()
        for path in (run_file, *paths):
            console.print(str(path), soft_wrap=True, markup=False, highlight=False)


def write_pages(run: Run, out: Path) -> list[Path]:
    """Write page and charts of a run; return the files, the page first."""
    # matplotlib takes half a second to import; `warpbench list` shall not pay for it.
    from ...reports.html.write import write_report  # noqa: PLC0415

    return write_report(run, out)
