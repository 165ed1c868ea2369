"""``warpbench list``: what there is."""

import argparse
from collections.abc import Iterable

from rich.console import Console

from ...mocks.scenario import builtin_scenarios, load_scenario
from ...mocks.transports.registry import TRANSPORTS
from ..strategies import available_strategies
from ..targets.loading import BUILT_IN_TARGETS
from ..trial.loops import LOOPS


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser("list", help="scenarios, strategies, loops and targets")
    parser.set_defaults(command=_list)


def _list(_options: argparse.Namespace) -> int:
    console = Console()
    sections: dict[str, Iterable[tuple[str, str]]] = {
        "scenarios": ((name, load_scenario(name).description) for name in builtin_scenarios()),
        "strategies": ((each.name, each.summary) for each in available_strategies().values()),
        "loops": ((name, each.summary) for name, each in LOOPS.items()),
        "transports": ((name, each.summary) for name, each in TRANSPORTS.items()),
        "targets": BUILT_IN_TARGETS.items(),
    }
    for title, rows in sections.items():
        console.print(title, style="bold")
        for name, summary in rows:
            console.print(f"  {name:<18}{summary}", soft_wrap=True, markup=False, highlight=False)
    return 0
