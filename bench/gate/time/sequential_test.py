"""When the time tier has seen enough: looks at the blocks so far, and what each may conclude.

Theory of operation
-------------------
For each cell, claims are tested by the exact test of ``signed_rank``:

- *regressed*: the ratio of CPU times lies above ``1 + margin``, and above whatever the A/A control
  leaves open. Over all cells and all looks together the chance to say so wrongly is at most
  ``ALPHA``. At a look the cells are judged by Holm's procedure (1979).
- *passed*: the ratio lies below ``1 + margin``; *improved*: below ``1 / (1 + margin)``, and below
  whatever the control leaves open. For each cell the chance to say so wrongly is at most
  ``PASSING_ALPHA``. A cell that is decided takes no more blocks.

**The control can always fire first.** The control has one pair a block, as many as a cell, and
nothing is looked at before ``FIRST_LOOK`` pairs, the fewest with which it can fire. That it does
not fire is not enough: a change counts only if it is greater than the side bias that the control's
bounds leave open (``SideBias``). These bounds are infinite while the control has too few pairs, so
no order of looks gives a verdict first. Code that has not changed is called regressed only if its
own bound lies above the bias, or the control's below it; whatever the bias is.

**Nothing is spent twice** (Lan and DeMets 1983). Each error rate is spent by a function of the
information so far, which is the share of ``MOST_BLOCKS``: up to a look, ``sqrt(blocks /
MOST_BLOCKS)`` of it (the power family of Kim and DeMets 1987). A last look, when the most blocks
are measured or the budget ends, may spend all that is left. When the budget ends depends on how
long blocks take, and not on which side of a block was slower, so it tells nothing of the verdict.

Validity is a union bound over the looks. P-values of n blocks are multiples of 2^-n, so a look is
charged with the greatest p-value within its share that can occur; the rest stays for later looks.
If not even the least can occur, the look decides nothing and is charged nothing. Looking twice at
the same blocks is one test at the greater of both levels, and is charged once. What is charged
depends on counts of blocks and cells alone, never on what was measured.

Holm's procedure with cells that drop out is covered: as long as no error was made, all cells
rejected before were rightly rejected, so each true hypothesis faces at most the share of the look
divided by the number of true hypotheses.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...results.verdict import Estimate, Verdict
from ...statistics.signed_rank import (
    attainable,
    bounds,
    chance_of_as_high,
    chance_of_as_low,
    estimate,
    fewest_pairs,
    interval,
)

ALPHA = 0.05
PASSING_ALPHA = 0.05
CONTROL_ALPHA = 0.01

FIRST_LOOK = fewest_pairs(CONTROL_ALPHA)
"""Blocks before which nothing is decided: with fewer pairs the control cannot fire.

