"""What ``warpbench list`` does: shows what there is, and imports nothing that takes time."""

from collections.abc import Iterable

from rich.console import Console

from ...mocks.scenario import builtin_descriptions
from ...mocks.transports.registry import TRANSPORTS
from ...reports.exports import EXPORTS
from ..services.kinds import KINDS
from ..strategies import available_strategies
from ..targets.built_in import BUILT_IN_TARGETS
from ..trial.loops import LOOPS
from .exit_status import DONE


def show() -> int:
    """Show what there is; return the exit status."""
    console = Console()
    sections: dict[str, Iterable[tuple[str, str]]] = {
        "scenarios": builtin_descriptions().items(),
        "strategies": ((each.name, each.summary) for each in available_strategies().values()),
        "loops": ((name, each.summary) for name, each in LOOPS.items()),
        "transports": ((name, each.summary) for name, each in TRANSPORTS.items()),
        "targets": BUILT_IN_TARGETS.items(),
        "services": ((f"{name}:module:app", each.summary) for name, each in KINDS.items()),
        "exports": ((name, each.summary) for name, each in EXPORTS.items()),
    }
    for title, rows in sections.items():
        console.print(title, style="bold")
        for name, summary in rows:
            console.print(f"  {name:<18}{summary}", soft_wrap=True, markup=False, highlight=False)
    return DONE
