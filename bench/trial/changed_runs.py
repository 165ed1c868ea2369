"""Runs a session again with one output changed at a time, to see what needs it and comes after it.

All runs are of one session that runs alone, in virtual time, with the same draws. An output is
changed in three ways, and in one more run it is there later. Whatever is not the same in two usual
runs (a time of day in a prompt, a cache that the first of them filled) tells nothing: it is taken
to need all that was over before.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...mocks.errors import ClockError
from ...mocks.observe.data_flow import Change, DataFlowNotes
from ..attribution.data_flow import (
    AskedWait,
    Pair,
    asked_waits,
    data_flow,
    held_outputs,
    in_turn,
    with_paths,
)
from ..results.data_flow import DataFlow
from ..results.samples import Outcome
from ..results.trial_result import TrialResult

DRAWS = (1, 2, 3)
"""The ways in which an output is changed."""

MOST_RUNS = 150
"""After so many runs, what is not known to be free of a need is taken to have it."""

_LATER_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Run:
    """What a session did once: its waits, how long it took, whether it succeeded."""

    waits: tuple[AskedWait, ...]
    latency_ns: int
    has_succeeded: bool

    def begins_ns(self) -> Mapping[bytes, Sequence[int]]:
        """Return when each thing was asked for, by its content."""
        begins_ns: defaultdict[bytes, list[int]] = defaultdict(list)
        for wait in self.waits:
            begins_ns[wait.asked.content].append(wait.begin_ns)
        return begins_ns


class _Runs:
    """Runs the session, each time with other changes."""

    def __init__(self, measure: Callable[[], TrialResult], notes: DataFlowNotes, seed: int) -> None:
        self._measure = measure
        self._notes = notes
        self._seed = seed
        self.count = 0

    def run(self, changes: Mapping[bytes, Change]) -> _Run:
        random.seed(self._seed)
        self._notes.changes = changes
        self.count += 1
        try:
            trial = self._measure()
        finally:
            self._notes.changes = {}
        (sample,) = trial.samples
        begin_ns = trial.origin_ns + sample.start_ns
        return _Run(
            asked_waits(self._notes.asked, trial.waits, begin_ns),
            sample.end_ns - sample.start_ns,
            sample.outcome is Outcome.SUCCEEDED,
        )


def found_data_flow(
    measure: Callable[[], TrialResult], notes: DataFlowNotes, seed: int
) -> DataFlow | None:
    """Return the data flow of the session that a trial runs.

    Args:
        measure: Runs the trial, of one session, any number of times; it notes its waits.
        notes: What the session asks is noted there.
        seed: Seeds the global generator before each run, as the trial does once.

    Returns:
        The data flow; ``None`` if the session does not succeed, or a change makes it wait for ever.
    """
    runs = _Runs(measure, notes, seed)
    try:
        usual, again = runs.run({}), runs.run({})
        if not usual.has_succeeded:
            return None
        needs, comes_after = _found(runs, usual, again)
    except ClockError:
        return None
    return data_flow(usual.waits, usual.latency_ns, needs, comes_after)


def _found(runs: _Runs, usual: _Run, again: _Run) -> tuple[frozenset[Pair], frozenset[Pair]]:
    waits, turns = usual.waits, in_turn(usual.waits)
    begins_ns, begins_again_ns = usual.begins_ns(), again.begins_ns()
    steady = {
        number
        for number, wait in enumerate(waits)
        if begins_ns[wait.asked.content] == begins_again_ns.get(wait.asked.content)
    }
    needs = held_outputs(waits) | {pair for pair in turns if pair[1] not in steady}
    comes_after: frozenset[Pair] = frozenset()
    for earlier, wait in enumerate(waits):
        followers = [later for each, later in sorted(turns) if each == earlier]
        content = wait.asked.content

        def open_ones(
            needs: frozenset[Pair], earlier: int = earlier, followers: list[int] = followers
        ) -> list[int]:
            paths = with_paths(needs)
            return [later for later in followers if (earlier, later) not in paths]

        if not open_ones(needs):
            continue
        if runs.count > MOST_RUNS - len(DRAWS) - 1:
            needs |= {(earlier, later) for later in followers}
            continue
        delayed_ns = runs.run({content: Change(later_ns=_LATER_NS)}).begins_ns()
        comes_after |= {
            (earlier, later)
            for later in followers
            if _is_later(waits, later, begins_ns, delayed_ns)
        }
        for draw in DRAWS:
            if not open_ones(needs):
                break
            changed_ns = runs.run({content: Change(draw=draw)}).begins_ns()
            needs |= {
                (earlier, later)
                for later in followers
                if len(changed_ns.get(waits[later].asked.content, ()))
                != len(begins_ns[waits[later].asked.content])
            }
    return needs, comes_after


def _is_later(
    waits: Sequence[AskedWait],
    number: int,
    usual_ns: Mapping[bytes, Sequence[int]],
    delayed_ns: Mapping[bytes, Sequence[int]],
) -> bool:
    """Say whether a wait began later by what an earlier one was delayed; equal ones by order."""
    wait = waits[number]
    usual = usual_ns[wait.asked.content]
    delayed = delayed_ns.get(wait.asked.content, ())
    if len(delayed) != len(usual):
        return False
    return delayed[usual.index(wait.begin_ns)] - wait.begin_ns >= _LATER_NS
