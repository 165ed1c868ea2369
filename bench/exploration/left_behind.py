"""What grows with the sessions of what they leave behind. Pure.

What stays the same however many sessions there are is there once for all of them: a pool, a client,
a task that refreshes something.
"""

from collections.abc import Sequence

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
