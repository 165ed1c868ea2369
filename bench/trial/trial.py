"""One trial: a cell, run once in this process, from its script to its samples."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass

from ...mocks.clock import Clock, VirtualClock, create_clock
from ...mocks.clock.root_watch import root_held_back, root_watched
from ...mocks.network.guard import stay_on_this_machine, staying_on_this_machine
from ...mocks.observe.meter import Meter
from ...mocks.sandbox import hold_no_secrets, holding_no_secrets
from ...mocks.telemetry import keep_telemetry_quiet
from ...mocks.transports.registry import Reached
from ..instruments.left_behind import MadeBefore
from ..results.trial_result import TrialResult
from .certificates import load_certificates_late
from .in_force import put_in_force
from .spec import NotApplicable, TrialSpec
from .turn import AtOnce, Turn
from .wiring import Around, WiredTrial

with suppress(ImportError):
    # To import it takes long: before the clock keeps time, not when a target asks for it. Who asks
    # for it and cannot have it is told then.
    import openai  # noqa: F401

_AT_ONCE = AtOnce()


@dataclass(frozen=True, slots=True)
class AfterImport:
    """What a target's import, made before the trial, has left to it.

    Attributes:
        clock: The clock on whose time it was made; what the import has bound may be bound to it.
        made: What it has made that sessions may leave behind.
    """

    clock: VirtualClock
    made: MadeBefore


def run_trial(spec: TrialSpec, turn: Turn = _AT_ONCE) -> TrialResult | NotApplicable:
    """Run a cell once, and return what was measured.

    This changes the process for good (environment, audit hook): call it in a process of its
    own.

    Args:
        spec: The cell.
        turn: Holds the prepared trial back until it may measure.

    Raises:
        TargetError: The target cannot be loaded.
        ClockError: Time could not be kept truthfully.
    """
    become_process_of_trials()
    return run_in_process_of_trials(spec, turn)


def become_process_of_trials() -> None:
    """Change this process for good to what a trial runs in: environment, network guard."""
    hold_no_secrets(os.environ)
    keep_telemetry_quiet(os.environ)
    load_certificates_late(os.environ)
    stay_on_this_machine()


def run_in_process_of_trials(
    spec: TrialSpec, turn: Turn = _AT_ONCE, after: AfterImport | None = None
) -> TrialResult | NotApplicable:
    """Do what ``run_trial`` does, in a process that is a trial's already.

    Args:
        spec: The cell.
        turn: Holds the prepared trial back until it may measure.
        after: The import of the target, if it was imported; the cell is in virtual time then.

    Raises:
        TargetError: The target cannot be loaded.
        ClockError: Time could not be kept truthfully.
    """
    clock: Clock
    if after is None:
        clock = create_clock(spec.cell.clock, spec.schedule)
    else:
        clock = after.clock
        clock.begin_anew(None if spec.schedule is None else spec.schedule.schedule())
    with (
        root_watched(clock),
        _prepared(
            spec,
            spec.cell.target,
            clock,
            ended=turn.end,
            owns_process=True,
            made_before=None if after is None else after.made,
        ) as measure,
    ):
        if isinstance(measure, NotApplicable):
            return measure
        with root_held_back(clock):
            turn.begin()
        return measure()


@dataclass(frozen=True, slots=True)
class PlaceOfImport:
    """Where a trial is when it imports its target.

    Attributes:
        clock: Keeps the time.
        world: What requests reach.
        meter: Notes the calls; whatever has more of the place than the clock has this.
        made: Returns what has been made so far that sessions may leave behind.
    """

    clock: VirtualClock
    world: Reached
    meter: Meter
    made: Callable[[], MadeBefore]


@contextmanager
def place_of_import(spec: TrialSpec) -> Iterator[PlaceOfImport]:
    """Be, in this scope, where a trial is when it imports its target.

    What a trial has of its own besides, its event loop, is not there: no import sees it, and it
    cannot be taken into a fork.

    Args:
        spec: A cell of a strategy without an event loop, that notes its waits and tells what its
            sessions leave behind.

    Raises:
        ClockError: Time could not be kept truthfully.
    """
    clock = VirtualClock()
    with (
        root_watched(clock),
        put_in_force(spec, clock, spec.cell.target, owns_process=True) as in_force,
        WiredTrial(spec, clock, in_force, ended=_AT_ONCE.end, owns_process=True).reaching_its_world(
            in_force.opens
        ) as world,
    ):
        left, meter = in_force.left, in_force.accounting.meter
        assert left is not None
        assert meter is not None
        yield PlaceOfImport(clock, world, meter, left.made)


@contextmanager
def prepared_here(
    spec: TrialSpec, target: object, around: Around = nullcontext
) -> Iterator[Callable[[], TrialResult] | NotApplicable]:
    """Prepare a cell in this process, and leave the process as it was: for tests.

    Args:
        spec: The cell.
        target: What ``build_target`` takes.
        around: Makes the scope in which the sessions run, and nothing else does.

    Yields:
        What runs the cell's sessions, any number of times, and returns what was measured.

    Raises:
        TargetError: The target cannot be used.
        ClockError: Time could not be kept truthfully.
    """
    chance = random.getstate()
    clock = create_clock(spec.cell.clock, spec.schedule)
    clock.tolerate_those_alive()
    with holding_no_secrets(os.environ), staying_on_this_machine(), root_watched(clock):
        keep_telemetry_quiet(os.environ)
        try:
            with _prepared(spec, target, clock, around) as measure:
                yield measure
        finally:
            random.setstate(chance)


@contextmanager
def _prepared(
    spec: TrialSpec,
    target: object,
    clock: Clock,
    around: Around = nullcontext,
    ended: Callable[[], None] = _AT_ONCE.end,
    *,
    owns_process: bool = False,
    made_before: MadeBefore | None = None,
) -> Iterator[Callable[[], TrialResult] | NotApplicable]:
    with put_in_force(
        spec, clock, target, owns_process=owns_process, made_before=made_before
    ) as in_force:
        if in_force.left is not None:
            around = in_force.left.around(around)
        trial = WiredTrial(spec, clock, in_force, ended=ended, owns_process=owns_process)
        with trial.prepared(target, in_force.opens, around) as measure:
            yield measure
