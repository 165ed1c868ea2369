"""How many trials a cell gets: a fixed number, or more while its figure is uncertain. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from .intervals import interval_of

NARROW = 0.02
"""Half the width of an interval, as a share of the figure, from which on it is narrow enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How many trials each cell of a run gets.

    Attributes:
        trials: That many, or with a budget at least.
        budget_s: Real seconds from the run's begin; until they are used up, cells whose interval
            is not yet narrow get further trials. ``None`` for no further trials.
    """

    trials: int
    budget_s: float | None = None

    def wants(self, scores: Sequence[float]) -> bool:
        """Say whether a cell is to have another trial, if there is time.

        Args:
            scores: What each of its trials so far is ranked by, as a run ranks its cells.
        """
        if len(scores) < self.trials:
            return True
        if self.budget_s is None:
            return False
        interval = interval_of(scores)
        if interval is None:  # too few trials, or one that carried nothing: no more will tell
            return len(scores) == 1
        return interval.half_width > NARROW

    def is_in_time(self, spent_s: float, trials_done: int) -> bool:
        """Say whether a further trial fits into the budget, if it takes as long as the others.

        Args:
            spent_s: Real seconds since the run's begin.
            trials_done: Trials of all cells since then, at least one.
        """
        return self.budget_s is not None and spent_s * (1 + 1 / trials_done) <= self.budget_s

    def expected(self, cells: int, spent_s: float, trials_done: int) -> int:
        """Return how many trials a run is likely to take in all."""
        fixed = cells * self.trials
        if self.budget_s is None or trials_done == 0 or spent_s <= 0:
            return fixed
        return max(fixed, int(self.budget_s / spent_s * trials_done))
