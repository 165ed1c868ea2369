"""What the formats share: the cells that have figures, and how they are named."""

from collections.abc import Iterator

from ...bench.results.records import CellResult, Run, Status


def measured_cells(run: Run) -> Iterator[tuple[str, CellResult]]:
    """Yield each measured cell with a name: ``tools/agent/gather/uvloop@100 (warp)``."""
    for result in run.cells:
        if result.status is Status.MEASURED and result.trial_figures:
            yield result.cell.full_name, result
