"""Virtual time for tests of the agent: waits cost nothing, and take exactly what they take."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from warpbench.mocks.clock import (
    NANOSECONDS_PER_SECOND,
    ClockMode,
    SkippingClock,
    create_clock,
    keeping_time,
)
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.loops.uvloop_loop import SkippingUvloop

LOOPS: dict[str, Callable[[SkippingClock], asyncio.AbstractEventLoop]] = {
    "asyncio": SkippingEventLoop,
    "uvloop": SkippingUvloop,
}
on_each_loop = pytest.mark.parametrize("loop", sorted(LOOPS))


def in_virtual_time(main: Callable[[], Any], loop: str = "asyncio") -> tuple[Any, float]:
    """Run plain or async code; give its result, and the seconds that it took, exactly."""
    clock = create_clock(ClockMode.VIRTUAL)
    assert isinstance(clock, SkippingClock)
    with keeping_time(clock):
        begin_ns = clock.now_ns()
        if inspect.iscoroutinefunction(main):
            with asyncio.Runner(loop_factory=lambda: LOOPS[loop](clock)) as runner:
                result = runner.run(main())
        else:
            result = main()
        return result, (clock.now_ns() - begin_ns) / NANOSECONDS_PER_SECOND
