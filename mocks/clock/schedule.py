"""Who goes on among those that could: the one place where a clock's order can be chosen.

The virtual clock lets one participant run at a time, and an event loop takes up what is due in the
order in which it came due. Where several could be next in real life, a schedule may choose another
than the first: threads and loops that are runnable at one moment, mocked answers that arrive
within one millisecond, timers set at different times for the same one. What Python promises is
kept: the order of ``call_soon`` on one loop, and who of those that wait for one lock gets it.

Every choice but the first comer's is noted, by names that follow from what waits and not from
how often a loop went round. So a run is told in a few choices, its *tape*, and comes again from it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import NamedTuple, Protocol

_STEPS = 2_000
"""Among so many first steps the change points of priorities lie."""

CHANGE_POINTS = 3
"""How often priorities change: bugs that take so many orders, and one more, may be found."""


class Choice(NamedTuple):
    """Somebody who went on before those that could have gone on first.

    Attributes:
        after: Who had gone on before.
        ordinal: Which of the choices after it, counted from 0.
        chosen: Who went on.
    """

    after: str
    ordinal: int
    chosen: str


class Schedule(Protocol):
    """Chooses who goes on."""

    def choose(self, after: str, ordinal: int, runnable: Sequence[str]) -> int:
        """Return the place of who goes on.

        Args:
            after: Who had gone on before.
            ordinal: Which of the choices after it, counted from 0.
            runnable: Names of those that could go on, each once, in the order in which they became
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
        tape: The choices that it makes in place of its own; whoever came first goes on elsewhere.
    """

    manner: Manner
    seed: int
    tape: tuple[Choice, ...] | None = None

    def schedule(self) -> Schedule:
        """Return the schedule, at its beginning."""
        if self.tape is not None:
            return FromTape(self.tape)
        return AtRandom(self.seed) if self.manner is Manner.AT_RANDOM else ByPriority(self.seed)


class AtRandom:
    """Chooses each with the same chance.

    Args:
        seed: Seeds the choices.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(f"at random/{seed}")

    def choose(self, after: str, ordinal: int, runnable: Sequence[str]) -> int:  # noqa: ARG002
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

    def choose(self, after: str, ordinal: int, runnable: Sequence[str]) -> int:  # noqa: ARG002
        """Return the place of who goes on."""
        for name in runnable:
            if name not in self._priorities:
                self._priorities[name] = 1 + self._random.random()
        first = max(range(len(runnable)), key=lambda place: self._priorities[runnable[place]])
        if self._steps in self._changes:
            self._priorities[runnable[first]] = -self._steps
        self._steps += 1
        return max(range(len(runnable)), key=lambda place: self._priorities[runnable[place]])


class FromTape:
    """Makes the choices of a tape, and lets whoever came first go on elsewhere.

    Args:
        tape: The choices.
    """

    def __init__(self, tape: Iterable[Choice]) -> None:
        self._chosen = {(choice.after, choice.ordinal): choice.chosen for choice in tape}

    def choose(self, after: str, ordinal: int, runnable: Sequence[str]) -> int:
        """Return the place of who goes on; 0 where the one on the tape could not."""
        chosen = self._chosen.get((after, ordinal))
        return 0 if chosen is None or chosen not in runnable else runnable.index(chosen)


class Choices:
    """The choices of one run: asks a schedule for each, and notes them.

    Args:
        schedule: Chooses.

    Attributes:
        taken: The choices of others than who came first, in their order.
        waiter_here: Returns the name of whose code runs in the calling context.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._met: Counter[str] = Counter()
        self._named: Counter[str] = Counter()
        self.taken: list[Choice] = []
        self.waiter_here: Callable[[], str] = lambda: "wait"

    def place(self, after: str, runnable: Sequence[str]) -> int:
        """Return the place of who goes on, of two at least."""
        names = _each_once(runnable)
        ordinal = self._met[after]
        self._met[after] += 1
        place = self._schedule.choose(after, ordinal, names)
        if place:
            self.taken.append(Choice(after, ordinal, names[place]))
        return place

    def name(self, what: str) -> str:
        """Return a name for a wait that begins here: whose it is, what, and which of these."""
        stem = f"{self.waiter_here()} {what}"
        self._named[stem] += 1
        return f"{stem} {self._named[stem]}"


def _each_once(names: Sequence[str]) -> Sequence[str]:
    """Tell those of the same name apart by their order."""
    if len(set(names)) == len(names):
        return names
    met: Counter[str] = Counter()
    told: list[str] = []
    for name in names:
        met[name] += 1
        told.append(name if met[name] == 1 else f"{name} ({met[name]})")
    return told
