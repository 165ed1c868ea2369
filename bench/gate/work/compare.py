"""The work tier: compares counts of calls, and blames functions. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...results.verdict import Change
from ..tolerances import Tolerances, within
from ..words import number
from .measure import MostCalled, Work

_MOST_BLAMED = 3
_METRICS_OF_ANY_VERSION = (("HTTP request", "http_requests"),)
_METRICS = (
    *_METRICS_OF_ANY_VERSION,
    ("Python call", "python_calls"),
    ("C call", "c_calls"),
    ("task", "tasks"),
    ("loop iteration", "loop_iterations"),
    ("kept memory block", "blocks_kept"),
    ("instruction", "instructions"),
)
_MEANS = frozenset({"tasks", "loop_iterations"})
_NAMED = {"python_calls": "python", "c_calls": "c"}


@dataclass(frozen=True, slots=True)
class WorkChange(Change):
    """A change of a count.

    Attributes:
        metric: Which.
        growth: By which fraction it has grown.
    """

    metric: str
    growth: float

    @property
    def is_only_noted(self) -> bool:
        """Whether it decides nothing: what a cache keeps, and what is leaked, look alike."""
        return self.metric == "blocks_kept"

    def is_price_of(self, gain: float) -> bool:
        """Say whether it is but what a faster program costs.

        To let calls overlap takes tasks, and some calls of its own. That is no regression as
        long as less is lost than won; tasks and iterations are no loss by themselves, for what
        they compute shows in the calls.

        Args:
            gain: The fraction by which the program has become faster.
        """
        return gain > 0 and (self.metric in _MEANS or self.growth <= gain)


def work_changes(
    before: Work, after: Work, tolerances: Tolerances, *, same_versions: bool
) -> Iterator[WorkChange]:
    """Yield what is not as it was.

    Args:
        before: Of the baseline.
        after: Of now.
        tolerances: How far a figure may move.
        same_versions: Whether Python and the packages are those of the baseline. If not, what
            they do themselves is not compared: only what is asked of the network.
    """
    for noun, metric in _METRICS if same_versions else _METRICS_OF_ANY_VERSION:
        old, new = getattr(before, metric), getattr(after, metric)
        if old is None or new is None:
            continue
        if not within(old, new, getattr(tolerances, metric)):
            text = _difference(noun, old, new, before.sessions)
            growth = new / old - 1 if old else float("inf")
            yield WorkChange(text + _blame(metric, before, after), new > old, metric, growth)


def _difference(noun: str, old: int, new: int, sessions: int) -> str:
    each = (new - old) / sessions
    share = f", {new / old - 1:+.1%}" if old else ""
    return (
        f"{_signed(each)} {noun}{'' if abs(each) == 1 else 's'} per session "
        f"({number(old / sessions)} → {number(new / sessions)}{share})"
    )


def _blame(metric: str, before: Work, after: Work) -> str:
    """Name the functions with the greatest changes, and the user's own calls that changed."""
    named = _NAMED.get(metric)
    if named is None:
        return ""
    rises = getattr(after, metric) > getattr(before, metric)
    parts = []
    for words, kind in (("most in", named), ("of your own code", "own")):
        differences = _differences(getattr(before, kind), getattr(after, kind))
        greatest = _greatest(differences, rises=rises)
        if greatest:
            parts.append(f"{words} {_listed(greatest, before.sessions)}")
    return f": {'; '.join(parts)}" if parts else ""


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
    return sorted(towards, key=lambda item: (-abs(item[1]), item[0]))[:_MOST_BLAMED]


def _listed(changes: list[tuple[str, int]], sessions: int) -> str:
    return ", ".join(f"`{name}` ({_signed(change / sessions)})" for name, change in changes)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '-'}{number(abs(value))}"
