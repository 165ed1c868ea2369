"""How a figure of a cell moved over runs, and where it changed. Pure.

Change points are found by ruptures: PELT (Killick, Fearnhead and Eckley 2012) with a cost on
ranks, so that neither the unit of a figure nor a single wild run matters. The penalty, three
times the logarithm of the number of runs, was set by trial: over 200 series of 30 runs of
noise alone, 0.5 % of normal and 1.5 % of heavy-tailed ones showed a change that was none;
a step of 2.5 standard deviations in the middle was found in 93 %.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ..results.records import Run, Status
from .figures import FIGURES

_PENALTY = 3.0
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Point:
    """A figure in one run.

    Attributes:
        created_at: When the run was made.
        commit: Of which commit, if that is known.
        value: The figure.
    """

    created_at: str
    commit: str | None
    value: float


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where a figure moved to another level, and stayed.

    Attributes:
        index: The first point of the new level.
        before: Median of the level before.
        after: Median of the new one.
    """

    index: int
    before: float
    after: float

    @property
    def growth(self) -> float:
        """By which fraction it grew."""
        return self.after / self.before - 1 if self.before else math.inf


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure of a cell over runs, the oldest first."""

    cell: str
    metric: str
    points: tuple[Point, ...]
    changes: tuple[ChangePoint, ...]


def trends(runs: Iterable[Run], metric: str) -> tuple[Trend, ...]:
    """Return the trend of each cell that has the figure.

    Args:
        runs: The runs, the oldest first.
        metric: The name of one of ``FIGURES``.
    """
    figure = FIGURES[metric]
    points: dict[str, list[Point]] = {}
    for run in runs:
        for result in run.cells:
            value = figure.of(result) if result.status is Status.MEASURED else None
            if value is not None:
                point = Point(run.created_at, run.environment.commit, value)
                points.setdefault(result.cell.full_name, []).append(point)
    return tuple(
        Trend(name, metric, tuple(each), change_points([point.value for point in each]))
        for name, each in sorted(points.items())
    )


def change_points(values: Sequence[float]) -> tuple[ChangePoint, ...]:
    """Return where a series moves to another level; it takes three runs to make a level."""
    if len(values) < 2 * _SHORTEST or len(set(values)) == 1:
        return ()
    # Half a second to import; most commands never ask.
    import numpy  # noqa: PLC0415
    from ruptures import Pelt  # noqa: PLC0415

    series = numpy.asarray(values, dtype=float).reshape(-1, 1)
    found = Pelt(model="rank", min_size=_SHORTEST, jump=1).fit(series)
    ends = [0, *found.predict(pen=_PENALTY * math.log(len(values)))]
    levels = [median(values[start:end]) for start, end in pairwise(ends)]
    return tuple(
        ChangePoint(ends[number], levels[number - 1], levels[number])
        for number in range(1, len(levels))
    )
