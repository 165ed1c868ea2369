"""What a cell and its trials are ranked by: the rule that all rankings share. Pure.

That is throughput; in an open loop, where throughput is what arrives, one over a percentile of
latency: p99, or p50 where a trial has too few sessions for that.
"""

from collections.abc import Sequence

from ...mocks.clock import seconds
from ..results.records import CellResult
from ..results.samples import Outcome
from ..results.trial_result import TrialResult
from .percentiles import PERCENTILES, percentile, samples_for

_FEW, _MANY = "p50", "p99"


def throughput_per_s(trial: TrialResult) -> float:
    """Return the sessions that succeeded per second of makespan."""
    succeeded = sum(sample.outcome is Outcome.SUCCEEDED for sample in trial.samples)
    return succeeded / seconds(trial.makespan_ns) if trial.makespan_ns > 0 else 0.0


def throughputs_per_s(result: CellResult) -> tuple[float, ...]:
    """Return the throughput of each trial of a cell, in sessions a second."""
    return tuple(trial.throughput_per_s for trial in result.trial_figures)


def latencies_s(result: CellResult, figure: str) -> tuple[float, ...]:
    """Return a percentile of each trial's latencies, in seconds.

    Args:
        result: The cell.
        figure: The percentile, as ``LatencySummary`` names it; trials without it are left out.
    """
    found = (_latency_s(trial.latency_ns, figure) for trial in result.trial_figures)
    return tuple(latency_s for latency_s in found if latency_s)


def judged_by(result: CellResult) -> str | None:
    """Return the percentile of latency that a cell is ranked by; ``None`` for throughput."""
    if not result.cell.is_open_loop:
        return None
    counts = [len(trial.latency_ns) for trial in result.trial_figures]
    return _judging(min(counts, default=result.cell.session_count))


def score_of(result: CellResult) -> float:
    """Return what a cell is ranked by, the greater the better; 0 if it is worth nothing."""
    figure = judged_by(result)
    if figure is None:
        return result.achieved_per_s
    return _score(result.achieved_per_s, getattr(result.latency_s, figure))


def scores_of(result: CellResult) -> tuple[float, ...]:
    """Return the same for each of its trials."""
    figure = judged_by(result)
    if figure is None:
        return throughputs_per_s(result)
    return tuple(
        _score(trial.throughput_per_s, _latency_s(trial.latency_ns, figure))
        for trial in result.trial_figures
    )


def score_of_trial(trial: TrialResult) -> float:
    """Return the same for a trial whose cell has no result yet."""
    achieved_per_s = throughput_per_s(trial)
    if all(sample.intended_ns is None for sample in trial.samples):
        return achieved_per_s
    latency_ns = [sample.latency_ns for sample in trial.samples]
    return _score(achieved_per_s, _latency_s(latency_ns, _judging(len(latency_ns))))


def _judging(sessions: int) -> str:
    return _MANY if sessions >= samples_for(PERCENTILES[_MANY]) else _FEW


def _score(achieved_per_s: float, latency_s: float | None) -> float:
    return 1 / latency_s if latency_s and achieved_per_s > 0 else 0.0


def _latency_s(latency_ns: Sequence[int], figure: str) -> float | None:
    found_ns = percentile(sorted(latency_ns), PERCENTILES[figure])
    return None if found_ns is None else seconds(round(found_ns))
