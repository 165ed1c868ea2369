"""What a trial puts in force in its process before it opens its world and imports its target."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

from ...mocks.clock import Clock, is_skipping, keeping_time
from ...mocks.clock.loops.made_inside import NewLoop
from ...mocks.network.children import ChildRefusals
from ...mocks.observe.session import carrying_sessions
from ...mocks.transports.registry import Opens, require_transport
from ..instruments.call_counts import CallCounter
from ..instruments.left_behind import MadeBefore
from ..instruments.recorder import Accounting
from ..strategies import Strategy, strategy_named
from .children import children_kept_in
from .left_behind import LeftBehindOfTrial
from .loops import require_loop
from .spec import TrialSpec


@dataclass(frozen=True, slots=True)
class InForce:
    """What a trial has put in force before it opens its world and imports its target.

    Attributes:
        strategy: Drives its sessions.
        opens: Opens its world.
        counter: Counts calls, if the trial is to.
        accounting: Notes where the time goes.
        children: What programs that the target starts are refused.
        left: Tells what the sessions leave behind, if the trial is to.
    """

    strategy: Strategy
    opens: Opens
    counter: CallCounter | None
    accounting: Accounting
    children: ChildRefusals
    left: LeftBehindOfTrial | None


@contextmanager
def put_in_force(
    spec: TrialSpec,
    clock: Clock,
    target: object,
    *,
    owns_process: bool,
    made_before: MadeBefore | None = None,
) -> Iterator[InForce]:
    """Put in force, in this scope, what a target's import finds already.

    Args:
        spec: What the trial is told.
        clock: Keeps its time.
        target: What is loaded in it.
        owns_process: Whether the process is the trial's own.
        made_before: What the target's import made, if that was before the trial.

    Yields:
        What is in force.

    Raises:
        ClockError: Time could not be kept truthfully.
    """
    # The openai SDK jitters its back-off with the global generator.
    random.seed(spec.cell.seed)
    strategy = strategy_named(spec.cell.strategy)
    transport = require_transport(spec.cell.transport)
    opens = transport.loads()
    counter = CallCounter() if spec.counts_calls else None
    accounting = Accounting(
        clock,
        notes_waits=spec.notes_waits,
        accounts_time=spec.accounts_time,
        on_loop=strategy.on_loop,
        counts_calls=spec.counts_calls,
    )
    left = None
    if spec.tells_left_behind and is_skipping(clock):
        left = LeftBehindOfTrial(
            clock, accounting.meter, target, owns_process=owns_process, made_before=made_before
        )
    with (
        nullcontext() if counter is None else counter.installed(),
        accounting.looking(),
        children_kept_in(clock, in_process=transport.in_process) as children,
        keeping_time(clock, _new_loop(spec, strategy, clock)),
        carrying_sessions(),
        nullcontext() if left is None else left.tracking(),
    ):
        yield InForce(strategy, opens, counter, accounting, children, left)


def _new_loop(spec: TrialSpec, strategy: Strategy, clock: Clock) -> NewLoop | None:
    """Return what makes the loops that a target asks asyncio for: of the cell's kind, if any."""
    if not strategy.on_loop:
        return None
    return partial(require_loop(spec.cell.loop).create, clock)
