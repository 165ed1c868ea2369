"""What ``warpbench report`` does: regenerates the page and the charts from run.json."""

from pathlib import Path

from ..results.run_file import read_run, run_file_of
from .exit_status import DONE
from .factors import folder
from .showing import show_run


def report(run: Path, out: Path | None) -> int:
    """Regenerate the report of a run; return the exit status."""
    run_file = run_file_of(str(run))
    found = read_run(run_file)
    show_run(found, run_file, run_file.parent if out is None else folder(out))
    return DONE
