"""What the formats share: the cells that have figures, and how they are named."""

from collections.abc import Iterator

from ...bench.results.cell_names import full_name_of
from ...bench.results.records import CellResult, Run, Status


def measured_cells(run: Run) -> Iterator[tuple[str, CellResult]]:
    """Yield each measured cell with a name: ``tools/agent/gather/uvloop@100 (warp)``."""
    for cell in run.cells:
        if cell.status is Status.MEASURED and cell.trial_figures:
            yield full_name_of(cell), cell
