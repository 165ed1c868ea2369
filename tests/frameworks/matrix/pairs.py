"""Is warp as long as wall? Pairs of runs, and when there are enough of them. Pure.

A machine that others use makes a run longer and never shorter; and one in warp more than one in
wall, whose process sleeps most of the time and loses nothing then. Kept from the CPU for 0.28 s, a
run of 2.44 s in warp took 2.60 s. So each clock is asked for its floor, what a run takes that is
held up least: the shortest makespan, if another run comes near to it. The order of the two clocks
turns round from pair to pair.

What is above the floor is told, and decides nothing: where work waits for threads while the event
loop computes, it is chance, on either clock, whether a thread gets the interpreter's lock before
the loop is done, and jobs queue behind it.

Pairs end when the floors agree. That they do not is said after the last pair alone, since either
may still sink.

If a floor was reached but once by then, the pairs themselves are asked: the two runs of one meet
much the same machine, so the ratio of their makespans scatters less than either. Where the interval
of the median ratio lies within the tolerance, warp is as long as wall. It takes no distribution for
granted. It is looked at after each dozen of pairs and not after each pair, since who looks often
enough sees what they look for. It makes no cell fail, as a busy machine makes warp longer than
wall: then the cell is open, and more pairs go on from there, another time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

TOLERANCE = 0.03
NEAR = 0.01
"""How near the two shortest makespans are, as a share, where they are the floor."""

_MISSED = 0.05
"""How often the interval of the median may miss it."""

FEWEST_PAIRS = 4
MOST_PAIRS = 12
"""As many are run at one time."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What pairs of runs say.

    Attributes:
        walls_s: The makespans in wall in seconds, the shortest first.
        warps_s: Those in warp.
        deviations: How far warp is from wall in each pair, the least first: 0.01 is 1 % longer.
    """

    walls_s: tuple[float, ...]
    warps_s: tuple[float, ...]
    deviations: tuple[float, ...]

    @property
    def are_floors(self) -> bool:
        """Whether the shortest makespan on each clock was reached twice."""
        return _is_reached_twice(self.walls_s) and _is_reached_twice(self.warps_s)

    @property
    def deviation(self) -> float:
        """How far warp is from wall: 0.01 is 1 % longer."""
        return self.warps_s[0] / self.walls_s[0] - 1

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between which two the median deviation lies, at 95 %; ``None`` for too few pairs."""
        below = _ranks_below(len(self.deviations))
        return (self.deviations[below - 1], self.deviations[-below]) if below else None

    @property
    def agrees(self) -> bool:
        """Whether warp is as long as wall: by the floors, or by the pairs where there are none."""
        if self.are_floors:
            return abs(self.deviation) <= TOLERANCE
        interval = self.interval
        return interval is not None and -TOLERANCE <= interval[0] <= interval[1] <= TOLERANCE

    @property
    def differs(self) -> bool:
        """Whether warp is not as long as wall, as far as these pairs can tell."""
        return self.are_floors and not self.agrees

    def __str__(self) -> str:
        ranges = f"warp {_range(self.warps_s)}, wall {_range(self.walls_s)}"
        runs = f"{len(self.walls_s)} runs of each"
        interval = self.interval
        if self.are_floors or interval is None:
            return f"{self.deviation:+.1%} ({ranges}, {runs})"
        low, high = interval
        middle = f"{median(self.deviations):+.1%} in the median of the pairs"
        return f"{middle}, at 95 % {low:+.1%} to {high:+.1%} ({ranges}, {runs})"


def compared(pairs: Sequence[tuple[float, float]]) -> Comparison:
    """Return what pairs of makespans say, in wall and in warp, in seconds; at least one."""
    return Comparison(
        walls_s=tuple(sorted(wall_s for wall_s, _ in pairs)),
        warps_s=tuple(sorted(warp_s for _, warp_s in pairs)),
        deviations=tuple(sorted(warp_s / wall_s - 1 for wall_s, warp_s in pairs)),
    )


def is_decided(pairs: Sequence[tuple[float, float]]) -> bool:
    """Return whether another pair has nothing to add."""
    if len(pairs) < FEWEST_PAIRS:
        return False
    found = compared(pairs)
    if found.are_floors:
        return found.agrees or len(pairs) >= MOST_PAIRS
    return found.agrees and len(pairs) % MOST_PAIRS == 0


def _is_reached_twice(ordered_s: Sequence[float]) -> bool:
    return len(ordered_s) > 1 and ordered_s[1] <= (1 + NEAR) * ordered_s[0]


def _ranks_below(count: int) -> int:
    """Return which value from either end bounds the median's interval at 95 %; 0 for none.

    Each value is below the median or above it, as a coin falls.
    """
    rank, share = 0, 0.0
    while True:
        share += comb(count, rank) / 2**count
        if share > _MISSED / 2:
            return rank
        rank += 1


def _range(ordered_s: Sequence[float]) -> str:
    shortest, longest = f"{ordered_s[0]:.3g}", f"{ordered_s[-1]:.3g}"
    return f"{shortest} s" if shortest == longest else f"{shortest} to {longest} s"
