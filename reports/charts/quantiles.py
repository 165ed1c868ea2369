"""The points of a cell's latency distribution that its sessions suffice for."""

from collections.abc import Iterator

from ...bench.results.records import CellResult
from ...bench.statistics.percentiles import percentile, samples_for
from ...mocks.clock import seconds
from ..comparison.ranking import ComparisonGroup
from .latency import cells_with_latency

_BEYOND = (99.5, 99.9, 99.95, 99.99, 99.999)
MAXIMUM = 100.0


def cells_with_quantiles(group: ComparisonGroup, load: int) -> tuple[CellResult, ...]:
    """Return the cells that have a distribution at a concurrency, in the run's order."""
    return tuple(
        cell for cell in cells_with_latency(group, load) if len(cell.latency_quantiles_s) > 1
    )


def quantiles(cell: CellResult) -> Iterator[tuple[float, float]]:
    """Yield percentages and latencies in seconds; the last is the maximum, ``MAXIMUM``."""
    for percent, latency_s in enumerate(cell.latency_quantiles_s[:-1]):
        if cell.sessions.started >= samples_for(percent):
            yield float(percent), latency_s
    pooled_ns = sorted(ns for trial in cell.trial_figures for ns in trial.latency_ns)
    for share in _BEYOND:
        latency_ns = percentile(pooled_ns, share)
        if latency_ns is not None:
            yield share, seconds(round(latency_ns))
    if cell.latency_quantiles_s:
        yield MAXIMUM, cell.latency_quantiles_s[-1]
