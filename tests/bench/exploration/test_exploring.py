"""Each mistake of the corpus is found, in its smallest case; repaired, and shared, nothing is."""

from collections.abc import Callable
from typing import Any

import pytest
from warpbench.bench.results.exploration import Exploration
from warpbench.bench.testing.explore import explore
from warpbench.mocks.scenario import parse_scenario

from ..isolation.sharing import SHARERS
from .corpus import MISTAKES, Mistake

pytestmark = pytest.mark.once

SESSIONS = 5
SCHEDULES = 200
HEALTHY_SCHEDULES = 4
SCENARIO = parse_scenario("""
    name = "explored"
    description = "A tool whose arguments are the same for all."
    sessions = 5
    [model]
    latency_s = 0.5
    [tools.weather]
    description = "Reports the weather."
    kind = "async"
    latency_s = 0.1
    parameters = { city = "string" }
    [[rounds]]
    tools = [{ tool = "weather", arguments = { city = "Vienna" } }]
    [[rounds]]
""")
EVERY_MISTAKE = pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)


def explored(
    build: Callable[..., Any],
    schedules: int,
    strategy: str = "gather",
    loop: str = "asyncio",
    **more: Any,
) -> Exploration:
    return explore(
        build,
        scenario=SCENARIO,
        schedules=schedules,
        strategy=strategy,
        loop="asyncio" if loop == "none" else loop,
        sessions=SESSIONS,
        **more,
    )


@EVERY_MISTAKE
def test_a_mistake_is_found(mistake: Mistake) -> None:
    found = explored(
        mistake.buggy, SCHEDULES, mistake.strategy, mistake.loop, stops_at_first=True
    ).found

    assert mistake.kind in {each.failure.kind for each in found}
    assert all(1 <= each.sessions <= SESSIONS for each in found)


@EVERY_MISTAKE
def test_of_the_repaired_agent_nothing_is_said(mistake: Mistake) -> None:
    exploration = explored(mistake.repaired, HEALTHY_SCHEDULES, mistake.strategy, mistake.loop)

    assert exploration.found == ()
    assert exploration.schedules == HEALTHY_SCHEDULES


@pytest.mark.parametrize("build", SHARERS.values(), ids=SHARERS)
def test_nor_of_who_shares_on_purpose(build: Callable[..., Any]) -> None:
    assert explored(build, HEALTHY_SCHEDULES).found == ()
