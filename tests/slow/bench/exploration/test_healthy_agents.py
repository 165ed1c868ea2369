"""Of many schedules of healthy agents none is said to fail."""

from collections.abc import Callable
from typing import Any

import pytest

from ....bench.exploration.corpus import MISTAKES
from ....bench.exploration.mismatched import PAIRS
from ....bench.exploration.test_exploring import explored
from ....bench.instruments.leaving import HEALTHY as HELPERS
from ....bench.instruments.leaving import LEAVINGS
from ....bench.isolation.sharing import SHARERS

SCHEDULES = 8
HEALTHY: dict[str, tuple[Callable[..., Any], str, str]] = {
    **{
        f"{name}, repaired": (mistake.repaired, mistake.strategy, mistake.loop)
        for name, mistake in MISTAKES.items()
    },
    **{
        f"{name}, repaired": (agent.repaired, agent.strategies[0], "asyncio")
        for name, agent in LEAVINGS.items()
    },
    **{
        f"{name}, by order of ids": (right, "gather", "asyncio")
        for name, (_, right) in PAIRS.items()
    },
    **{name: (build, "gather", "asyncio") for name, build in (SHARERS | HELPERS).items()},
    **{name: (name, "gather", "asyncio") for name in ("agent", "bare-sdk", "agent-streaming")},
}


@pytest.mark.parametrize(("build", "strategy", "loop"), HEALTHY.values(), ids=HEALTHY)
def test_nothing_is_found(build: Callable[..., Any], strategy: str, loop: str) -> None:
    assert explored(build, SCHEDULES, strategy, loop).found == ()
