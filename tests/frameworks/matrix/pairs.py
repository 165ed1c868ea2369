"""Is warp as long as wall? Pairs of runs, and when there are enough of them. Pure.

A machine that others use makes a run longer and never shorter; and one in warp more than one in
wall, whose process sleeps most of the time and loses nothing then. Kept from the CPU for 0.28 s, a
run of 2.44 s in warp took 2.60 s. So each clock is asked for its floor, what a run takes that is
held up least: the shortest makespan, if another run comes near to it. The order of the two clocks
turns round from pair to pair.

An error that some runs have and others have not leaves the floor as it is. So what a run in warp
takes more than the floor on its clock it must have taken more in real time, too. It has not, if a
wait is charged twice.

Pairs end when the floors agree. That they do not is said after the last pair alone, since either
may still sink; and if one was reached but once by then, the cell is open: noise makes none fail.
More pairs go on from there, another time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

TOLERANCE = 0.03
NEAR = 0.01
"""How near the two shortest makespans are, as a share, where they are the floor."""

FEWEST_PAIRS = 4
MOST_PAIRS = 12
"""As many are run at one time."""


@dataclass(frozen=True, slots=True)
class Timed:
    """How long a run was.

    Attributes:
        makespan_s: On its clock.
        elapsed_s: In real time.
    """

    makespan_s: float
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What pairs of runs say.

    Attributes:
        wall_s: The shortest makespan in wall.
        warp_s: That in warp.
        pairs: How many pairs there were.
        are_floors: Whether each was reached twice.
        unaccounted_s: What a run in warp took more than the shortest, and not in real time; 0 if
            that is within the tolerance.
    """

    wall_s: float
    warp_s: float
    pairs: int
    are_floors: bool
    unaccounted_s: float = 0.0

    @property
    def deviation(self) -> float:
        """How far warp is from wall: 0.01 is 1 % longer."""
        return self.warp_s / self.wall_s - 1

    @property
    def agrees(self) -> bool:
        """Whether warp is as long as wall."""
        near = abs(self.deviation) <= TOLERANCE
        return self.are_floors and near and not self.unaccounted_s

    @property
    def differs(self) -> bool:
        """Whether warp is not as long as wall, as far as these pairs can tell."""
        return self.are_floors and not self.agrees

    def __str__(self) -> str:
        text = (
            f"{self.deviation:+.1%} (warp {self.warp_s:.3g} s, wall {self.wall_s:.3g} s, the "
            f"shortest of {self.pairs})"
        )
        if not self.unaccounted_s:
            return text
        return f"{text}; one took {self.unaccounted_s:.2g} s more, not in real time"


def compared(pairs: Sequence[tuple[Timed, Timed]]) -> Comparison:
    """Return what pairs of runs say, in wall and in warp; at least one."""
    walls_s = sorted(wall.makespan_s for wall, _ in pairs)
    warps_s = sorted(warp.makespan_s for _, warp in pairs)
    shortest = min((warp for _, warp in pairs), key=lambda warp: warp.makespan_s)
    more_s = max(
        warp.makespan_s - shortest.makespan_s - max(0.0, warp.elapsed_s - shortest.elapsed_s)
        for _, warp in pairs
    )
    return Comparison(
        wall_s=walls_s[0],
        warp_s=shortest.makespan_s,
        pairs=len(pairs),
        are_floors=_is_reached_twice(walls_s) and _is_reached_twice(warps_s),
        unaccounted_s=more_s if more_s > TOLERANCE * shortest.makespan_s else 0.0,
    )


def is_decided(pairs: Sequence[tuple[Timed, Timed]]) -> bool:
    """Return whether another pair has nothing to add."""
    if len(pairs) < FEWEST_PAIRS:
        return False
    found = compared(pairs)
    return found.agrees or (len(pairs) >= MOST_PAIRS and found.differs)


def _is_reached_twice(ordered_s: Sequence[float]) -> bool:
    return len(ordered_s) > 1 and ordered_s[1] <= (1 + NEAR) * ordered_s[0]
