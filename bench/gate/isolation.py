"""The tier *isolation*: no session takes up another's text, and no order of events breaks one.

It takes no baseline: what it finds is wrong, whatever the code was like before. The schedules
follow from the seed of the cell, so that two runs of the gate look at the same ones.
"""

from collections.abc import Iterator
from dataclasses import replace

from ..exploration.exploring import AT_ONCE, Explorer
from ..results.cell import Cell
from ..results.exploration import Exploration
from ..results.verdict import CellVerdict, Change, ChangeKind, not_measured, verdict_on
from ..runner.runner import Trials
from ..trial.spec import TrialSpec

TIER = "isolation"

USUAL_SCHEDULES = 20
"""So many schedules of each cell are run if the tier is named, and no number."""

MOST_SESSIONS = 10
"""So many sessions of a cell run in each schedule, all at a time if the cell lets them."""


def explored(
    name: str,
    spec: TrialSpec,
    schedules: int,
    trials: Trials,
    *,
    scenario: str,
    at_once: int = AT_ONCE,
) -> CellVerdict:
    """Explore a cell, and judge it by what is found.

    Args:
        name: Name of the cell.
        spec: What is run to measure it.
        schedules: How many schedules are run.
        trials: Runs them.
        scenario: The scenario as a command names it.
        at_once: How many are under way at one time.

    Raises:
        TargetError: The target cannot be used.
    """
    sessions = min(MOST_SESSIONS, spec.cell.session_count)
    load = min(sessions, spec.cell.concurrency)
    few = replace(spec, cell=replace(spec.cell, session_count=sessions, concurrency=load))
    exploration = Explorer(trials, few, at_once, takes_notes=False).explore(schedules)
    if exploration.not_applicable is not None:
        return not_measured(name, exploration.not_applicable, TIER)
    changes = tuple(_changes(exploration, replace(exploration.cell, scenario=scenario)))
    return replace(verdict_on(name, changes), tier=TIER)


def _changes(exploration: Exploration, cell: Cell) -> Iterator[Change]:
    for found in exploration.found:
        yield Change(
            kind=ChangeKind.EXPLORED_FAILURE,
            is_worse=True,
            before=0,
            after=found.seen_in,
            count=exploration.schedules,
            found=found,
            explored=cell,
        )
