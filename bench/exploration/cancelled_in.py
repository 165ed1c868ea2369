"""What sessions did when they were cancelled. Pure."""

from collections.abc import Iterator, Sequence

from ...mocks.clock import seconds
from ..results.cancellation import AT_ITS_BEGIN, Cancellation, CancelledAt
from ..results.exploration import Cancelled
from ..results.steps import Step, StepKind

_MOCKED = frozenset({StepKind.MODEL_CALL, StepKind.TOOL, StepKind.SERVICE})
_OF_ANY_KIND = frozenset({"task", "gather", "future"})
"""Awaited of these, a session waits for what others do of its steps."""

_ANSWER = "answer"


def cancelled_in(steps: Sequence[Step], cancelled: Sequence[CancelledAt]) -> Iterator[Cancelled]:
    """Yield the sessions that were cancelled, each with what it did then.

    Args:
        steps: What the sessions did, in the order in which it began.
        cancelled: The cancellations that took place.
    """
    for each in cancelled:
        wait, after_s = each.cancellation, seconds(each.at_ns)
        yield Cancelled(
            session=wait.session,
            after_s=after_s,
            wait=wait if wait.what else None,
            step=_step_at(steps, wait, after_s),
        )


def _step_at(steps: Sequence[Step], wait: Cancellation, at_s: float) -> Step | None:
    """Return the last step of a session that had begun; one that begins just then, at a begin."""
    begins = wait.what and wait.after_ns == AT_ITS_BEGIN
    of_it = [
        step
        for step in steps
        if step.session == wait.session
        and _fits(step.kind, wait.what)
        and (step.begin_s == at_s if begins else step.begin_s < at_s <= step.end_s)
    ]
    return of_it[-1] if of_it else None


def _fits(kind: StepKind, what: str) -> bool:
    if not what or what in _OF_ANY_KIND:
        return True
    return (kind in _MOCKED) == (what == _ANSWER)
