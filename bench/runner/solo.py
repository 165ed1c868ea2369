"""Holds trials against what their sessions do alone, which is run once for all cells that need it.

Only a trial tells that it is not held against the script. The first of a target and a scenario that
does so has their sessions run alone, in each form that the target has.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

import msgspec

from ...mocks.errors import TargetError, TrialError
from ..attribution.solo import held_against_solo
from ..results.played import Solo
from ..results.samples import Outcome
from ..results.trial_result import TrialResult
from ..trial.solo import MOST_SOLO_SESSIONS, shorter_solo, solo_specs
from ..trial.spec import NotApplicable, TrialSpec
from .runner import TrialsTogether


class RunsAlone(Protocol):
    """What runs sessions alone."""

    def run_alone(self, spec: TrialSpec) -> Solo:
        """Run sessions one after another; raise ``TargetError`` or ``TrialError`` if they fail."""
        ...


class TrialsAlone(TrialsTogether, RunsAlone, Protocol):
    """What runs trials, and sessions alone: processes, or a fake of them in a test."""


class KeptSolo(Protocol):
    """Where what sessions do alone is kept for further runs."""

    def taken(self, workload: str, sessions: int) -> Solo | None:
        """Return what is kept of at least so many sessions, if it is still true."""
        ...

    def keep(self, workload: str, sessions: int, solo: Solo) -> None:
        """Keep what so many sessions did."""
        ...


class NoSoloKept:
    """Keeps nothing: for commands that write no results, and for tests."""

    def taken(self, workload: str, sessions: int) -> Solo | None:  # noqa: ARG002
        """Return nothing."""
        return None

    def keep(self, workload: str, sessions: int, solo: Solo) -> None:
        """Let it go."""


@dataclass(slots=True)
class _Found:
    """What is known of a target and a workload so far."""

    solo: Solo = field(default_factory=Solo)
    sessions: int = 0
    lock: Lock = field(default_factory=Lock)


class SoloSessions:
    """What the sessions of a run do alone: run once for a workload, whoever asks for it.

    Args:
        kept: Where it is kept.
        specs: The cells that are known to be run: the largest says how many sessions run alone.
    """

    def __init__(self, kept: KeptSolo | None = None, specs: Iterable[TrialSpec] = ()) -> None:
        self._kept = NoSoloKept() if kept is None else kept
        self._found: defaultdict[str, _Found] = defaultdict(_Found)
        self._most: defaultdict[str, int] = defaultdict(int)
        for spec in specs:
            workload = workload_of(spec)
            self._most[workload] = max(self._most[workload], spec.cell.session_count)

    def held(
        self, spec: TrialSpec, result: TrialResult | NotApplicable, trials: RunsAlone
    ) -> TrialResult | NotApplicable:
        """Return a trial, held against its sessions alone if it plays no script.

        Args:
            spec: The trial.
            result: What came of it.
            trials: Runs its sessions alone, if that has not been done; several threads may ask.
        """
        if isinstance(result, NotApplicable) or result.played is None:
            return result
        if result.service is not None:
            return result  # it would have to be alone in real time: the conversations tell
        if not any(each.outcome is Outcome.SUCCEEDED for each in result.samples):
            return result  # without success there is no efficiency
        alone = self._alone(spec, trials).sessions
        return held_against_solo(result, spec.cell.concurrency, alone, spec.only)

    def _alone(self, spec: TrialSpec, trials: RunsAlone) -> Solo:
        workload = workload_of(spec)
        found = self._found[workload]
        with found.lock:
            if found.sessions < min(spec.cell.session_count, MOST_SOLO_SESSIONS):
                sessions = self._sessions(workload, spec.cell.session_count)
                found.solo = self._kept_or_run(spec, workload, sessions, trials)
                found.sessions = sessions
            return found.solo

    def _sessions(self, workload: str, at_least: int) -> int:
        """Return how many sessions run alone: the most, where loads are not known beforehand."""
        most = self._most.get(workload, 0)
        return min(most, MOST_SOLO_SESSIONS) if most >= at_least else MOST_SOLO_SESSIONS

    def _kept_or_run(
        self, spec: TrialSpec, workload: str, sessions: int, trials: RunsAlone
    ) -> Solo:
        solo = self._kept.taken(workload, sessions)
        if solo is None:
            solo = shorter_solo(_form_alone(each, trials) for each in solo_specs(spec, sessions))
            self._kept.keep(workload, sessions, solo)
        return solo


class SoloTrials:
    """Runs trials, and holds those that play no script against their sessions alone.

    Args:
        trials: Runs both; several threads may have one under way each.
        kept: As for ``SoloSessions``.
        specs: Likewise.
    """

    def __init__(
        self, trials: TrialsAlone, kept: KeptSolo | None = None, specs: Iterable[TrialSpec] = ()
    ) -> None:
        self._trials = trials
        self._solo = SoloSessions(kept, specs)

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        """Run one trial; see ``Trials``."""
        return self._solo.held(spec, self._trials.run(spec, then), self._trials)

    def run_together(
        self, specs: Sequence[TrialSpec], at_start: Callable[[], object] = lambda: None
    ) -> tuple[TrialResult | NotApplicable, ...]:
        """Run trials that begin at one moment; see ``TrialProcesses``."""
        found = self._trials.run_together(specs, at_start)
        return tuple(
            self._solo.held(spec, result, self._trials)
            for spec, result in zip(specs, found, strict=True)
        )


def _form_alone(spec: TrialSpec, trials: RunsAlone) -> Solo:
    """Run one form; one that cannot be run alone tells nothing, and nothing of it is kept."""
    try:
        return trials.run_alone(spec)
    except (TargetError, TrialError):
        return Solo()


def workload_of(spec: TrialSpec) -> str:
    """Return what tells the sessions of a cell from those of all others, whoever drives them."""
    cell = spec.cell
    what = (spec.scenario, cell.target, cell.seed)
    return hashlib.sha256(msgspec.json.encode(what, enc_hook=repr, order="sorted")).hexdigest()
