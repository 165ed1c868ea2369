"""What ``warpbench report`` does: regenerates the page and the charts from run.json."""

from pathlib import Path

from ..results.run_file import read_run, run_file_of
from .exit_status import DONE
from .factors import folder
from .options import FileMessages
from .showing import show_run


def report(run: Path, out: Path | None, messages: FileMessages) -> int:
    """Regenerate the report of a run; return the exit status."""
    run_file = run_file_of(str(run))
    found = read_run(run_file)
    folder_out = run_file.parent if out is None else folder(out)
    show_run(found, run_file, folder_out, messages)
    return DONE
