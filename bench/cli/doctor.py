"""What ``warpbench doctor`` does: checks how well this machine measures."""

from rich.console import Console

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
        mark = _mark("✓", "ok", console) if found.is_well else _mark("▲", "!", console)
        text = f"{mark} {found.what}: {found.found}"
        console.print(text, soft_wrap=True, markup=False, highlight=False)
        if found.advice:
            console.print(f"  {found.advice}", soft_wrap=True, markup=False, highlight=False)
    return DONE if is_well else BAD_ANSWER


def _mark(sign: str, plain: str, console: Console) -> str:
    return plain if console.options.ascii_only else sign
