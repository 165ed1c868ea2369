"""The event loops: values of a few lines each, in the order in which they are shown.

A loop has two faces: one that waits for real, and one that parks at a clock that skips
(``mocks/clock/loops``).
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import uvloop

from ...mocks.clock import Clock, SkippingClock, is_skipping
from ...mocks.clock.loops.asyncio_loop import SkippingEventLoop
from ...mocks.clock.loops.polling import WaitingEventLoop
from ...mocks.clock.loops.uvloop_loop import SkippingUvloop
from ...mocks.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A named event loop.

    Attributes:
        name: As it is asked for and shown.
        summary: What it is, in one line.
        waiting: Makes one that waits for real.
        skipping: Makes one on a clock that skips.
        package: The package that it comes with, whose version can change a figure: named alike
            as a module, whose functions no hook sees. ``None`` for Python's own.
        needs_python: The oldest Python that has it.
        is_default: Whether ``warpbench run`` measures it unless other loops are named.
    """

    name: str
    summary: str
    waiting: Callable[[], asyncio.AbstractEventLoop]
    skipping: Callable[[SkippingClock], asyncio.AbstractEventLoop]
    package: str | None = None
    needs_python: tuple[int, int] | None = None
    is_default: bool = False

    @property
    def is_here(self) -> bool:
        """Whether this Python has it."""
        return self.needs_python is None or sys.version_info >= self.needs_python

    def create(self, clock: Clock) -> asyncio.AbstractEventLoop:
        """Return a new event loop on ``clock``."""
        return self.skipping(clock) if is_skipping(clock) else self.waiting()


def _eager(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    if sys.version_info >= (3, 12):
        loop.set_task_factory(asyncio.eager_task_factory)
    return loop


ASYNCIO = Loop(
    name="asyncio",
    summary="asyncio's selector loop",
    waiting=WaitingEventLoop,
    skipping=SkippingEventLoop,
    is_default=True,
)
UVLOOP = Loop(
    name="uvloop",
    summary="uvloop, on libuv",
    waiting=uvloop.Loop,
    skipping=SkippingUvloop,
    package="uvloop",
    is_default=True,
)
EAGER = Loop(
    name="eager",
    summary="asyncio's loop with eager tasks, which begin to run before they are scheduled",
    waiting=lambda: _eager(WaitingEventLoop()),
    skipping=lambda clock: _eager(SkippingEventLoop(clock)),
    needs_python=(3, 12),
)

LOOPS: Mapping[str, Loop] = {loop.name: loop for loop in (ASYNCIO, UVLOOP, EAGER)}


def default_loops() -> tuple[str, ...]:
    """Return the names of the loops that are measured unless others are named."""
    return tuple(loop.name for loop in LOOPS.values() if loop.is_default)


def require_loop(name: str) -> Loop:
    """Return a loop by its name.

    Raises:
        UsageError: There is none of that name, or this Python has none.
    """
    loop = LOOPS.get(name)
    if loop is None:
        raise UsageError(f"loop {name!r}: expected one of {', '.join(LOOPS)}")
    if not loop.is_here:
        needed = ".".join(map(str, loop.needs_python or ()))
        raise UsageError(f"loop {name!r}: needs Python {needed} or later")
    return loop