Seven flips of a coin come up heads once in 128 times, six once in 64.
"""

LOOKS = (8, 10, 12, 16, 24, 32)
"""Numbers of blocks at which is looked, besides the end of the budget."""

MOST_BLOCKS = max(LOOKS)
_CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class Spending:
    """An error rate, and what looks have spent of it.

    Attributes:
        rate: The error rate.
        spent: What was spent at each number of blocks that was looked at.
    """

    rate: float
    spent: Mapping[int, float] = field(default_factory=dict)

    def available(self, blocks: int, *, is_last: bool) -> float:
        """Return what a look may spend.

        Args:
            blocks: Blocks that it looks at.
            is_last: Whether no look follows.
        """
        allowed = self.rate if is_last else self.rate * math.sqrt(blocks / MOST_BLOCKS)
        elsewhere = math.fsum(spent for count, spent in self.spent.items() if count != blocks)
        return max(0.0, min(allowed, self.rate) - elsewhere)

    def after(self, blocks: int, spent: float) -> "Spending":
        """Return what is left after a look; a second one at the same blocks counts once."""
        return replace(self, spent={**self.spent, blocks: max(spent, self.spent.get(blocks, 0.0))})


@dataclass(frozen=True, slots=True)
class SideBias:
    """What the control leaves open: by how much a side may be slower for no reason in the code.

    Attributes:
        low: Lower bound of the log-ratio.
        high: Upper bound of it.
    """

    low: float
    high: float


@dataclass(slots=True)
class SequentialTest:
    """Decides on cells, look by look.

    Attributes:
        cells: Names of all cells. The error rate is shared among them.
        margin: The least growth that counts.
        decided: The cells that are decided.
        regression: What was spent on claims of a regression, of all cells together.
        passing: What was spent on the other claims, of each cell.
        control: What was spent on bounds of the side bias, of each bound.
    """

    cells: Sequence[str]
    margin: float
    decided: dict[str, Verdict] = field(default_factory=dict)
    regression: Spending = Spending(ALPHA)
    passing: Spending = Spending(PASSING_ALPHA)
    control: Spending = Spending(CONTROL_ALPHA)

    @property
    def open_cells(self) -> list[str]:
        """The cells that are not decided yet."""
        return [name for name in self.cells if name not in self.decided]

    @property
    def _limit(self) -> float:
        return math.log1p(self.margin)

    def look(
        self,
        log_ratios: Mapping[str, Sequence[float]],
        control: Sequence[float],
        *,
        is_last: bool = False,
    ) -> None:
        """Decide what can be decided; nothing if this is no moment to look.

        Args:
            log_ratios: Of each open cell, one a block: ``log(after / before)``.
            control: Those of the base against itself, one a block.
            is_last: Whether no blocks will follow.
        """
        blocks = len(control)
        if blocks < FIRST_LOOK or not (is_last or blocks in LOOKS):
            return
        values = {name: log_ratios[name] for name in self.open_cells}
        bias = self._side_bias(control, is_last=is_last)
        passing = self._passing_level(blocks, is_last=is_last)
        share = self.regression.available(blocks, is_last=is_last)
        if can_regress(blocks, len(self.cells), share):
            spent = max(
                cells * attainable(blocks, share / cells) for cells in range(1, len(self.cells) + 1)
            )
            self.regression = self.regression.after(blocks, spent)
            self._reject(values, max(self._limit, bias.high), share)
        for name in self.open_cells:
            # What is left open at the end passes if at least twice the margin is ruled out.
            limit = math.log1p(2 * self.margin) if is_last else self._limit
            if chance_of_as_low(values[name], limit) <= passing:
                improved = chance_of_as_low(values[name], min(-self._limit, bias.low)) <= passing
                self.decided[name] = Verdict.IMPROVED if improved else Verdict.PASSED

    def bias_in_the_way(self, values: Sequence[float], control: Sequence[float]) -> float | None:
        """Return up to which side bias the control leaves open, if that alone is in the way.

        Args:
            values: Log-ratios of a cell that the last look has left open.
            control: Those of the control.
        """
        share = self.regression.available(len(values), is_last=True)
        high = bounds(control, self.control.available(len(control), is_last=True))[1]
        is_above = chance_of_as_high(values, self._limit) <= share / len(self.cells)
        return high if is_above and high > self._limit else None

    def _side_bias(self, control: Sequence[float], *, is_last: bool) -> SideBias:
        blocks = len(control)
        level = attainable(blocks, self.control.available(blocks, is_last=is_last))
        self.control = self.control.after(blocks, level)
        return SideBias(*bounds(control, level))

    def _passing_level(self, blocks: int, *, is_last: bool) -> float:
        level = attainable(blocks, self.passing.available(blocks, is_last=is_last))
        self.passing = self.passing.after(blocks, level)
        return level

    def _reject(self, values: Mapping[str, Sequence[float]], limit: float, share: float) -> None:
        """Call cells regressed by Holm's procedure: the clearest first, until one is not."""
        chances = {name: chance_of_as_high(each, limit) for name, each in values.items()}
        rejected = sum(verdict is Verdict.REGRESSED for verdict in self.decided.values())
        for name in sorted(chances, key=lambda each: chances[each]):
            if chances[name] > attainable(len(values[name]), share / (len(self.cells) - rejected)):
                break
            self.decided[name] = Verdict.REGRESSED
            rejected += 1


def can_regress(blocks: int, cells: int, share: float = ALPHA) -> bool:
    """Say whether so many blocks can show a regression of one of so many cells.

    Args:
        blocks: Blocks that were measured.
        cells: Cells that are judged together.
        share: What may be spent of the error rate.
    """
    return blocks >= FIRST_LOOK and share > 0 and attainable(blocks, share / cells) > 0


def fewest_blocks(cells: int) -> int:
    """Return with how many blocks a regression of one of so many cells can be shown at the end."""
    return max(FIRST_LOOK, fewest_pairs(ALPHA / cells))


def control_differs(log_ratios: Sequence[float]) -> bool:
    """Say whether the same code, measured against itself, differs: the A/A control has fired.

    It is asked once, when the measuring has ended. Over both sides its level is ``CONTROL_ALPHA``,
    or with so few pairs that this cannot be, the least that they can have.
    """
    if len(log_ratios) < FIRST_LOOK:
        return False
    chance = min(chance_of_as_high(log_ratios), chance_of_as_low(log_ratios))
    return chance <= max(CONTROL_ALPHA / 2, 2.0 ** -len(log_ratios))


def estimate_of(values: Sequence[float]) -> Estimate:
    """Return how much a cell has changed, as far as its blocks can tell."""
    low, high = interval(values, _CONFIDENCE)
    return Estimate(
        math.exp(estimate(values)),
        None if math.isinf(low) else math.exp(low),
        None if math.isinf(high) else math.exp(high),
        len(values),
    )
