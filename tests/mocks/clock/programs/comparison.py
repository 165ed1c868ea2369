"""Holds random programs against reality: their steps end when and as in plain Python."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from hypothesis import HealthCheck, given, seed, settings

from .program import Ending, Program, programs
from .run import Run
from .running import complete, virtually

UNITS_S = (0.02, 0.06, 0.2)
"""The unit of the first real run of a program; of a second and third, if it disagrees."""

_MEASURED = 0.25
_LATE = 0.06
_STEADY_RUNS = 4


@dataclass(frozen=True)
class Other:
    """Another run of a program, to be compared.

    Attributes:
        log: What happened.
        was_disturbed: Whether a thread that slept was woken so late that a few of that make a unit.
    """

    log: list[Ending]
    was_disturbed: bool = False


def really(program: Program, unit_s: float = UNITS_S[0]) -> Other:
    """Run a program in plain Python, with real waits, beside a thread that measures them."""
    ended, latest_s = threading.Event(), 0.0

    def measure() -> None:
        nonlocal latest_s
        while not ended.is_set():
            before_s = time.monotonic()
            time.sleep(_MEASURED * unit_s)
            latest_s = max(latest_s, time.monotonic() - before_s - _MEASURED * unit_s)

    measuring = threading.Thread(target=measure)
    measuring.start()
    try:
        log = complete(Run(program, unit_s, None))
    finally:
        ended.set()
        measuring.join()
    return Other(log, was_disturbed=latest_s > _LATE * unit_s)


def is_steady(program: Program, found: list[Ending]) -> bool:
    """Say whether what happens stays the same if the waits of a program vary a little."""
    return all(virtually(program, jitter) == found for jitter in range(_STEADY_RUNS))


class DisturbedError(Exception):
    """The machine was too busy to tell whether a program does the same."""


def differences(
    found: list[Ending], run: Callable[[float], Other], units_s: Iterable[float] = UNITS_S
) -> list[str]:
    """Return how each of up to three runs, by their units, differs; empty if one does not.

    What is real is what a busy machine disturbs: so the later ones wait longer.

    Raises:
        DisturbedError: All differ, and the machine was busy during the last of them.
    """
    told = []
    for unit_s in units_s:
        other = run(unit_s)
        if other.log == found:
            return []
        ours = [f"virtual {each}" for each in found if each not in other.log]
        theirs = [f"other {each}" for each in other.log if each not in found]
        told.append(f"unit {unit_s} s: " + "; ".join(ours + theirs))
    if other.was_disturbed:
        raise DisturbedError
    return told


class Comparison:
    """Compares programs with reality, and counts them."""

    def __init__(self) -> None:
        self.agree = self.unsteady = self.disturbed = 0
        self.disagreements: list[str] = []

    def compare(self, program: Program) -> None:
        """Compare one that is steady; pass over any other.

        Raises:
            AssertionError: They disagree three times, the last time on a machine that was idle.
        """
        found = virtually(program)
        if not is_steady(program, found):
            self.unsteady += 1
            return
        try:
            told = differences(found, partial(really, program))
        except DisturbedError:
            self.disturbed += 1
            return
        assert not told, f"{program}\n" + "\n".join(told)
        self.agree += 1


def compare_many(number: int, drawn_with: int, *, shrinks: bool) -> Comparison:
    """Compare so many programs with reality, steady or not.

    Args:
        number: How many.
        drawn_with: A seed.
        shrinks: Whether to stop at one that disagrees, and look for the smallest that does.
    """
    comparison = Comparison()

    @seed(drawn_with)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(programs())
    def compare(program: Program) -> None:
        try:
            comparison.compare(program)
        except AssertionError as error:
            if shrinks:
                raise
            comparison.disagreements.append(str(error))

    compare()
    return comparison
