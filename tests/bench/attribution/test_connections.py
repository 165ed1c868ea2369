"""Waiting for a free connection of the client's pool is a part of latency of its own."""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from openai import (
    AsyncOpenAI,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    NotFoundError,
    OpenAI,
)
from warpbench.bench.attribution.breakdown import costs_of_refusals_s, split_times
from warpbench.bench.attribution.observations import Observations
from warpbench.bench.attribution.timelines import timeline
from warpbench.bench.results.cell import NO_LOOP, Cell
from warpbench.bench.results.records import FindingKind
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.results.timeline import LaneState
from warpbench.bench.runner.findings import findings_of
from warpbench.bench.statistics.summary import cell_result
from warpbench.bench.targets.loading import Lab, Target
from warpbench.bench.testing.lab import run_cell, spec_of
from warpbench.bench.trial.spec import TrialSpec
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.observe.pools import PoolUse
from warpbench.mocks.observe.refusals import Refusal
from warpbench.mocks.observe.waits import SentRequest, Wait, WaitEnding, WaitKind
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.workload.script import ModelCallScript, SessionScript

from ...http_libraries import sdk_http

# A target's clients are not closed: their sockets end when they are collected.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

CONNECTIONS = 5
SESSIONS = 20
SCENARIO = """
    name = "one"
    description = "One call."
    sessions = 20
    [model]
    latency_s = {latency_s}
    [[rounds]]
"""


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Collect what is not closed in the test that made it, and not in some other."""
    yield
    gc.collect()


def asker(
    most: int | None = CONNECTIONS, timeout: sdk_http.Timeout | None = None, retries: int = 2
) -> Callable[[Lab], Target]:
    """An agent that asks once, by a client whose pool may have so many connections."""

    def build(lab: Lab) -> Target:
        limits = sdk_http.Limits(max_connections=most)
        options: Any = {"api_key": lab.api_key, "base_url": lab.base_url, "max_retries": retries}
        if timeout is not None:
            options["timeout"] = timeout
        client = AsyncOpenAI(http_client=DefaultAsyncHttpxClient(limits=limits), **options)
        sync_client = OpenAI(http_client=DefaultHttpxClient(limits=limits), **options)

        async def session(task: str) -> None:
            messages: Any = [{"role": "user", "content": task}]
            await client.chat.completions.create(model=lab.model, messages=messages)

        def sync_session(task: str) -> None:
            messages: Any = [{"role": "user", "content": task}]
            sync_client.chat.completions.create(model=lab.model, messages=messages)

        return Target(session=session, sync_session=sync_session)

    return build


@pytest.mark.parametrize(
    ("clock", "strategy", "loop"),
    [
        ("virtual", "gather", "asyncio"),
        ("virtual", "taskgroup", "uvloop"),
        ("virtual", "threads", "asyncio"),
        ("virtual", "executor", "uvloop"),
        ("warp", "gather", "uvloop"),
        ("warp", "threads", "asyncio"),
    ],
)
def test_a_pool_of_5_lets_20_sessions_wait_for_a_connection(
    clock: str, strategy: str, loop: str
) -> None:
    scenario = parse_scenario(SCENARIO.format(latency_s=1.0))
    target = asker()
    result = run_cell(
        spec_of(
            target,
            scenario=scenario,
            strategy=strategy,
            loop=loop,
            sessions=SESSIONS,
            concurrency=SESSIONS,
            clock=clock,
        ),
        target,
    )

    assert result.errors == ()
    waited_s = sorted(parts.connection for parts in result.time_parts)
    if clock == "virtual":
        assert waited_s == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5
        assert max(result.latencies) == 4
        for parts in result.time_parts:
            assert parts == TimeParts(llm=1, connection=parts.connection)
    assert sum(waited_s) == pytest.approx(30, rel=0.1)
    assert all(parts.remainder == 0 for parts in result.time_parts)


def over_sockets(strategy: str, sessions: int = SESSIONS) -> Cell:
    return Cell(
        scenario="one",
        target="asker",
        strategy=strategy,
        loop="asyncio" if strategy == "gather" else NO_LOOP,
        transport="loopback",
        clock=ClockMode.WALL,
        concurrency=sessions,
        session_count=sessions,
        seed=1,
        tool_workers=1,
    )


def test_over_sockets_those_who_wait_are_counted() -> None:
    """The slow suite has those of plain code."""
    check_over_sockets("gather")


def check_over_sockets(strategy: str) -> None:
    scenario = parse_scenario(SCENARIO.format(latency_s=0.2))
    spec = TrialSpec(scenario, over_sockets(strategy, sessions=6), accounts_time=True)
    with prepared_here(spec, asker(most=2)) as measure:
        assert callable(measure)
        result = measure()

    assert result.pools == (PoolUse(client=sdk_http.__name__, most=2, waits=4),)


def test_a_pool_as_large_as_the_load_holds_nobody_up() -> None:
    scenario = parse_scenario(SCENARIO.format(latency_s=1.0))
    target = asker(most=SESSIONS)
    result = run_cell(
        spec_of(target, scenario=scenario, sessions=SESSIONS, concurrency=SESSIONS), target
    )

    assert result.time_parts == (TimeParts(llm=1),) * SESSIONS


def test_what_follows_a_wait_that_was_given_up_is_a_retry() -> None:
    scenario = parse_scenario(SCENARIO.format(latency_s=5.0))
    target = asker(most=1, timeout=sdk_http.Timeout(60, pool=2), retries=9)
    result = run_cell(spec_of(target, scenario=scenario, sessions=2, concurrency=2), target)

    assert result.errors == ()
    first, second = sorted(result.time_parts, key=lambda parts: parts.connection)
    assert first == TimeParts(llm=5)
    assert second == TimeParts(llm=5, connection=second.connection, retry=second.retry)
    assert second.connection >= 2
    assert second.retry > 0
    assert second.connection + second.retry == pytest.approx(max(result.latencies) - 5)


def test_who_never_gets_a_connection_fails_and_it_is_told_as_the_pools() -> None:
    scenario = parse_scenario(SCENARIO.format(latency_s=5.0))
    target = asker(most=1, timeout=sdk_http.Timeout(60, pool=2), retries=0)
    spec = spec_of(target, scenario=scenario, sessions=2, concurrency=2)
    with prepared_here(spec, target) as measure:
        assert callable(measure)
        result = measure()

    assert sorted(sample.outcome for sample in result.samples) == [
        Outcome.SUCCEEDED,
        Outcome.TIMED_OUT,
    ]
    assert result.pools == (PoolUse(client=sdk_http.__name__, most=1, waits=1, timeouts=1),)
    found = [
        each
        for each in findings_of([cell_result(spec.cell, [result])])
        if each.kind is FindingKind.POOL_TOO_SMALL
    ]
    assert [each.values["timeouts"] for each in found] == [1]


def test_between_its_requests_a_session_waits_for_itself_and_in_them_for_the_network() -> None:
    script = SessionScript(0, (ModelCallScript(1000, 1, 1, ()),))
    sample = SessionSample(0, Outcome.SUCCEEDED, 0, 1000, idle_at_start_ns=0, idle_at_end_ns=950)
    # The server had the request from 110 to 600; the client from 100 to 640, computing for 10.
    waits = [model(110, 490)]
    sent = [SentRequest(0, 100, 640, 90, 620)]
    ((parts, _),) = split_times(
        [sample],
        Observations({0: script}, waits, {0: 20}, (), 0, 1, idle_is_known=False, sent=sent),
    )

    # 90 before it and 330 after it; of the rest of both and of 10 + 40 in it, 20 were its own.
    assert {name: ns for name, ns in asdict(parts).items() if ns} == {
        "llm": 490,
        "remainder": 420,
        "cpu": 20,
        "ready": 70,
    }


def test_a_request_that_the_server_refuses_costs_until_the_next_one_begins() -> None:
    script = SessionScript(0, (ModelCallScript(290, 1, 1, ()),))
    sample = SessionSample(0, Outcome.SUCCEEDED, 0, 1000, idle_at_start_ns=0, idle_at_end_ns=950)
    # The client asks from 100 to 150, pauses until 300, and asks the model then.
    sent = [
        SentRequest(0, 100, 150, 90, 130, refusal=0),
        SentRequest(0, 300, 640, 280, 620),
    ]
    observations = Observations(
        *({0: script}, [model(310, 290)], {0: 20}, (), 0, 1),
        idle_is_known=False,
        sent=sent,
        refusals=[Refusal("", "/v1/embeddings", 0, 100, 90)],
    )
    ((parts, _),) = split_times([sample], observations)

    # 90 before it and 330 after the model's answer are its own; nobody computed for 190 between.
    assert costs_of_refusals_s([sample], observations) == {"": 190e-9}
    assert {name: ns for name, ns in asdict(parts).items() if ns} == {
        "llm": 290,
        "retry": 190,
        "remainder": 420,
        "cpu": 20,
        "ready": 80,
    }


def refused_thrice(lab: Lab) -> Target:
    """It asks for what nothing mocks, by the model's own client, with a pause after each time."""
    client = AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url)

    async def session(task: str) -> None:
        for _ in range(3):
            with contextlib.suppress(NotFoundError):
                await client.files.list()
            await asyncio.sleep(0.1)
        messages: Any = [{"role": "user", "content": task}]
        await client.chat.completions.create(model=lab.model, messages=messages)

    return Target(session=session)


