"""Explores a target in this process, for tests: ``lab.explore``."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from ...mocks.errors import ClockError, ClockHangError, TrialError, UsageError
from ...mocks.scenario import Scenario
from ..exploration.exploring import Explorer
from ..exploration.smallest import MOST_TRIALS
from ..results.case import parse_case
from ..results.exploration import Exploration, Replayed
from ..results.trial_result import TrialResult
from ..trial.spec import NotApplicable, TrialSpec
from ..trial.trial import prepared_here
from .lab import spec_of


class TrialsHere:
    """Runs trials of a target in this process; it is made anew for each.

    Args:
        target: What ``spec_of`` takes.
    """

    def __init__(self, target: object) -> None:
        self._target = target

    def run(
        self,
        spec: TrialSpec,
        then: TrialSpec | None = None,  # noqa: ARG002 - nothing is prepared here
    ) -> TrialResult | NotApplicable:
        """Run a trial to its end; see ``Trials``.

        Raises:
            TrialError: It cannot go on.
        """
        try:
            with prepared_here(spec, self._target) as measure:
                return measure if isinstance(measure, NotApplicable) else measure()
        except ClockError as error:
            hang = error.hang if isinstance(error, ClockHangError) else None
            raise TrialError(
                str(error), hang, error.choices, error.steps, error.cancelled
            ) from error


def explore(
    target: object,
    *,
    schedules: int,
    scenario: str | Scenario = "chat",
    strategy: str = "gather",
    loop: str = "asyncio",
    sessions: int = 10,
    seed: int = 1,
    stops_at_first: bool = False,
    most_trials: int = MOST_TRIALS,
) -> Exploration:
    """Run the sessions of a target under many schedules, and return what went wrong.

    Args:
        target: A name, a factory, the coroutine function that is its session, or a ``Target``.
        schedules: How many schedules.
        scenario: A built-in name, the path of a file, or a ``Scenario``.
        strategy: Name of a strategy.
        loop: Name of an event loop.
        sessions: Sessions of a schedule, all in flight at a time.
        seed: Seed of the exploration.
        stops_at_first: Whether the first schedule that fails is the last one.
        most_trials: So many are spent on the smallest case of a failure.

    Raises:
        UsageError: One of them cannot be used.
        TargetError: The target cannot be used.
    """
    spec = explored_spec(
        target, scenario=scenario, strategy=strategy, loop=loop, sessions=sessions, seed=seed
    )
    explorer = Explorer(TrialsHere(target), spec, at_once=1, most_trials=most_trials)
    with _heap_of_before_frozen():
        return explorer.explore(schedules, stops_at_first=stops_at_first)


def replayed(target: object, spec: TrialSpec, case: str) -> Replayed:
    """Run a case that an exploration of a target found.

    Args:
        target: As for ``explore``.
        spec: What was explored, as ``explored_spec`` returns it.
        case: The case, as the exploration told it.

    Raises:
        UsageError: That is no case.
        TargetError: The target cannot be used.
    """
    try:
        parsed = parse_case(case)
    except ValueError as error:
        raise UsageError(f"replay={error}") from None
    with _heap_of_before_frozen():
        return Explorer(TrialsHere(target), spec, at_once=1).replay(parsed)


def explored_spec(
    target: object,
    *,
    scenario: str | Scenario,
    strategy: str,
    loop: str,
    sessions: int,
    seed: int,
) -> TrialSpec:
    """Return the cell that ``explore`` explores, whose arguments these are.

    Raises:
        UsageError: One of them cannot be used.
    """
    return spec_of(
        target,
        scenario=scenario,
        strategy=strategy,
        loop=loop,
        sessions=sessions,
        clock="virtual",
        seed=seed,
    )


@contextmanager
def _heap_of_before_frozen() -> Iterator[None]:
    """Keep what was there before out of the garbage collections of this scope.

    Each trial collects garbage several times, and a test's process has a large heap: to look at all
    of it took most of the time. What somebody else has frozen stays so.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
