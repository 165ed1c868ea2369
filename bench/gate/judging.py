"""Judges a cell by the tiers of the baseline file: structure and work. Pure."""

from collections.abc import Collection, Iterator

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
    with_objectives,
)
from ..runner.environment import Difference
from ..statistics.objectives import Objectives
from .baseline import CellBaseline
from .causes import causes_first
from .measuring import Measured, NotMeasured
from .structure.compare import (
    gain,
    is_same_workload,
    other_tool_calls,
    request_bytes_change,
    service_bytes_changes,
    structure_changes,
)
from .tolerances import Tolerances, within
from .work.compare import (
    counts_calls,
    is_cost_of,
    is_kept_memory,
    own_callers,
    own_changes,
    work_changes,
)

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
        calls = other_tool_calls(before.structure, after.structure) if same_sessions else None
        kind = ReasonKind.OTHER_WORKLOAD if calls is None else ReasonKind.OTHER_TOOL_CALLS
        return CellVerdict(name, Verdict.COULD_NOT_JUDGE, reason=Reason(kind=kind, change=calls))
    same_versions = not any(each.changes_calls for each in differences)
    structure = tuple(structure_changes(before.structure, after.structure, tolerances))
    work = tuple(work_changes(before.work, after.work, tolerances, same_versions=same_versions))
    only_better = bool(structure) and not any(change.is_worse for change in structure)
    faster_by = gain(before.structure, after.structure) if only_better else 0.0
    changes: list[Change] = []
    notes: list[Note] = []
    if STRUCTURE in tiers:
        changes += structure
        notes += _small_changes_of_requests(before, after, tolerances)
    own = tuple(own_changes(before.work, after.work)) if same_versions else ()
    judged = (change for change in own if _is_beyond(change, tolerances))
    for change in (*judged, *work) if WORK in tiers else ():
        if is_kept_memory(change):
            notes.append(Note(NoteKind.KEPT_MEMORY, change))
        elif change.is_worse and is_cost_of(faster_by, change):
            notes.append(Note(NoteKind.COST_OF_THE_GAIN, change))
        else:
            changes.append(change)
    # A change of the sum of all calls names the user's own calls as well.
    if WORK in tiers and not any(counts_calls(change) for change in work):
        notes += [
            Note(NoteKind.OWN_CALLS, change) for change in own if not _is_beyond(change, tolerances)
        ]
    callers = own_callers(before.work, after.work) if same_versions else ()
    return verdict_on(name, causes_first(changes, callers), notes)


def _is_beyond(change: Change, tolerances: Tolerances) -> bool:
    """Say whether a package's calls are judged, and have changed by more than they may."""
    tolerance = tolerances.of_own_calls(change.name)
    return tolerance is not None and not within(change.before, change.after, tolerance)


def _small_changes_of_requests(
    before: CellBaseline, after: Measured, tolerances: Tolerances
) -> Iterator[Note]:
    """Yield how the requests changed in size, if by no more than they may: a prompt that grows."""
    size = request_bytes_change(before.structure, after.structure)
    # Beside more calls of the model, or fewer, it is no news that they ask more, or less.
    same_calls = before.structure.model_calls == after.structure.model_calls
    to_model = [size] if size is not None and same_calls else []
    for change in (*to_model, *service_bytes_changes(before.structure, after.structure)):
        if within(change.before, change.after, tolerances.request_bytes):
            yield Note(NoteKind.WITHIN_TOLERANCE, change)


def hold_to(
    objectives: Objectives, judged: CellVerdict, after: Measured | NotMeasured
) -> CellVerdict:
    """Judge a cell by objectives as well: in virtual time, so by the figure itself.

    Args:
        objectives: The objectives.
        judged: What the baseline says of the cell.
        after: What it looks like now; a cell that was not measured has no times to judge.
    """
    if isinstance(after, NotMeasured):
        return judged
    found = after.structure
    return with_objectives(
        judged,
        objectives.verdicts_on(found.times, succeeded=found.succeeded, started=found.started),
    )
