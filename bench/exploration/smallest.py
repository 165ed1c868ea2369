"""The smallest case that shows a failure, by leaving out what it shows without.

Delta debugging after Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input"
(IEEE TSE 2002): parts are left out, ever smaller ones, until no single item can be. A latency that
cannot be the usual one is then brought as near to it as shows the failure, in whole milliseconds.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ...mocks.clock import Choice
from ...mocks.scenario import WaitName
from ..results.cancellation import Cancellation
from ..results.case import Case, KeptLatency

T = TypeVar("T")

Shows = Callable[[Case], bool]
"""Runs a case, and says whether the failure shows."""

Lengths = Callable[[Case], Mapping[WaitName, tuple[str, int, int]]]
"""Returns the latencies of a case that are not their medians: of each the tool, if it is one's, and
both in nanoseconds."""

_NS_PER_MS = 1_000_000
MOST_TRIALS = 300
MOST_S = 20.0
"""So many trials, and real seconds, are spent on one failure."""


class Budget:
    """What may be spent on one failure.

    Args:
        shows: Runs a case.
        trials: How many may be run.
        time_s: For how many real seconds.
        now_s: Reads the time.
    """

    def __init__(
        self,
        shows: Shows,
        trials: int = MOST_TRIALS,
        time_s: float = MOST_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shows = shows
        self._left = trials
        self._now_s = now_s
        self._until_s = now_s() + time_s
        self.is_spent = False

    def shows(self, case: Case) -> bool:
        """Say whether a case shows the failure; once all is spent, that none does."""
        if self._left <= 0 or self._now_s() >= self._until_s:
            self.is_spent = True
            return False
        self._left -= 1
        return self._shows(case)


def smallest(
    case: Case,
    *,
    sessions: int,
    cancels: tuple[Cancellation, ...],
    choices: tuple[Choice, ...],
    lengths: Lengths,
    budget: Budget,
) -> Case | None:
    """Return the smallest case that shows a failure.

    Args:
        case: The whole schedule.
        sessions: How many sessions it has.
        cancels: When it cancels which sessions.
        choices: Who went on out of turn in it.
        lengths: Returns the latencies of a case that are not their medians.
        budget: Runs cases.

    Returns:
        The case; ``None`` if the failure does not come again.
    """
    whole = replace(case, sessions=tuple(range(sessions)), cancels=cancels)
    taped = replace(whole, choices=choices)
    # From here on choices are taken by name: without a session, those of the others stay the same.
    if budget.shows(taped):
        whole = taped
    elif not budget.shows(whole):
        return None
    found = _with_fewest_sessions(whole, budget)
    for part in ("cancels", "choices"):
        found = _with_fewest(found, part, getattr(found, part) or (), budget)
    drawn = tuple(map(KeptLatency, lengths(found)))
    found = _with_usual_lengths(_with_fewest(found, "waits", drawn, budget), lengths, budget)
    # What the schedule has none of need not be said.
    return replace(
        found,
        cancels=found.cancels if cancels else None,
        choices=found.choices if choices else None,
    )


def _with_fewest_sessions(case: Case, budget: Budget) -> Case:
    """Leave out all behind the first few that show it, and then those in between.

    A session has the same latencies however many others there are.
    """
    every = case.sessions or ()
    for count in range(1, len(every)):
        if budget.shows(replace(case, sessions=every[:count])):
            every = every[:count]
            break
    kept = needed(every, lambda those: bool(those) and budget.shows(replace(case, sessions=those)))
    return replace(case, sessions=kept)


def _with_fewest(case: Case, part: str, items: tuple[Any, ...], budget: Budget) -> Case:
    """Return a case with as few items of one part as show the failure."""

    def with_those(those: tuple[Any, ...]) -> Case:
        changes: dict[str, Any] = {part: those}
        return replace(case, **changes)

    if not items or (getattr(case, part) is None and not budget.shows(with_those(items))):
        return case
    return with_those(needed(items, lambda those: budget.shows(with_those(those))))


def farther(case: Case) -> Iterator[Case]:
    """Yield a case, and it with its latencies farther from their medians, or as they are drawn.

    For a failure that came twice by the rounding of floats, and does not any more.
    """
    yield case
    if any(kept.by_ms for kept in case.waits or ()):
        yield replace(case, waits=tuple(map(_farther, case.waits or ())))
        yield replace(case, waits=tuple(kept._replace(by_ms=None) for kept in case.waits or ()))


def _farther(kept: KeptLatency) -> KeptLatency:
    if not kept.by_ms:
        return kept
    return kept._replace(by_ms=kept.by_ms + (1 if kept.by_ms > 0 else -1))


def _with_usual_lengths(case: Case, lengths: Lengths, budget: Budget) -> Case:
    """Return a case whose latencies are as near to their medians as shows the failure.

    One after another, and again, until none can be nearer: what two must differ by is shared.
    """
    before = None
    while case != before and not budget.is_spent:
        before = case
        for place in range(len(case.waits or ())):
            case = _with_usual_length(case, place, lengths, budget)
    return case


def _with_usual_length(case: Case, place: int, lengths: Lengths, budget: Budget) -> Case:
    """Return a case with one latency as near to its median as shows the failure, by bisection.

    A loop hears of what arrives within one millisecond together: less makes no difference. The last
    milliseconds may bring it to the very time of one of the agent's own timers, where the rounding
    of floats decides: so each length is to show the failure twice.
    """
    kept = (case.waits or ())[place]

    def by(ms: int) -> Case:
        waits = list(case.waits or ())
        waits[place] = kept._replace(by_ms=ms)
        return replace(case, waits=tuple(waits))

    lies = lengths(case).get(kept.wait)
    if lies is None:
        return case
    by_ns = lies[1] - lies[2]
    sign = 1 if by_ns > 0 else -1
    # Where it does not show, and the nearest to the median where it is known to.
    none, found = 0, case
    if kept.by_ms is None:
        shows = abs(by_ns) // _NS_PER_MS + 1
        nearest = shows // 2
    else:
        shows = abs(kept.by_ms)
        nearest = shows - 1
    while none < nearest < shows and _differs(lengths(by(sign * nearest)), kept.wait, by_ns):
        if budget.shows(by(sign * nearest)) and budget.shows(by(sign * nearest)):
            found, shows = by(sign * nearest), nearest
        else:
            none = nearest
        nearest = (none + shows) // 2
    return found


def _differs(lengths: Mapping[WaitName, tuple[str, int, int]], wait: WaitName, by_ns: int) -> bool:
    """Say whether a latency can be another one: that of a mixture cannot lie between two parts."""
    return wait in lengths and lengths[wait][1] - lengths[wait][2] != by_ns


def needed(items: Sequence[T], holds: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """Return items of which none can be left out, so that something still holds.

    Args:
        items: Those with which it holds.
        holds: Says whether it holds with some of them, in their order.
    """
    kept = tuple(items)
    if not kept or holds(()):
        return ()
    parts = 2
    while len(kept) > 1:
        size = -(-len(kept) // parts)
        for begin in range(0, len(kept), size):
            rest = kept[:begin] + kept[begin + size :]
            if rest and holds(rest):
                kept, parts = rest, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(kept), 2 * parts)
    return kept
