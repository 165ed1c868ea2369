"""What ``warpbench export`` does: exports a run for another tool."""

from pathlib import Path

from ...mocks.errors import UsageError
from ...reports.exports import EXPORTS
from ..results.json_file import write_text
from ..results.run_file import read_run, run_file_of
from .exit_status import DONE


def export(format_name: str, run: Path, out: Path | None) -> int:
    """Export a run; return the exit status."""
    text = EXPORTS[format_name].render(read_run(run_file_of(str(run))))
    if out is None:
        print(text, end="" if text.endswith("\n") else "\n")  # noqa: T201 - what was asked for
    else:
        write_text(out, text, UsageError)
    return DONE
