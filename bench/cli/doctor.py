"""``warpbench doctor``: what this machine's figures can be worth."""

import argparse

from rich.console import Console

from ..runner.processes import TrialProcesses
from ..studies.doctor import check_machine

_TIME_LIMIT_S = 120.0
_UNWELL = 1


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="check what this machine's figures can be worth",
        description="Takes about ten seconds. Exit status 1 if there is something to mend.",
    )
    parser.set_defaults(command=_doctor)


def _doctor(_options: argparse.Namespace) -> int:
    console = Console()
    is_well = True
    for check in check_machine(TrialProcesses(_TIME_LIMIT_S)):
        found = check()
        is_well = is_well and found.is_well
        mark = _mark("✓", "ok", console) if found.is_well else _mark("▲", "!", console)
        text = f"{mark} {found.what}: {found.found}"
        console.print(text, soft_wrap=True, markup=False, highlight=False)
        if found.advice:
            console.print(f"  {found.advice}", soft_wrap=True, markup=False, highlight=False)
    return 0 if is_well else _UNWELL


def _mark(sign: str, plain: str, console: Console) -> str:
    return plain if console.options.ascii_only else sign
