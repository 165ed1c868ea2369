"""Runs a session again with one output changed at a time, to see what needs it and comes after it.

All runs are of one session that runs alone, in virtual time, with the same draws. An output is
changed in three ways, and in one more run it is there later. Whatever is not the same in two usual
runs (a time of day in a prompt, a cache that the first of them filled) tells nothing: it is taken
to need all that was over before.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

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
from ..results.samples import Outcome
from ..results.trial_result import TrialResult

DRAWS = (1, 2, 3)
"""The ways in which an output is changed."""

_LATER_NS = 1_000_000
_MOST_WAITS = 2_000
"""After so many waits, in all runs, what is not known to be free of a need is taken to have it."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What a session did once: the trial, the session's waits, and how it ended."""

    trial: TrialResult
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
        end_ns = trial.origin_ns + sample.end_ns
        # What a service asks after its response takes none of its session's time.
        asked = [each for each in self._notes.asked if each.start_ns < end_ns]
        return _Run(
            trial,
            asked_waits(asked, trial.waits, begin_ns),
            sample.end_ns - sample.start_ns,
            sample.outcome is Outcome.SUCCEEDED,
        )


def with_data_flow(
    measure: Callable[[], TrialResult], notes: DataFlowNotes, seed: int
) -> TrialResult:
    """Run a trial of one session, and return its result with the session's data flow.

    There is none if the session does not succeed, or if a change makes it wait for ever.

    Args:
        measure: Runs the trial, any number of times; it notes its waits.
        notes: What the session asks is noted there.
        seed: Seeds the global generator before each run, as the trial does once.
    """
    runs = _Runs(measure, notes, seed)
    usual = runs.run({})
    if not usual.has_succeeded:
        return usual.trial
    search = _Search(usual)
    try:
        search.leave_out_unsteady(runs.run({}))
        for earlier in range(len(usual.waits)):
            search.find_followers(earlier, runs)
    except ClockError:
        return usual.trial
    found = data_flow(
        usual.waits, usual.latency_ns, frozenset(search.needs), frozenset(search.comes_after)
    )
    return replace(usual.trial, data_flow=found)


class _Search:
    """The search for what the waits of a session need, and come after.

    Attributes:
        needs: Which wait needs which earlier one, as far as is known.
        comes_after: Which wait comes after which earlier one, of those with no path between them.
    """

    def __init__(self, usual: _Run) -> None:
        self._waits = usual.waits
        self._begins_ns = usual.begins_ns()
        self._followers: defaultdict[int, list[int]] = defaultdict(list)
        for earlier, later in sorted(in_turn(usual.waits)):
            self._followers[earlier].append(later)
        self._most_runs = _MOST_WAITS // max(1, len(usual.waits))
        self.needs: set[Pair] = set(held_outputs(usual.waits))
        self.comes_after: set[Pair] = set()
        self._paths = with_paths(self.needs)

    def leave_out_unsteady(self, again: _Run) -> None:
        """Take what is asked otherwise in a second usual run to need all that was over before."""
        begins_ns = again.begins_ns()
        for number, wait in enumerate(self._waits):
            content = wait.asked.content
            if self._begins_ns[content] != begins_ns.get(content):
                self._need((earlier, number) for earlier in self._before(number))

    def find_followers(self, earlier: int, runs: _Runs) -> None:
        """Find which later waits need a wait, and which come after it."""
        content = self._waits[earlier].asked.content
        if not self._open(earlier):
            return
        if runs.count + 1 + len(DRAWS) > self._most_runs:
            self._need((earlier, later) for later in self._followers[earlier])
            return
        delayed_ns = runs.run({content: Change(later_ns=_LATER_NS)}).begins_ns()
        self.comes_after |= {
            (earlier, later)
            for later in self._followers[earlier]
            if self._is_later(later, delayed_ns)
        }
        for draw in DRAWS:
            if not self._open(earlier):
                return
            changed_ns = runs.run({content: Change(draw=draw)}).begins_ns()
            self._need(
                (earlier, later)
                for later in self._followers[earlier]
                if not self._is_asked_alike(later, changed_ns)
            )

    def _before(self, number: int) -> list[int]:
        return [earlier for earlier in range(number) if number in self._followers[earlier]]

    def _open(self, earlier: int) -> bool:
        """Say whether anything follows a wait and is not known to need it."""
        return any((earlier, later) not in self._paths for later in self._followers[earlier])

    def _need(self, pairs: Iterable[Pair]) -> None:
        found = set(pairs) - self._paths
        if found:
            self.needs |= found
            self._paths = with_paths(self.needs)

    def _is_asked_alike(self, number: int, changed_ns: Mapping[bytes, Sequence[int]]) -> bool:
        content = self._waits[number].asked.content
        return len(changed_ns.get(content, ())) == len(self._begins_ns[content])

    def _is_later(self, number: int, delayed_ns: Mapping[bytes, Sequence[int]]) -> bool:
        """Say whether a wait begins later by what another was delayed; equal ones by order."""
        wait = self._waits[number]
        usual = self._begins_ns[wait.asked.content]
        delayed = delayed_ns.get(wait.asked.content, ())
        if len(delayed) != len(usual):
            return False
        return delayed[usual.index(wait.begin_ns)] - wait.begin_ns >= _LATER_NS
