"""Who computes for less than a stall's length is not caught: where a core is there to compute on.

On a busy machine a few milliseconds of computing take far longer, and do hold the loop up.
"""

import pytest
from warpbench.bench.instruments.watchdog import BLOCKED_FROM_NS
from warpbench.mocks.clock import ClockMode

from ....bench.instruments.test_vitals import followed, gives_way, many_at_once


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_who_gives_way_holds_nobody_up(loop: str) -> None:
    _, held = followed(gives_way, loop, ClockMode.WARP)
    assert held == []


def test_a_long_iteration_that_many_share_is_nobodys_fault() -> None:
    vitals, held = followed(many_at_once, "asyncio", ClockMode.WARP)
    assert max(vitals.loop_lag_ns) >= 4 * BLOCKED_FROM_NS * 0.9
    assert held == []
