"""Puts the changes of a cell in the order in which a reviewer would name them. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from ..results.verdict import CallerChange, Change, ChangeKind

# What the code asks for comes before what follows from it: more calls of the model take larger
# requests, more computing and more time, and not the other way round; and where a limit is lost,
# tools wait for each other.
_CAUSES_FIRST = (
    ChangeKind.LEAKED_SESSIONS,
    ChangeKind.EXPLORED_FAILURE,
    ChangeKind.SESSIONS_SUCCEEDED,
    ChangeKind.RETRIED_MODEL_CALLS,
    ChangeKind.MODEL_CALLS,
    ChangeKind.CALLS_OF_A_TOOL,
    ChangeKind.TOOL_CALLS,
    ChangeKind.STREAMED_MODEL_CALLS,
    ChangeKind.REPEATED_MODEL_CALLS,
    ChangeKind.HEDGED_MODEL_CALLS,
    ChangeKind.SAMPLED_MODEL_CALLS,
    ChangeKind.REQUEST_BYTES,
    ChangeKind.SERVICE_REQUEST_BYTES,
    ChangeKind.PROMPT_TOKENS,
    ChangeKind.COMPLETION_TOKENS,
    ChangeKind.REFUSED_REQUESTS,
    ChangeKind.BLOCKED_LOOP,
    ChangeKind.OVERLAP,
    ChangeKind.PEAK_IN_FLIGHT,
    ChangeKind.ROUND,
    ChangeKind.TTFT,
    ChangeKind.ITL,
    ChangeKind.FIRST_OUTPUT,
    ChangeKind.MAKESPAN,
    ChangeKind.LATENCY,
    ChangeKind.OWN_CALLS,
    ChangeKind.WORK,
    ChangeKind.CPU,
)
_RANKS = {kind: rank for rank, kind in enumerate(_CAUSES_FIRST)}


def causes_first(
    changes: Iterable[Change], own_callers: Collection[CallerChange] = ()
) -> tuple[Change, ...]:
    """Return changes with what is worse before what is better, and causes before effects.

    Args:
        changes: The changes of a cell.
        own_callers: The user's own calls that changed. The first change is given them, unless
            it names a place in the code already.
    """
    ordered = sorted(changes, key=lambda change: (not change.is_worse, _RANKS[change.kind]))
    if ordered and not _names_a_place(ordered[0]):
        first = ordered[0]
        ordered[0] = replace(first, callers=(*first.callers, *own_callers))
    return tuple(ordered)


def _names_a_place(change: Change) -> bool:
    if change.kind is ChangeKind.BLOCKED_LOOP:
        return True
    return any(caller.is_own_code for caller in change.callers)
