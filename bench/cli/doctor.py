"""What ``warpbench doctor`` does: checks how well this machine measures."""

from rich.console import Console

from ...reports.terminal.doctor import check_lines
from ..runner.processes import TrialProcesses
from ..studies.doctor import check_machine
from .exit_status import BAD_ANSWER, DONE

_TIME_LIMIT_S = 120.0


def check() -> int:
    """Check this machine; return the exit status."""
    console = Console()
    is_well = True
    for each in check_machine(TrialProcesses(_TIME_LIMIT_S)):
        found = each()
        is_well = is_well and found.is_well
        for line in check_lines(found, ascii_only=console.options.ascii_only):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
    return DONE if is_well else BAD_ANSWER
