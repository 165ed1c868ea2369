"""How throughput grows with load: the Universal Scalability Law, and its knee. Pure.

Gunther's law (2007) is X(N) = a·N / (1 + b·(N - 1) + c·N·(N - 1)): a is what one session at a time
carries, b the share that takes turns (contention), c what each pays for each other (coherency).
What it gives is *fitted*; the best load is *measured*, and called so.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ..results.records import CellResult, Status

FEWEST_LOADS = 4
"""Loads that a fit takes at least: three parameters, and one more to show the error."""

_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingLaw:
    """The law fitted to one strategy on one loop.

    Attributes:
        one_per_s: Sessions a second with one at a time.
        contention: Share that takes turns, 0 to 1.
        coherency: What each pays for each other, from 0 on.
        error: Root of the mean squared relative residual.
    """

    one_per_s: float
    contention: float
    coherency: float
    error: float

    def throughput_per_s(self, load: float) -> float:
        """Return the throughput at a load."""
        among_others = self.contention * (load - 1) + self.coherency * load * (load - 1)
        return self.one_per_s * load / (1 + among_others)

    @property
    def knee(self) -> float | None:
        """The load with the greatest throughput; ``None`` if it grows for ever."""
        if self.coherency <= _NEGLIGIBLE:
            return None
        return max(1.0, math.sqrt((1 - self.contention) / self.coherency))

    @property
    def saturation_per_s(self) -> float | None:
        """The greatest throughput; ``None`` if there is no end to it."""
        if self.knee is not None:
            return self.throughput_per_s(self.knee)
        return self.one_per_s / self.contention if self.contention > _NEGLIGIBLE else None


def fit(points: Iterable[tuple[int, float]]) -> ScalingLaw | None:
    """Fit the law by least squares of relative residuals, with bounds.

    Args:
        points: Load and throughput a second of each measured cell.

    Returns:
        The law; ``None`` for fewer than four loads with a throughput above 0.
    """
    carried = tuple(sorted((load, per_s) for load, per_s in points if per_s > 0))
    return _fit(carried) if len({load for load, _ in carried}) >= FEWEST_LOADS else None


@lru_cache(maxsize=1024)
def _fit(carried: tuple[tuple[int, float], ...]) -> ScalingLaw:
    # It takes half a second to import, which only who has a sweep has to pay.
    from scipy.optimize import least_squares  # noqa: PLC0415

    first_per_s = carried[0][1] / carried[0][0]

    def law(parameters: Sequence[float]) -> ScalingLaw:
        scale, contention, root = parameters
        return ScalingLaw(
            one_per_s=first_per_s * scale,
            contention=float(contention),
            # Of the root: it lies between 1e-9 and 1, and a step must fit all of that.
            coherency=float(root) ** 2,
            error=0.0,
        )

    def residuals(parameters: Sequence[float]) -> list[float]:
        fitted = law(parameters)
        return [fitted.throughput_per_s(load) / per_s - 1 for load, per_s in carried]

    best = min(
        (
            least_squares(
                residuals,
                (1.0, contention, root),
                bounds=([1e-3, 0.0, 0.0], [1e3, 1.0, 1.0]),
                xtol=1e-12,
                ftol=1e-12,
                gtol=1e-12,
            )
            for contention in (0.001, 0.1)
            for root in (0.0003, 0.01, 0.1)
        ),
        key=lambda result: float(result.cost),
    )
    fitted = law(best.x)
    error = math.sqrt(sum(residual**2 for residual in residuals(best.x)) / len(carried))
    return replace(fitted, error=error)


def law_of(cells: Iterable[CellResult]) -> ScalingLaw | None:
    """Fit the law to the cells of one strategy on one loop, at several loads."""
    return fit(
        (result.cell.concurrency, result.throughput_per_s)
        for result in cells
        if result.status is Status.MEASURED and result.throughput_per_s is not None
    )
