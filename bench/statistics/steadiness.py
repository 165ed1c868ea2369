"""Whether a run was steady: within its trials, and from one trial to the next. Pure.

A figure of a trial says what will happen in an hour only if its second half was like its first.
Each session is held against its own critical path, since sessions wait for different lengths.
The first wave of a closed loop begins all at once, and the last one has fewer and fewer beside it:
neither is a steady state, and both are left out.
"""

from collections.abc import Sequence
from statistics import median

from ..results.records import CellResult
from ..results.trial_result import TrialResult

CHANGE_WORTH_REPORTING = 0.05
"""By how much the second half differs, at least, before anybody needs to know."""

_SURE = 0.001
_FEWEST_SESSIONS = 20
_FEWEST_CELLS = 8
_SURE_OF_TREND = 0.01


def drift_within(trials: Sequence[TrialResult], concurrency: int) -> float | None:
    """Return how much longer sessions took in the second half of the trials than in the first.

    Args:
        trials: The trials of a cell.
        concurrency: Sessions at once: as many are left out at either end; 0 in an open loop.

    Returns:
        The median of the second half over that of the first, less 1; ``None`` where the halves
        do not differ beyond chance (Mann and Whitney's test, 0.1 %) or are too small.
    """
    first: list[float] = []
    second: list[float] = []
    for trial in trials:
        segments = _segments(trial)
        segments = segments[concurrency : len(segments) - concurrency]
        half = len(segments) // 2
        first += segments[:half]
        second += segments[half:]
    if min(len(first), len(second)) < _FEWEST_SESSIONS or median(first) <= 0:
        return None
    # It takes half a second to import, which only who measures has to pay.
    from scipy.stats import mannwhitneyu  # noqa: PLC0415

    if len(set(first) | set(second)) == 1 or mannwhitneyu(first, second).pvalue > _SURE:
        return None
    return median(second) / median(first) - 1


def trend_over(cells: Sequence[CellResult]) -> float | None:
    """Return by how much throughput changed from the first trial to the last, over all cells.

    Cells take turns, so a machine that becomes slower slows down the last trial of each.

    Args:
        cells: Measured cells.

    Returns:
        The median over the cells of last over first, less 1; ``None`` where as many cells may
        have become slower as faster by chance (exact sign test, 1 %), or there are too few.
    """
    ends = [
        (cell.trial_figures[0].throughput_per_s, cell.trial_figures[-1].throughput_per_s)
        for cell in cells
        if len(cell.trial_figures) > 1
    ]
    changes = [last / first - 1 for first, last in ends if first > 0 and last != first]
    if len(changes) < _FEWEST_CELLS:
        return None
    slower = sum(change < 0 for change in changes)
    # As above: a run that has measured drift has it imported already.
    from scipy.stats import binomtest  # noqa: PLC0415

    return median(changes) if binomtest(slower, len(changes)).pvalue <= _SURE_OF_TREND else None


def _segments(trial: TrialResult) -> list[float]:
    """Return each session's latency over its critical path, in the order of their begins."""
    in_order = sorted(trial.samples, key=lambda sample: (sample.start_ns, sample.session))
    ideals_ns = trial.ideal_latencies_ns
    return [
        sample.latency_ns / ideals_ns[sample.session]
        for sample in in_order
        if sample.session < len(ideals_ns) and ideals_ns[sample.session] > 0
    ]
