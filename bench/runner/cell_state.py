"""A cell under way: its trials so far, and what they say."""

from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...mocks.errors import TrialError
from ...mocks.redaction import redact
from ..results.records import CellResult, Status, TrialFigures
from ..results.trial_file import CellKey, KeptTrials
from ..results.trial_result import TrialResult
from ..statistics.ranking import score_of_trial
from ..statistics.standing import competes_with, undecided
from ..statistics.stopping import Sampling
from ..statistics.summary import cell_result, trial_figures, without_result
from ..trial.spec import NotApplicable, TrialSpec
from .plan import key_of

TrialOutcome = TrialResult | NotApplicable | TrialError
"""What comes of a trial: what it measured, why it does not apply, or what it failed of."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A trial that has ended, in which turn it was run, and its figures."""

    turn: int
    trial: TrialResult
    figures: TrialFigures


class CellState:
    """A cell and its trials so far.

    Attributes:
        spec: The cell.
        wants_more: Whether it is to have another trial, if there is time.
        result: What there is to say of it, once it has as many trials as it needs at least.

    Args:
        spec: The cell.
        sampling: How many trials it gets.
        secrets: What no text may show.
        kept: Where its trials are kept as they end.
    """

    def __init__(
        self,
        spec: TrialSpec,
        sampling: Sampling,
        secrets: tuple[str, ...],
        kept: KeptTrials,
    ) -> None:
        self.spec = spec
        self.wants_more = True
        self.result: CellResult | None = None
        self._sampling = sampling
        self._secrets = secrets
        self._kept = kept
        self._key: CellKey = key_of(spec)
        self._trials: list[_Kept] = []
        self._so_far: tuple[int, CellResult] | None = None

    def take_kept(self) -> CellResult | None:
        """Take the trials that an earlier start of the run kept; return the cell's result."""
        for turn, trial in enumerate(self._kept.taken(self._key)):
            self._add(_Kept(turn, trial, trial_figures(trial)))
        return self._settled()

    def take(self, outcome: TrialOutcome, turn: int | None = None) -> CellResult | None:
        """Take what came of one more trial; return the cell's result, or a better one.

        Args:
            outcome: What came of it.
            turn: The turn in which it was run, if another one may have ended before; trials of one
                turn are compared with each other.

        Returns:
            The result; ``None`` while the cell has too few trials for one.
        """
        if isinstance(outcome, TrialResult):
            figures = trial_figures(outcome)
            # By the order of their ends: no number is missing when the run is resumed.
            self._kept.keep(self._key, len(self._trials), outcome, figures)
            self._add(_Kept(len(self._trials) if turn is None else turn, outcome, figures))
            return self._settled()
        status, reason = (
            (Status.NOT_APPLICABLE, outcome.reason)
            if isinstance(outcome, NotApplicable)
            else (Status.FAILED, str(outcome))
        )
        self.wants_more = False
        self.result = without_result(self.spec.cell, status, redact(reason, self._secrets))
        return self.result

    def _add(self, trial: _Kept) -> None:
        turns = [each.turn for each in self._trials]
        self._trials.insert(bisect(turns, trial.turn), trial)
        scores = [score_of_trial(each.trial) for each in self._trials]
        self.wants_more = not self.has_come_to_nothing and self._sampling.wants(scores)

    @property
    def has_come_to_nothing(self) -> bool:
        """Whether one of its trials failed, or does not apply."""
        return self.result is not None and self.result.status is not Status.MEASURED

    def _settled(self) -> CellResult | None:
        if self.wants_more and self.trial_count < self.fewest_trials:
            return None
        self.settle()
        return self.result

    def settled_early(self) -> CellResult | None:
        """Return the result of a cell for whose other trials there was no time, if it is one."""
        if self.result is not None:
            return None
        self.settle()
        return self.result

    def settle(self) -> None:
        """Make a result of the trials that there are, if any."""
        if self._trials and not self.has_come_to_nothing:
            self.result = self.so_far()

    @property
    def fewest_trials(self) -> int:
        """How many trials it gets, unless it is certain before."""
        return self._sampling.trials

    @property
    def has_room(self) -> bool:
        """Whether it may have another trial."""
        return self._sampling.has_room(self.trial_count)

    @property
    def expected_trials(self) -> int:
        """How many trials it gets, as far as is known."""
        return self.fewest_trials if self.wants_more else self.trial_count

    def is_due(self, turn: int) -> bool:
        """Say whether it gets a trial in a turn."""
        return self.wants_more and self.trial_count <= turn < self.fewest_trials

    @property
    def trial_count(self) -> int:
        """How many of its trials came to something."""
        return len(self._trials)

    def so_far(self) -> CellResult:
        """Return what its trials say so far, of which there is one at least."""
        # Asked for twice after a cell's last trial; with many sessions it takes a while.
        if self._so_far is not None and self._so_far[0] == len(self._trials):
            return self._so_far[1]
        trials = [each.trial for each in self._trials]
        result = cell_result(self.spec.cell, trials, [each.figures for each in self._trials])
        if result.error is not None:
            result = replace(result, error=redact(result.error, self._secrets))
        self._so_far = len(self._trials), result
        return result


def wanting_more(states: Sequence[CellState]) -> list[CellState]:
    """Return the cells that can't be ranked yet; else those whose figure is uncertain."""
    contests: defaultdict[tuple[object, ...], list[CellResult]] = defaultdict(list)
    for state in states:
        if state.result is not None:
            contests[competes_with(state.result)].append(state.result)
    open_ones = {id(result) for each in contests.values() for result in undecided(each)}
    undecided_ones = [state for state in states if state.has_room and id(state.result) in open_ones]
    return undecided_ones or [state for state in states if state.wants_more]
