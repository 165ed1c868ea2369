"""Who goes on among those that could: the one place where a clock's order can be chosen.

The virtual clock lets one participant run at a time. Whoever became runnable first goes on first,
unless a schedule chooses another of those that are runnable at that moment: all of them could have
run in real life. What Python promises is kept: the order of what one event loop runs, and who of
those that wait for one lock gets it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Protocol

_STEPS = 2_000
"""Among so many first steps the change points of priorities lie."""

CHANGE_POINTS = 3
"""How often priorities change: bugs that take so many orders, and one more, may be found."""


class Schedule(Protocol):
    """Chooses who goes on."""

    def choose(self, runnable: Sequence[str]) -> int:
        """Return the place of who goes on.

        Args:
            runnable: Names of the participants that could go on, in the order in which they became
                able to; two at least.
        """
        ...


class Manner(StrEnum):
    """How a schedule chooses."""

    AT_RANDOM = "at random"
    BY_PRIORITY = "by priority"


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A schedule as a value: the same one chooses the same, whatever the machine does.

    Attributes:
        manner: How it chooses.
        seed: Seeds its choices.
    """

    manner: Manner
    seed: int

    def schedule(self) -> Schedule:
        """Return the schedule, at its beginning."""
        return AtRandom(self.seed) if self.manner is Manner.AT_RANDOM else ByPriority(self.seed)


class AtRandom:
    """Chooses each with the same chance.

    Args:
        seed: Seeds the choices.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(f"at random/{seed}")

    def choose(self, runnable: Sequence[str]) -> int:
        """Return the place of who goes on."""
        return self._random.randrange(len(runnable))


class ByPriority:
    """Lets the one with the highest priority go on, and changes priorities at few points.

    After Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs"
    (ASPLOS 2010): each participant has a random priority; at ``CHANGE_POINTS`` random steps the one
    that would go on gets the lowest of all. Whatever order between few points a mistake takes, it
    has a known chance at least.

    Args:
        seed: Seeds priorities and change points.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(f"by priority/{seed}")
        self._changes = frozenset(self._random.sample(range(_STEPS), CHANGE_POINTS))
        self._priorities: dict[str, float] = {}
        self._steps = 0

    def choose(self, runnable: Sequence[str]) -> int:
        """Return the place of who goes on."""
        for name in runnable:
            if name not in self._priorities:
                self._priorities[name] = 1 + self._random.random()
        first = max(range(len(runnable)), key=lambda place: self._priorities[runnable[place]])
        if self._steps in self._changes:
            self._priorities[runnable[first]] = -self._steps
        self._steps += 1
        return max(range(len(runnable)), key=lambda place: self._priorities[runnable[place]])
