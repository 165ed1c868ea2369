"""How many trials a cell gets: a fixed number, or more while its figure is uncertain. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

from ..results.cell import Cell
from .intervals import FEWEST_FOR_BOOTSTRAP, interval_of, student_reach

NARROW = 0.02
"""Half the width of an interval, as a share of the figure, from which on it is narrow enough."""

CERTAIN = 0.005
"""Half such a width, as a share of the figure, from which on a cell is certain: no more trials."""

USUAL_TRIALS = 3
"""Trials of a cell, if each of them has all the sessions of its scenario."""

MOST_USUAL_TRIALS = 8
"""Trials of a cell at most, unless a number of them or a budget is asked for."""

USUAL_BUDGET_S = 20.0
"""Real seconds that the trials of a run may take before those that only narrow an interval end.

The default run of 24 cells is over in half a minute with it, its start and its page included:
on a slow machine its cells get fewer trials, and have wider intervals.
"""

_TRIALS_BY_STUDENT = range(USUAL_TRIALS, FEWEST_FOR_BOOTSTRAP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How many trials each cell of a run gets.

    Attributes:
        trials: That many, or with a budget at least.
        budget_s: Real seconds from the run's begin; until they are used up, cells whose interval
            is not yet narrow get further trials. ``None`` for no further trials.
        most: Trials of a cell at most, however wide its interval; ``None`` for no end but the
            budget's.
        trials_by_cell: What takes the place of ``trials`` for some cells.
        certain: Half the width of an interval, as a share of the figure, from which on a cell
            gets no more; ``None`` if all get ``trials`` in any case.
        least: Trials of a cell whatever they take; the others of its ``trials`` it gets while there
            is time. ``None`` if it gets all of them whatever they take.
    """

    trials: int
    budget_s: float | None = None
    most: int | None = None
    trials_by_cell: Mapping[Cell, int] = field(default_factory=dict, hash=False)
    certain: float | None = None
    least: int | None = None

    def of_cell(self, cell: Cell) -> "Sampling":
        """Return how many trials a cell gets, as ``trials`` says it."""
        return replace(self, trials=self.trials_by_cell.get(cell, self.trials), trials_by_cell={})

    def wants(self, scores: Sequence[float]) -> bool:
        """Say whether a cell is to have another trial, if there is time.

        Args:
            scores: What each of its trials so far is ranked by, as a run ranks its cells.
        """
        if len(scores) < self.trials:
            return not self._is_certain(scores)
        if self.budget_s is None or not self.has_room(len(scores)):
            return False
        interval = interval_of(scores)
        if interval is None:  # too few trials, or one that carried nothing: no more will tell
            return len(scores) == 1
        return interval.half_width > NARROW

    def has_room(self, trials: int) -> bool:
        """Say whether a cell of so many trials may have another one."""
        return self.most is None or trials < self.most

    def _is_certain(self, scores: Sequence[float]) -> bool:
        if self.certain is None:
            return False
        interval = interval_of(scores)
        return interval is not None and interval.half_width <= self.certain

    def has_time(self, turn: int, spent_s: float, trials_done: int) -> bool:
        """Say whether one of a cell's ``trials`` may begin.

        Args:
            turn: How many trials the cell has had.
            spent_s: As for ``is_in_time``.
            trials_done: As for ``is_in_time``.
        """
        if self.budget_s is None or self.least is None or turn < self.least:
            return True
        return self.is_in_time(spent_s, trials_done)

    def is_in_time(self, spent_s: float, trials_done: int) -> bool:
        """Say whether a further trial fits into the budget, if it takes as long as the others.

        Args:
            spent_s: Real seconds since the run's begin.
            trials_done: Trials of all cells since then; none if all were taken from files.
        """
        if self.budget_s is None:
            return False
        return spent_s + spent_s / max(1, trials_done) <= self.budget_s

    def expected(self, least: int, spent_s: float, trials_done: int) -> int:
        """Return how many trials a run is likely to take in all.

        Args:
            least: Trials that all cells get in any case.
            spent_s: As for ``is_in_time``.
            trials_done: As for ``is_in_time``.
        """
        if self.budget_s is None or trials_done == 0 or spent_s <= 0:
            return least
        if self.most is not None:
            return max(least, trials_done + 1)
        return max(least, int(self.budget_s / spent_s * trials_done))


def trials_for(share: float) -> int:
    """Return the fewest trials that say as much as ``USUAL_TRIALS`` with all sessions.

    The interval of a few trials is Student's: three reach 2.48 standard deviations to either
    side, four 1.59, five 1.24. So five trials with a quarter of the sessions, whose figures
    scatter twice as much, have the interval of three with all of them.

    Args:
        share: Which share of the sessions each trial has, above 0 and up to 1.
    """
    wanted = student_reach(USUAL_TRIALS) * sqrt(share)
    return next(
        (count for count in _TRIALS_BY_STUDENT if student_reach(count) <= wanted),
        _TRIALS_BY_STUDENT[-1],
    )
