"""Judges a cell by the tiers of the baseline file: structure and work. Pure."""

from collections.abc import Collection

from ..results.verdict import (
    CellVerdict,
    Change,
    Note,
    NoteKind,
    Reason,
    ReasonKind,
    Verdict,
    not_measured,
    verdict_on,
    with_objective,
)
from ..runner.environment import Difference
from ..statistics.scaling import Objective
from .baseline import CellBaseline
from .measuring import Measured, NotMeasured
from .structure.compare import gain, is_same_workload, structure_changes
from .tolerances import Tolerances
from .work.compare import is_cost_of, is_kept_memory, work_changes

STRUCTURE, WORK = TIERS = ("structure", "work")


def judge(
    name: str,
    before: CellBaseline,
    after: Measured | NotMeasured,
    tolerances: Tolerances,
    differences: tuple[Difference, ...] = (),
    *,
    tiers: Collection[str] = TIERS,
) -> CellVerdict:
    """Compare what a cell looks like with its baseline.

    Args:
        name: Name of the cell.
        before: Its baseline.
        after: What it looks like now.
        tolerances: How far a figure may move.
        differences: Versions that are not those of the baseline.
        tiers: Those of ``TIERS`` that are to judge.
    """
    if isinstance(after, NotMeasured):
        return not_measured(name, after.reason)
    same_sessions = before.work.sessions == after.work.sessions
    if not same_sessions or not is_same_workload(before.structure, after.structure):
        reason = Reason(kind=ReasonKind.OTHER_WORKLOAD)
        return CellVerdict(name, Verdict.COULD_NOT_JUDGE, reason=reason)
    same_versions = not any(each.changes_calls for each in differences)
    structure = tuple(structure_changes(before.structure, after.structure, tolerances))
    work = tuple(work_changes(before.work, after.work, tolerances, same_versions=same_versions))
    only_better = bool(structure) and not any(change.is_worse for change in structure)
    faster_by = gain(before.structure, after.structure) if only_better else 0.0
    changes: list[Change] = list(structure if STRUCTURE in tiers else ())
    notes: list[Note] = []
    for change in work if WORK in tiers else ():
        if is_kept_memory(change):
            notes.append(Note(NoteKind.KEPT_MEMORY, change))
        elif change.is_worse and is_cost_of(faster_by, change):
            notes.append(Note(NoteKind.COST_OF_THE_GAIN, change))
        else:
            changes.append(change)
    return verdict_on(name, changes, notes)


def hold_to(
    objective: Objective, judged: CellVerdict, after: Measured | NotMeasured
) -> CellVerdict:
    """Judge a cell by a latency objective as well: in virtual time, so by the figure itself.

    Args:
        objective: The objective.
        judged: What the baseline says of the cell.
        after: What it looks like now; a cell that was not measured has no latency to judge.
    """
    if isinstance(after, NotMeasured):
        return judged
    found = after.structure
    return with_objective(
        judged,
        objective.verdict_on(found.latency_s, succeeded=found.succeeded, started=found.started),
    )