def test_what_the_server_refuses_is_told_with_its_sessions_and_its_cost() -> None:
    spec = TrialSpec(
        parse_scenario(SCENARIO.format(latency_s=0.05)),
        over_sockets("gather", sessions=4),
        accounts_time=True,
    )
    with prepared_here(spec, refused_thrice) as measure:
        assert callable(measure)
        result = measure()

    (refused,) = result.refused
    sessions = len(result.samples)
    assert (refused.host, refused.paths) == ("", ("/v1/files",))
    assert (refused.requests, refused.sessions, refused.requests_before) == (
        3 * sessions,
        sessions,
        6,
    )
    assert refused.cost_s > 0.0


def connection(start: int, waited: int, ending: WaitEnding = WaitEnding.WHOLE) -> Wait:
    return Wait(
        WaitKind.CONNECTION, 0, -1, None, "httpx2", start, start + waited, waited, ending=ending
    )


def model(start: int, waited: int, ending: WaitEnding = WaitEnding.WHOLE) -> Wait:
    return Wait(WaitKind.MODEL, 0, 0, None, "", start, start + waited, waited, ending=ending)


FAILED = WaitEnding.FAILED


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        pytest.param(
            [connection(0, 300), model(300, 700)], {"connection": 300, "llm": 700}, id="then asked"
        ),
        pytest.param(
            [model(0, 400), connection(100, 900)], {"connection": 600, "llm": 400}, id="beside"
        ),
        pytest.param(
            [model(0, 200, FAILED), connection(500, 100), model(600, 400)],
            {"retry": 500, "connection": 100, "llm": 400},
            id="before the next attempt",
        ),
        pytest.param(
            [connection(0, 200, FAILED), connection(500, 100), model(600, 400)],
            {"retry": 300, "connection": 300, "llm": 400},
            id="given up",
        ),
        pytest.param([connection(0, 1000, FAILED)], {"connection": 1000}, id="given up for good"),
    ],
)
def test_a_wait_for_a_connection_gives_way_to_others_and_not_to_a_retry(
    waits: list[Wait], expected: dict[str, int]
) -> None:
    script = SessionScript(0, (ModelCallScript(1000, 1, 1, ()),))
    sample = SessionSample(0, Outcome.SUCCEEDED, 0, 1000)
    ((parts, _),) = split_times([sample], Observations({0: script}, waits, {}, (), 0, 1))

    assert {name: ns for name, ns in asdict(parts).items() if ns} == expected


def test_a_lane_shows_it() -> None:
    script = SessionScript(0, (ModelCallScript(1000, 1, 1, ()),))
    sample = SessionSample(0, Outcome.SUCCEEDED, 0, 1000)
    waits = [connection(0, 300), model(300, 700)]
    (lane,) = timeline([sample], Observations({0: script}, waits, {}, (), 0, 1)).lanes

    assert lane.state == (LaneState.CONNECTION, LaneState.MODEL)
    assert lane.from_ns == (0, 300)
