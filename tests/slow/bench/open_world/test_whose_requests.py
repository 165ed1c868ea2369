"""Each request is booked to its session, with every strategy on every loop and clock."""

import pytest

from ....bench.open_world.targets import Build
from ....bench.open_world.test_whose_requests import (
    AGENTS,
    EVERY,
    ON_LOOP,
    require_booked_requests,
)


@pytest.mark.parametrize("clock", ["virtual", "warp"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("strategy", EVERY)
@AGENTS
def test_each_request_is_booked_to_its_session(
    build: Build, calls: int, strategy: str, loop: str, clock: str
) -> None:
    if not ON_LOOP[strategy] and loop == "uvloop":
        pytest.skip("a strategy without an event loop")

    require_booked_requests(build, calls, strategy, loop, clock)
