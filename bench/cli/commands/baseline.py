"""``warpbench baseline``: write down what the cells look like while all is well."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from ..options import (
    FACTORS,
    Concurrency,
    Loops,
    Messages,
    NetworkOfProject,
    OnInTheGate,
    OutFile,
    Scenario,
    Seed,
    Sessions,
    Strategies,
    Targets,
    ToolWorkers,
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class BaselineOptions:
    """What ``baseline`` takes; what is not given is as the project or the default says."""

    target: Targets = ()
    strategy: Strategies = ()
    loop: Loops = ()
    concurrency: Concurrency = ()
    sessions: Sessions = None
    seed: Seed | None = None
    tool_workers: ToolWorkers | None = None
    network: NetworkOfProject = None
    instructions: Annotated[
        bool,
        Parameter(group=FACTORS, show_default=False, help="Count instructions, too (valgrind)."),
    ] = False
    on: OnInTheGate = None
    out: OutFile = None


def baseline(
    *scenarios: Scenario,
    options: BaselineOptions = BaselineOptions(),
    messages: Messages = Messages(),
) -> int:
    """Write the gate's baseline file."""
    from ..baseline import write

    return write(scenarios, options, messages)
