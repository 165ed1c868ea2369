"""A clock, a kind of event loop, and a scope: what each rule of the clock is tried in."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from warpbench.mocks.clock import (
    NANOSECONDS_PER_SECOND,
    Clock,
    ClockMode,
    SkippingClock,
    create_clock,
    keeping_time,
)
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.loops.uvloop_loop import SkippingUvloop

SECOND = NANOSECONDS_PER_SECOND
MILLISECOND = SECOND // 1_000
MICROSECOND = SECOND // 1_000_000

NOBODY_CAME = 600
"""Seconds of clock time after which a wait that should have been woken gives up."""


def _eager(clock: SkippingClock) -> asyncio.AbstractEventLoop:
    loop = SkippingEventLoop(clock)
    loop.set_task_factory(asyncio.eager_task_factory)
    return loop


LOOPS: Mapping[str, Callable[[SkippingClock], asyncio.AbstractEventLoop]] = {
    "asyncio": SkippingEventLoop,
    "uvloop": SkippingUvloop,
    "eager": _eager,
}


def examples(number: int) -> settings:
    """Return hypothesis' settings for so many examples, on a machine however busy."""
    return settings(
        max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


in_both_skipping_modes = pytest.mark.parametrize("mode", [ClockMode.WARP, ClockMode.VIRTUAL])
needs_eager_tasks = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="eager tasks need Python 3.12"
)
on_each_loop = pytest.mark.parametrize(
    "loop", ["asyncio", "uvloop", pytest.param("eager", marks=needs_eager_tasks)]
)


class World:
    """One clock, to be entered once."""

    def __init__(self, mode: ClockMode) -> None:
        clock: Clock = create_clock(mode)
        assert isinstance(clock, SkippingClock)
        self.clock = clock

    def scope(self) -> AbstractContextManager[None]:
        return keeping_time(self.clock)

    def run_here(self, main: Callable[[], Coroutine[Any, Any, Any]], loop: str = "asyncio") -> Any:
        """Run ``main`` on such a loop, in a scope that is open."""
        with asyncio.Runner(loop_factory=lambda: LOOPS[loop](self.clock)) as runner:
            return runner.run(main())

    def run(self, main: Callable[[], Coroutine[Any, Any, Any]], loop: str = "asyncio") -> Any:
        """Run ``main`` on such a loop, in the scope of this clock."""
        with self.scope():
            return self.run_here(main, loop)

    async def sleep_ns(self, duration_ns: int) -> None:
        await self.clock.sleep_until_ns(self.clock.now_ns() + duration_ns)

    def wait_ns(self, duration_ns: int) -> None:
        self.clock.wait_until_ns(self.clock.now_ns() + duration_ns)
