"""When the time tier has seen enough: looks at fixed block counts, each with its share of error.

For each cell two claims are tested, by the exact test of ``signed_rank``:

- *regressed*: the ratio of CPU times lies above ``1 + margin``. Over all cells and all looks
  together the chance to say so wrongly is at most ``ALPHA``: each look spends a fixed share
  of it (the shares add up to 1), and at a look the cells are judged by Holm's procedure. This
  bound holds for a cell that lies *on* the margin. One whose code has not changed lies a
  margin away from it, and its chance is far smaller.
- *passed*: the ratio lies below ``1 + margin``. A cell that is decided takes no more blocks.

At the end of the budget an undecided cell has passed if growth of twice the margin is ruled
out; otherwise nothing is known, and it is inconclusive.

Validity of the looks is a union bound; of Holm's procedure with cells that drop out, too: as
long as no error was made, all cells rejected before were rightly rejected, so each true
hypothesis faces at most ``share * ALPHA / (number of true hypotheses)``.
"""

import math
from collections.abc import Mapping, Sequence

from ...results.verdict import Estimate, Verdict
from ...statistics.signed_rank import chance_of_as_high, chance_of_as_low, estimate, interval

ALPHA = 0.05
LOOKS = {6: 0.32, 8: 0.32, 12: 0.2, 16: 0.08, 24: 0.04, 32: 0.04}
"""Blocks at which is looked, and the share of ``ALPHA`` that is spent there.

Six flips of a coin come up the same once in 64 times, so before six blocks nothing can
be decided; the shares let one cell be decided at six, and four cells at eight.
"""

MOST_BLOCKS = max(LOOKS)
CONTROL_ALPHA = 0.01
_CONFIDENCE = 1 - 2 * ALPHA  # each of its ends is what a one-sided test at ALPHA gives


def decide(
    log_ratios: Mapping[str, Sequence[float]],
    decided: Mapping[str, Verdict],
    margin: float,
) -> dict[str, Verdict]:
    """Return the cells on which a look decides.

    Args:
        log_ratios: Of each cell, one a block: ``log(after / before)``.
        decided: What earlier looks have decided.
        margin: The least growth that counts.

    Returns:
        Verdicts for cells that were open; nothing if this is no moment to look.
    """
    found: dict[str, Verdict] = {}
    undecided = {name: values for name, values in log_ratios.items() if name not in decided}
    if not undecided:
        return found
    share = LOOKS.get(max(map(len, undecided.values())), 0.0)
    if share == 0.0:
        return found
    limit = math.log1p(margin)
    rejected = sum(decision is Verdict.REGRESSED for decision in decided.values())
    chances = {name: chance_of_as_high(values, limit) for name, values in undecided.items()}
    for name in sorted(chances, key=lambda each: chances[each]):
        if chances[name] > share * ALPHA / (len(log_ratios) - rejected):
            break
        found[name] = Verdict.REGRESSED
        rejected += 1
    for name, values in undecided.items():
        if name not in found and chance_of_as_low(values, limit) <= share * ALPHA:
            found[name] = _passed_or_improved(values, margin)
    return found


def conclude(values: Sequence[float], margin: float) -> Verdict:
    """Decide on a cell for which there is no time left."""
    if values and chance_of_as_low(values, math.log1p(2 * margin)) <= ALPHA:
        return _passed_or_improved(values, margin)
    return Verdict.INCONCLUSIVE


def control_differs(log_ratios: Sequence[float]) -> bool:
    """Say whether the same code, measured against itself, differs: the A/A control."""
    if not log_ratios:
        return False
    chance = min(chance_of_as_high(log_ratios), chance_of_as_low(log_ratios))
    return 2 * chance <= CONTROL_ALPHA


def estimate_of(values: Sequence[float]) -> Estimate:
    """Return how much a cell has changed, as far as its blocks can tell."""
    low, high = interval(values, _CONFIDENCE)
    return Estimate(
        math.exp(estimate(values)),
        None if math.isinf(low) else math.exp(low),
        None if math.isinf(high) else math.exp(high),
        len(values),
    )


def _passed_or_improved(values: Sequence[float], margin: float) -> Verdict:
    improved = chance_of_as_low(values, -math.log1p(margin)) <= ALPHA / len(LOOKS)
    return Verdict.IMPROVED if improved else Verdict.PASSED
