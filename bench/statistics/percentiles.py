"""Percentiles by nearest rank, and how many samples each takes. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from statistics import fmean
from types import MappingProxyType
from typing import Any

from ..results.records import PERCENT, LatencySummary, RateSummary

_ALL = 100


def _percentiles_of(summary: type[Any]) -> Mapping[str, float]:
    return MappingProxyType(
        {part.name: part.metadata[PERCENT] for part in fields(summary) if PERCENT in part.metadata}
    )


PERCENTILES: Mapping[str, float] = _percentiles_of(LatencySummary)
"""The percentiles that a ``LatencySummary`` has, by the name of the field, in ascending order."""

RATE_PERCENTILES: Mapping[str, float] = _percentiles_of(RateSummary)
"""Those that a ``RateSummary`` has, in descending order."""


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """Return a percentile by nearest rank, or ``None`` if the samples cannot carry it.

    The p-th percentile separates the top ``100 - p`` percent, so it takes ``100 / (100 - p)``
    samples for one of them to lie there: 100 for p99, 10 for p90. The median of one sample
    is that sample.

    Args:
        ordered: The samples, ascending.
        percent: Above 0 and below 100.
    """
    if len(ordered) < samples_for(percent):
        return None
    return ordered[nearest_rank(len(ordered), percent)]


def samples_for(percent: float) -> int:
    """Return how many samples a percentile takes at least; see ``percentile``."""
    if percent <= 50:  # noqa: PLR2004 - up to the median one will do
        return 1
    # In whole numbers: 100 / (100 - 99.9) would miss its 1,000 by a rounding error.
    return math.ceil(round(_ALL / (_ALL - percent), 6))


def nearest_rank(count: int, percent: float) -> int:
    """Return the place of a percentile among so many samples in ascending order, from 0 on."""
    return max(0, math.ceil(round(percent * count / _ALL, 6)) - 1)


def summarise(lengths_s: Iterable[float]) -> LatencySummary:
    """Return the percentiles of times in seconds, given in any order."""
    ordered = sorted(lengths_s)
    if not ordered:
        return LatencySummary()
    return LatencySummary(
        **{name: percentile(ordered, percent) for name, percent in PERCENTILES.items()},
        max=ordered[-1],
        mean=fmean(ordered),
    )
