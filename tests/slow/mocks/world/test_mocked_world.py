"""Each fault met by each agent under either strategy; limits of all sizes."""

import pytest
from hypothesis import settings

from ....mocks.world.test_mocked_world import (
    AGENTS,
    FEW_AT_A_TIME,
    RECOVERED,
    STRATEGIES,
    UNDER_LIMITS,
    check_bottleneck,
    check_ideal,
    check_recovers,
)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("target", AGENTS)
@pytest.mark.parametrize("fault", RECOVERED)
def test_the_agent_recovers_from_a_fault_or_fails_cleanly(
    fault: str, target: str, strategy: str
) -> None:
    check_recovers(fault, target, strategy)


@settings(max_examples=60, deadline=None)
@FEW_AT_A_TIME
def test_a_model_that_serves_few_at_a_time_is_the_bottleneck(served: int, sessions: int) -> None:
    check_bottleneck(served, sessions)


@settings(max_examples=60, deadline=None)
@UNDER_LIMITS
def test_no_run_beats_the_ideal_under_limits(
    requests: int, tokens: int, served: int, sessions: int
) -> None:
    check_ideal(requests, tokens, served, sessions)
