"""``warpbench gate``: compare the code with its baseline, and say what became worse."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .. import names
from ..options import (
    EFFORT,
    FACTORS,
    OUTPUT,
    Cells,
    Json,
    Messages,
    NetworkOfProject,
    ObjectivesOfEach,
    OnInTheGate,
)
from ..values import Count, Duration
from ..values import names as names_of


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class GateOptions:
    """What ``gate`` takes."""

    baseline: Annotated[
        str | None,
        Parameter(
            metavar="FILE", group=FACTORS, help="The baseline. Default: warpbench-baseline.json."
        ),
    ] = None
    cell: Cells = ()
    against: Annotated[
        str | None,
        Parameter(
            metavar="REF",
            group=FACTORS,
            help="Compare CPU time with a commit, too: measured in turns, in worktrees of both.",
        ),
    ] = None
    tier: Annotated[
        tuple[str, ...],
        names_of(names.tiers),
        Parameter(
            group=FACTORS,
            help=(
                "What to compare. Default: structure,work, time with --against, and isolation with "
                "--schedules."
            ),
        ),
    ] = ()
    schedules: Annotated[
        Count | None,
        Parameter(
            group=EFFORT,
            help="Run each cell under so many schedules, too, as `warpbench explore` does.",
        ),
    ] = None
    instructions: Annotated[
        bool,
        Parameter(group=FACTORS, show_default=False, help="Compare instructions, too (valgrind)."),
    ] = False
    network: NetworkOfProject = None
    budget: Annotated[
        Duration | None,
        Parameter(
            group=EFFORT,
            help="Time after which the time tier ends, from the start of the command. Default: 2m.",
        ),
    ] = None
    on: OnInTheGate = None
    slo: ObjectivesOfEach = None
    json: Json = False
    summary: Annotated[
        Path | None,
        Parameter(metavar="FILE", group=OUTPUT, help="Append the verdicts as Markdown."),
    ] = None
    junit: Annotated[
        Path | None,
        Parameter(metavar="FILE", group=OUTPUT, help="Write the verdicts as JUnit XML."),
    ] = None


def gate(
    *,
    options: GateOptions = GateOptions(),
    messages: Messages = Messages(),
) -> int:
    """Compare with the baseline."""
    began_s = time.monotonic()  # on a busy machine the import takes seconds of the budget
    from ..gate import gate as judge

    return judge(options, messages, began_s)
