"""The work tier: compares counts of calls, and finds the functions behind them. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from ...results.verdict import CallerChange, Change, ChangeKind
from ..tolerances import Tolerances, within
from .measure import MostCalled, Work, package_of

_MOST_NAMED = 3
_METRICS_OF_ANY_VERSION = ("http_requests",)
_METRICS = (
    *_METRICS_OF_ANY_VERSION,
    *("python_calls", "c_calls", "tasks", "loop_iterations"),
    *("blocks_kept", "bytes_kept", "instructions"),
)
_MEANS = frozenset({"tasks", "loop_iterations"})
# Whose functions account for a change of which figure. To iterations and tasks that are added,
# the user's own calls lead: to await something takes to call it.
_NAMED = {
    "python_calls": ("python", "own"),
    "c_calls": ("c", "own"),
    "tasks": ("own",),
    "loop_iterations": ("own",),
}
# From run to run they differ by up to ten kilobytes a trial, however little is kept: by the sizes
# of tables, which grow by steps, and by what caches happen to hold.
_BYTES_OF_CHANCE = 32_768
_CALLS = frozenset({"python_calls", "c_calls"})
_KEPT_MEMORY = frozenset({"blocks_kept", "bytes_kept"})


def is_kept_memory(change: Change) -> bool:
    """Say whether a change decides nothing: what a cache keeps, and what is leaked, look alike."""
    return change.kind is ChangeKind.WORK and change.name in _KEPT_MEMORY


def counts_calls(change: Change) -> bool:
    """Say whether a change is one of the sum of all calls, in Python or in C."""
    return change.name in _CALLS


def is_cost_of(gain: float, change: Change) -> bool:
    """Say whether more work is only what a faster program costs.

    To let calls overlap takes tasks, and some calls of its own. That is no regression as
    long as less is lost than won; tasks and iterations are no loss by themselves, for what
    they compute shows in the calls.

    Args:
        gain: The fraction by which the program has become faster.
        change: A change of the work tier.
    """
    return gain > 0 and (change.name in _MEANS or change.growth <= gain)


def work_changes(
    before: Work, after: Work, tolerances: Tolerances, *, same_versions: bool
) -> Iterator[Change]:
    """Yield what is not as it was.

    Args:
        before: Of the baseline.
        after: Of now.
        tolerances: How far a figure may move.
        same_versions: Whether Python and the packages are those of the baseline. If not, what
            they do themselves is not compared: only what is asked of the network.
    """
    for metric in _METRICS if same_versions else _METRICS_OF_ANY_VERSION:
        old, new = getattr(before, metric), getattr(after, metric)
        if old is None or new is None:
            continue
        if metric == "bytes_kept" and abs(new - old) <= _BYTES_OF_CHANCE:
            continue
        if not within(old, new, getattr(tolerances, metric)):
            yield Change(
                kind=ChangeKind.WORK,
                is_worse=new > old,
                before=old,
                after=new,
                name=metric,
                sessions=before.sessions,
                callers=tuple(_callers(metric, before, after)),
            )


def _callers(metric: str, before: Work, after: Work) -> Iterator[CallerChange]:
    """Yield the functions with the greatest changes, then the user's own calls that changed."""
    rises = getattr(after, metric) > getattr(before, metric)
    for kind in _NAMED.get(metric, ()):
        differences = _differences(getattr(before, kind), getattr(after, kind))
        for name, change in _greatest(differences, rises=rises):
            yield CallerChange(name, change / before.sessions, is_own_code=kind == "own")


def own_callers(before: Work, after: Work) -> tuple[CallerChange, ...]:
    """Return the user's own calls that changed most: those that were added, else those gone."""
    differences = _differences(before.own, after.own)
    found = _greatest(differences, rises=True) or _greatest(differences, rises=False)
    return tuple(_own(found, before.sessions))


def own_changes(before: Work, after: Work) -> Iterator[Change]:
    """Yield by how much the calls that the user's own functions make have changed, by package."""
    if before.own_calls is None or after.own_calls is None:
        return
    differences = _differences(before.own, after.own)
    for package in sorted({*before.own_calls, *after.own_calls}):
        here = {name: each for name, each in differences.items() if package_of(name) == package}
        old, new = before.own_calls.get(package, 0), after.own_calls.get(package, 0)
        if old == new:
            continue
        yield Change(
            kind=ChangeKind.OWN_CALLS,
            is_worse=new > old,
            before=old,
            after=new,
            name=package,
            sessions=before.sessions,
            callers=tuple(_own(_greatest(here, rises=new > old), before.sessions)),
        )


def _own(changes: Iterable[tuple[str, int]], sessions: int) -> Iterator[CallerChange]:
    for name, change in changes:
        yield CallerChange(name, change / sessions, is_own_code=True)


def _differences(before: MostCalled, after: MostCalled) -> dict[str, int]:
    """Return by how much each function is called more, at the least, where that is known."""
    return {
        name: change
        for name in {*before.calls, *after.calls}
        if (change := _least_change(name, before, after)) != 0
    }


def _least_change(name: str, before: MostCalled, after: MostCalled) -> int:
    old, new = before.calls.get(name), after.calls.get(name)
    if old is None and new is not None:
        return max(0, new - before.others_at_most)
    if new is None and old is not None:
        return min(0, after.others_at_most - old)
    assert old is not None
    assert new is not None
    return new - old


def _greatest(differences: Mapping[str, int], *, rises: bool) -> list[tuple[str, int]]:
    towards = [item for item in differences.items() if (item[1] > 0) == rises]
    return sorted(towards, key=lambda item: (-abs(item[1]), item[0]))[:_MOST_NAMED]
