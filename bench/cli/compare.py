"""What ``warpbench compare`` does: holds further runs against the first."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ...mocks.errors import UsageError
from ...reports.comparison.runs_compared import compare_runs, differing
from ...reports.exports.runs_compared import compared_markdown
from ...reports.terminal.runs_compared import print_compared
from ..results.cell import IDENTITY
from ..results.formatting import listed
from ..results.json_file import write_text
from ..results.records import Run
from ..results.run_file import read_run, run_file_of
from .exit_status import DONE
from .options import FileMessages
from .showing import show_paths

_FEWEST = 2


def compare(
    runs: Sequence[Path],
    match: Sequence[str],
    markdown: Path | None,
    out: Path | None,
    messages: FileMessages,
) -> int:
    """Compare runs with the first; return the exit status.

    Raises:
        UsageError: There is nothing to compare with, no cell is in both of two runs, or a file
            cannot be read or written.
    """
    if len(runs) < _FEWEST:
        given = f" {runs[0]}" if runs else ""
        raise UsageError(f"compare{given}: expected two runs or more")
    first, *others = ((str(name), read_run(run_file_of(str(name)))) for name in runs)
    console, texts, charts = Console(), [], []
    for name, run in others:
        compared = compare_runs(first[1], run, match or tuple(IDENTITY))
        if not compared.changes:
            raise UsageError(_nothing_in_both(first, (name, run)))
        if len(others) > 1:
            console.print(f"{first[0]} → {name}", style="bold", markup=False, highlight=False)
        print_compared(compared, console)
        texts.append(compared_markdown(compared, first[0], name))
        charts.append((name, compared))
    if markdown is not None:
        write_text(markdown, "\n".join(texts), UsageError)
    if out is not None:
        # matplotlib takes half a second to import.
        from ...reports.charts.ratio import write_ratio_charts  # noqa: PLC0415

        show_paths(write_ratio_charts(first[0], charts, str(out)), console, messages)
    return DONE


def _nothing_in_both(first: tuple[str, Run], other: tuple[str, Run]) -> str:
    """Say that no cell is in both of two runs, in what they differ, and what to do."""
    differences = [
        f"{option} ({before} against {after})"
        for option, (before, after) in differing(first[1], other[1]).items()
    ]
    why = f"; they differ in {listed(differences)}" if differences else ""
    return (
        f"compare {first[0]} {other[0]}: no cell was measured in both{why}: match cells by what "
        "they share, as with --match strategy,loop,concurrency"
    )
