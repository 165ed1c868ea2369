"""What grows with the sessions of what they leave behind. Pure.

What stays the same however many sessions there are is there once for all of them: a pool, a client,
a task that refreshes something.
"""

from collections.abc import Iterator, Sequence

from ..results.exploration import Failure, FailureKind
from ..results.left_behind import LeftBehind


def grown(fewer: Sequence[LeftBehind], more: Sequence[LeftBehind]) -> tuple[LeftBehind, ...]:
    """Return what a run leaves more of than one of fewer sessions, as it leaves it.

    Args:
        fewer: What the run of fewer sessions left.
        more: What the run of more sessions left.
    """
    counts = {(each.kind, each.what, each.place): each.count for each in fewer}
    return tuple(
        each for each in more if each.count > counts.get((each.kind, each.what, each.place), 0)
    )


def left_failures(
    by_half: Sequence[LeftBehind], by_all: Sequence[LeftBehind], sessions: int
) -> Iterator[Failure]:
    """Yield what grows with the sessions, each as a failure.

    Args:
        by_half: What half of the sessions left.
        by_all: What all of them left.
        sessions: How many that are.
    """
    counts = {(each.kind, each.what, each.place): each.count for each in by_half}
    for left in grown(by_half, by_all):
        yield Failure(
            kind=FailureKind.LEFT_BEHIND,
            left=left,
            sessions=sessions,
            left_by_half=counts.get((left.kind, left.what, left.place), 0),
            place=left.place,
        )
