"""How much of a session's time is booked to what, where sockets are real, and so is time."""

import asyncio
from typing import Any

import pytest
from openai import AsyncOpenAI
from warpbench.bench.results.records import FindingKind
from warpbench.bench.results.time_parts import TimeParts, in_seconds, mean_parts
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.findings import findings_of
from warpbench.bench.statistics.summary import cell_result
from warpbench.bench.targets.loading import Lab, Target
from warpbench.bench.trial.spec import TrialSpec
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.scenario import parse_scenario

from ....bench.attribution.test_connections import (
    CONNECTIONS,
    SCENARIO,
    asker,
    check_over_sockets,
    collected_here,
    over_sockets,
    refused_thrice,
)
from ....http_libraries import sdk_http

__all__ = ["collected_here"]  # a fixture, for the sockets of targets that close no client

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def parts_of(result: TrialResult) -> TimeParts:
    """The mean of its sessions' parts, in seconds."""
    return mean_parts([in_seconds(each) for each in result.time_parts_ns])


@pytest.mark.parametrize("strategy", ["gather", "threads"])
def test_waiting_for_a_connection_is_told_as_the_pools_and_no_busy_loops(strategy: str) -> None:
    scenario = parse_scenario(SCENARIO.format(latency_s=0.2))
    cell = over_sockets(strategy)
    with prepared_here(TrialSpec(scenario, cell, accounts_time=True), asker()) as measure:
        assert callable(measure)
        result = measure()

    parts = parts_of(result)
    # 0, 1, 2 or 3 others come first, of 0.2 s each; less where sessions begin late.
    assert parts.connection > 0.1
    assert parts.connection > parts.ready + parts.remainder
    (found,) = findings_of([cell_result(cell, [result])])
    assert found.kind is FindingKind.POOL_TOO_SMALL
    assert (found.values["client"], found.values["most"]) == (sdk_http.__name__, CONNECTIONS)


def test_those_who_wait_are_counted_in_plain_code() -> None:
    check_over_sockets("threads")


def sleeper(lab: Lab) -> Target:
    """It asks, and then waits for itself: the event loop has nothing to do."""
    client = AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url)

    async def session(task: str) -> None:
        messages: Any = [{"role": "user", "content": task}]
        await client.chat.completions.create(model=lab.model, messages=messages)
        await asyncio.sleep(0.5)

    return Target(session=session)


def test_a_wait_of_ones_own_over_sockets_is_not_told_as_a_busy_loop() -> None:
    scenario = parse_scenario(SCENARIO.format(latency_s=0.1))
    with prepared_here(
        TrialSpec(scenario, over_sockets("gather"), accounts_time=True), sleeper
    ) as measure:
        assert callable(measure)
        result = measure()

    parts = parts_of(result)
    assert parts.remainder > 0.4
    assert parts.remainder > parts.ready + parts.cpu


def test_what_the_server_refuses_is_a_retry_and_no_wait_of_ones_own() -> None:
    scenario = parse_scenario(SCENARIO.format(latency_s=0.1))
    spec = TrialSpec(scenario, over_sockets("gather"), accounts_time=True)
    with prepared_here(spec, refused_thrice) as measure:
        assert callable(measure)
        result = measure()

    parts = parts_of(result)
    assert parts.retry > 0.2  # of three pauses of 0.1 s; a part is computed away
    assert parts.retry > parts.remainder
