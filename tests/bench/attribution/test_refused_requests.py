"""What refused requests cost a session: the pauses after them, and nothing that others explain."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import astuple

import httpx
import pytest
from openai import AsyncOpenAI, OpenAI
from warpbench.bench.attribution.refused_requests import refused_costs_ns
from warpbench.bench.results.refused_hosts import RefusedHost
from warpbench.bench.targets.loading import Target
from warpbench.bench.testing.lab import LabResult, prepared_cell, run_cell, spec_of
from warpbench.mocks.observe.refusals import Refusal
from warpbench.mocks.observe.waits import Wait, WaitKind
from warpbench.mocks.scenario import parse_scenario

# A target's clients are not closed: their sockets end when they are collected.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

SCENARIO = """
    name = "one"
    description = "One call."
    sessions = 4
    [model]
    latency_s = 0.5
    [[rounds]]
"""
URL = "https://telemetry.example/v1/track"


def run(target: Callable[[], Target], strategy: str = "gather") -> LabResult:
    scenario = parse_scenario(SCENARIO, "one.toml")
    return run_cell(spec_of(target, scenario=scenario, strategy=strategy, sessions=4), target)


def reporting() -> Target:
    """An agent that reports to a host which nobody mocks, three times with a pause after each."""
    model, http = AsyncOpenAI(), httpx.AsyncClient()

    async def session(task: str) -> str:
        for pause_s in (0.5, 1.0, 2.0):
            try:
                await http.post(URL)
            except Exception:  # noqa: BLE001 - as a client's own back-off does
                await asyncio.sleep(pause_s)
        await model.chat.completions.create(model="m", messages=[{"role": "user", "content": task}])
        await asyncio.sleep(0.25)
        return "done"

    return Target(session=session)


def looking_up() -> Target:
    """An agent in plain code that looks up a name which nobody knows here."""
    model = OpenAI()

    def session(task: str) -> str:
        with contextlib.suppress(OSError):
            socket.create_connection(("prices.example", 443))
        time.sleep(1.0)
        model.chat.completions.create(model="m", messages=[{"role": "user", "content": task}])
        return "done"

    return Target(sync_session=session)


def test_the_pauses_after_refused_requests_are_their_cost_and_a_retry() -> None:
    result = run(reporting)

    assert result.refused == (
        RefusedHost(
            host="telemetry.example",
            paths=("/v1/track",),
            requests=12,
            sessions=4,
            cost_s=14.0,
            requests_before=6,  # two sessions of the warm-up
        ),
    )
    for parts in result.time_parts:
        assert (parts.retry, parts.llm, parts.remainder) == (3.5, 0.5, 0.25)
        assert sum(astuple(parts)) == result.makespan == 4.25


def test_a_refused_connection_counts_as_a_refused_request_does() -> None:
    result = run(looking_up, strategy="threads")

    assert result.refused == (
        RefusedHost(host="prices.example", requests=4, sessions=4, cost_s=4.0, requests_before=2),
    )
    assert result.sessions.succeeded == 4


def looking_for_a_new_version() -> Target:
    """An agent whose package looks for a new version as it is loaded, and gives up after 5 s."""
    for _ in range(3):
        with contextlib.suppress(httpx.ConnectError):
            httpx.get("https://versions.example/newest")
    with contextlib.suppress(OSError):
        socket.create_connection(("192.0.2.7", 443))
    time.sleep(5.0)
    model = AsyncOpenAI()

    async def session(task: str) -> str:
        await model.chat.completions.create(model="m", messages=[{"role": "user", "content": task}])
        return "done"

    return Target(session=session)


def test_what_is_refused_at_the_import_is_told_apart_and_costs_the_sessions_nothing() -> None:
    result = run(looking_for_a_new_version)

    assert result.refused == (
        RefusedHost(host="versions.example", paths=("/newest",), requests=0, requests_before=3),
        RefusedHost(host="192.0.2.7", requests=0, requests_before=1),
    )
    assert result.makespan == 0.5
    assert [parts.retry for parts in result.time_parts] == [0.0] * 4


def test_a_second_measurement_knows_what_came_before_the_first_alone() -> None:
    scenario = parse_scenario(SCENARIO, "one.toml")
    spec = spec_of(reporting, scenario=scenario, sessions=4)

    with prepared_cell(spec, reporting) as measure:
        first, second = measure(), measure()

    assert second.refused == first.refused


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_name_that_a_loop_resolves_is_counted_for_the_session_that_asks(loop: str) -> None:
    async def session(_task: str) -> str:
        with contextlib.suppress(OSError):
            await asyncio.open_connection("prices.example", 443)
        await asyncio.sleep(1.0)
        return "done"

    result = run_cell(spec_of(session, loop=loop, sessions=4), session)

    assert result.refused == (
        RefusedHost(host="prices.example", requests=4, sessions=4, cost_s=4.0, requests_before=2),
    )


def wait(start_ns: int, end_ns: int) -> Wait:
    return Wait(WaitKind.MODEL, 0, 0, None, "", start_ns, end_ns)


def costs(
    refusals: list[Refusal], waits: list[Wait], gaps: list[tuple[int, int]], idle_share: float = 1
) -> dict[str, int]:
    return dict(refused_costs_ns(refusals, waits, gaps, lambda a, b: round((b - a) * idle_share)))


def refusal(at_ns: int, host: str = "a.example") -> Refusal:
    return Refusal(host, "", 0, at_ns)


def test_a_refusal_costs_until_the_next_thing_that_the_session_does() -> None:
    waits = [wait(0, 10), wait(30, 50)]
    gaps = [(10, 30), (50, 90)]

    assert costs([refusal(15)], waits, gaps) == {"a.example": 15}
    assert costs([refusal(60)], waits, gaps) == {"a.example": 30}
    # Nor does it end where it was refused: a wait of no length is over by then.
    assert costs([refusal(15)], [*waits, wait(15, 15)], gaps) == {"a.example": 15}
    assert costs([], waits, gaps) == {}


def test_each_refusal_costs_until_the_next_whichever_host_is_asked() -> None:
    refusals = [refusal(10), refusal(20), refusal(25, "b.example"), refusal(40)]

    assert costs(refusals, [], [(0, 100)]) == {"a.example": 75, "b.example": 15}


def test_what_the_session_waits_for_at_the_same_time_and_computing_cost_nothing() -> None:
    # A call of the model that began before, and ends in the midst of the pause.
    assert costs([refusal(15)], [wait(0, 20)], [(20, 30)]) == {"a.example": 10}
    assert costs([refusal(15)], [], [(10, 30)], idle_share=0.2) == {"a.example": 3}
    # A call that begins at the moment of the refusal is the next thing.
    assert costs([refusal(15)], [wait(15, 20)], [(20, 90)]) == {}
