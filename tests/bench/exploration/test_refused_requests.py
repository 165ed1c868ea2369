"""A request that the real API refuses is a failure, with its place, in whichever schedule."""

import asyncio
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.exploration.checking import likeness
from warpbench.bench.results.exploration import Failure, FailureKind
from warpbench.bench.results.records import FindingKind
from warpbench.bench.runner.findings import findings_of
from warpbench.bench.statistics.summary import cell_result, trial_figures
from warpbench.bench.targets.loading import Lab
from warpbench.bench.testing.lab import run_cell, spec_of
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.model.tool_results import CALL_WITHOUT_RESULT, ITEM_TWICE, RESULT_WITHOUT_CALL
from warpbench.mocks.workload.numbers import SHARED

from ..isolation.leaking import asynchronous, user
from .mismatched import PAIRS, Pair
from .test_exploring import HEALTHY_SCHEDULES, IS_REPEATED, SCENARIO, SCHEDULES, explored

pytestmark = pytest.mark.once

EVERY_PAIR = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
REASONS = {
    "results by order": {CALL_WITHOUT_RESULT, RESULT_WITHOUT_CALL},
    "late results": {CALL_WITHOUT_RESULT},
}


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_found_in_some_schedule_and_is_all_that_is_found(name: str) -> None:
    found = explored(
        PAIRS[name].buggy, SCHEDULES, stops_at_first=True, most_trials=IS_REPEATED
    ).found

    failures = [each.failure for each in found]
    assert {each.kind for each in failures} == {FailureKind.REFUSED_REQUEST}
    assert {each.reason for each in failures} == REASONS[name]
    places = {(each.place.split(":")[0], each.model_call) for each in failures}
    assert places == {("tests/bench/exploration/mismatched.py", 2)}


@EVERY_PAIR
def test_of_the_repaired_agent_nothing_is_said(pair: Pair) -> None:
    assert explored(pair.repaired, HEALTHY_SCHEDULES).found == ()


STRAY = {"role": "tool", "tool_call_id": "call_of_nobody", "content": "sunny"}


@asynccontextmanager
async def stray_result(lab: Lab) -> AsyncIterator[Any]:
    """Each session begins with a result whose call is not there, and repeats it."""
    async with asynchronous(lab) as client:

        async def session(task: str) -> str:
            messages: list[Any] = [user(task), STRAY]
            for _ in range(2):
                answer = await client.chat.completions.create(model="m", messages=messages)
                messages.append(answer.choices[0].message)
            return task

        yield session


@pytest.mark.parametrize("transport", ["respx", "loopback"])
def test_the_first_of_each_conversation_is_noted_and_no_session_fails(transport: str) -> None:
    clock = "virtual" if transport == "respx" else "wall"
    spec = spec_of(stray_result, scenario=SCENARIO, sessions=2, concurrency=2, clock=clock)
    spec = replace(spec, cell=replace(spec.cell, transport=transport))

    result = run_cell(spec, stray_result)

    assert result.errors == ()
    wrong = result.wrong_requests
    assert [(each.session, each.step, each.reason) for each in wrong] == [
        (0, 0, RESULT_WITHOUT_CALL),
        (1, 0, RESULT_WITHOUT_CALL),
    ]
    assert all(0 <= each.at_ns < result.makespan * 1e9 for each in wrong)


def test_work_that_sessions_share_is_noted_too() -> None:
    def build(lab: Lab) -> Any:
        client = asynchronous(lab)
        messages: list[Any] = [user("What is new?"), STRAY]

        async def session(task: str) -> str:
            asking = client.chat.completions.create(model="m", messages=messages)
            await asyncio.create_task(asking, context=contextvars.Context())
            return task

        return session

    result = run_cell(spec_of(build, scenario=SCENARIO, sessions=1, clock="virtual"), build)

    assert [each.session for each in result.wrong_requests] == [SHARED]


@pytest.mark.parametrize("asks_again", [False, True])
def test_ids_that_the_mock_gives_twice_are_not_held_against_the_agent(asks_again: bool) -> None:
    """It answers an equal request with the same ids, and the real API with others."""

    def build(lab: Lab) -> Any:
        client = asynchronous(lab)

        async def session(task: str) -> str:
            begun: Any = [user(task)]
            first = await client.responses.create(model="m", input=begun)
            second = first
            if asks_again:
                second = await client.responses.create(model="m", input=begun)
            drafts: Any = [*begun, *first.output, *second.output, user("Choose the best.")]
            return (await client.responses.create(model="m", input=drafts)).output_text

        return session

    result = run_cell(spec_of(build, scenario=SCENARIO, sessions=1, clock="virtual"), build)

    assert result.errors == ()
    told = [] if asks_again else [ITEM_TWICE]
    assert [each.reason for each in result.wrong_requests] == told


def test_two_failures_are_one_by_reason_and_place() -> None:
    first = Failure(
        kind=FailureKind.REFUSED_REQUEST,
        session=1,
        model_call=2,
        place="agent.py:ask:12",
        reason=RESULT_WITHOUT_CALL,
    )

    assert likeness(first) == likeness(replace(first, session=2, model_call=3, at_s=1.0))
    assert likeness(first) != likeness(replace(first, place="agent.py:ask:15"))
    assert likeness(first) != likeness(replace(first, reason=CALL_WITHOUT_RESULT))


def test_a_finding_tells_of_it() -> None:
    spec = spec_of(stray_result, scenario=SCENARIO, sessions=2, concurrency=2, clock="virtual")
    with prepared_here(spec, stray_result) as measure:
        trial = measure()

    found = findings_of([cell_result(spec.cell, [trial], [trial_figures(trial)])])

    (wrong,) = (each for each in found if each.kind is FindingKind.REQUESTS_WRONG)
    assert wrong.values["reason"] == RESULT_WITHOUT_CALL
    assert "session 0 sent a tool result without its call in its model call 1" in wrong.message
