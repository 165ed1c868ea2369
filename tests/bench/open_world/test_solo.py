"""Agents of their own structure are held against their sessions alone."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import product
from typing import Any

import pytest
from warpbench.bench.results.reference import NOTHING_SHARED, Reference
from warpbench.bench.targets.loading import Lab, Target
from warpbench.bench.testing.lab import LabResult, prepared_cell, run_cell, spec_of
from warpbench.mocks.scenario import Scenario, parse_scenario

from . import targets
from .test_whose_requests import DRAWN, EVERY, SESSIONS

pytestmark = pytest.mark.once

ONE_AT_A_TIME = {"sync", "blocking"}
LIMITED = parse_scenario("""
    name = "limited"
    description = "One call; the model serves two at a time."
    sessions = 4
    [model]
    latency_s = 0.5
    [model.limits]
    concurrency = 2
    [[rounds]]
""")


Session = Callable[[str], Awaitable[str]]


def run(
    build: targets.Build, strategy: str = "gather", scenario: Scenario = DRAWN, **cell: Any
) -> LabResult:
    cell = {"sessions": SESSIONS, **cell}
    spec = spec_of(build, scenario=scenario, strategy=strategy, **cell)
    return run_cell(spec, build)


@pytest.mark.parametrize(
    ("build", "strategy"),
    [
        *((targets.guarded, strategy) for strategy in EVERY),
        *product((targets.deep_research, targets.samples), ("sync", "executor", "gather")),
    ],
)
def test_who_loses_no_time_reaches_the_ideal(build: targets.Build, strategy: str) -> None:
    # One at a time is the ideal where no more are asked for.
    concurrency = 1 if strategy in ONE_AT_A_TIME else 3

    result = run(build, strategy, concurrency=concurrency)

    assert result.reference is Reference.SOLO
    assert result.efficiency == 1
    assert result.shared_work == NOTHING_SHARED


def asking(ask: Callable[[targets.Clients], Session]) -> targets.Build:
    """An agent whose sessions do something with clients of the model."""

    def build(lab: Lab) -> Target:
        return Target(session=ask(targets.clients(lab)))

    return build


def one_at_a_time(clients: targets.Clients) -> Session:
    """A lock that all sessions hold while they ask: the cause of a loss."""
    lock = asyncio.Lock()

    async def session(task: str) -> str:
        async with lock:
            return await clients.ask(task)

    return session


def test_who_waits_for_other_sessions_is_below_the_ideal() -> None:
    result = run(asking(one_at_a_time))

    assert result.reference is Reference.SOLO
    waited_ns = [wait.waited_ns for wait in result.waits]
    assert result.efficiency == pytest.approx(max(waited_ns) / sum(waited_ns))
    assert result.efficiency < 0.5


def pooled(clients: targets.Clients) -> Session:
    """An agent that asks in threads, of which asyncio has only so many."""

    async def session(task: str) -> str:
        await asyncio.gather(
            *(asyncio.to_thread(clients.ask_plainly, f"{task} {number}") for number in range(20))
        )
        return "done"

    return session


def test_an_executor_that_is_full_is_a_loss() -> None:
    result = run(asking(pooled))

    assert result.efficiency is not None
    assert result.efficiency < 0.5


def single_flight(clients: targets.Clients) -> Session:
    """An agent whose sessions share one answer while it is under way, and keep it no longer."""
    under_way: dict[str, asyncio.Task[str]] = {}

    async def session(task: str) -> str:
        if "rules" not in under_way:
            under_way["rules"] = asyncio.create_task(clients.ask("What are the rules?"))
            under_way["rules"].add_done_callback(lambda _: under_way.pop("rules"))
        rules = await asyncio.shield(under_way["rules"])
        return await clients.ask(f"{rules} {task}")

    return session


@pytest.mark.parametrize("concurrency", [2, 3, SESSIONS])
def test_what_sessions_spare_each_other_is_shared_work(concurrency: int) -> None:
    result = run(asking(single_flight), concurrency=concurrency)

    assert result.reference is Reference.SOLO
    assert result.llm_calls < 2 * SESSIONS
    assert result.shared_work.model_calls == 2 * SESSIONS - result.llm_calls
    assert 0 < result.shared_work.sessions <= SESSIONS
    assert result.shared_work.spared_s > 0
    assert result.efficiency is not None
    assert result.efficiency <= 1


def two_in_turn(clients: targets.Clients) -> Target:
    """A slower plain form: it asks in turn what the async one asks at once."""

    async def session(task: str) -> str:
        return "".join(await asyncio.gather(clients.ask("One"), clients.ask("Another")))

    def sync_session(task: str) -> str:
        return clients.ask_plainly("One") + clients.ask_plainly("Another")

    return Target(session=session, sync_session=sync_session)


def test_a_slower_form_is_held_against_the_quicker_one() -> None:
    def build(lab: Lab) -> Target:
        return two_in_turn(targets.clients(lab))

    quick, slow = run(build, "gather"), run(build, "threads")

    assert quick.efficiency == 1
    assert slow.ideal == quick.ideal
    assert slow.efficiency == pytest.approx(quick.makespan / slow.makespan)
    assert slow.efficiency < 1


def failing_alone(clients: targets.Clients, *, which: int | None) -> Session:
    """An agent whose sessions, or one of which, need company: alone they fail."""
    present = 0

    async def session(task: str) -> str:
        nonlocal present
        present += 1
        try:
            answer = await clients.ask(task)
            assert present > 1 or (which is not None and f"session {which}]" not in task)
            return answer
        finally:
            present -= 1

    return session


def test_sessions_that_fail_alone_are_held_against_their_conversations() -> None:
    result = run(asking(partial(failing_alone, which=None)), strategy="taskgroup")

    assert result.sessions.succeeded >= SESSIONS - 1  # the last to end is alone by then
    assert result.reference is Reference.CONVERSATION


def test_one_session_that_fails_alone_keeps_its_conversation() -> None:
    result = run(asking(partial(failing_alone, which=2)))

    assert result.reference is Reference.SOLO
    assert result.held.trial.sessions_without_solo == 1
    assert result.efficiency == 1


def test_limits_of_the_model_bound_the_ideal_and_hold_no_session_up_alone() -> None:
    result = run(targets.samples, scenario=LIMITED)

    # Twenty calls of half a second, two at a time.
    assert result.ideal.makespan == 5.0
    assert result.ideal.latency.max == 0.5
    assert result.efficiency == 1


def test_a_target_that_plays_the_script_is_held_against_it() -> None:
    result = run_cell(spec_of("agent", sessions=3), "agent")

    assert result.reference is Reference.SCRIPT
    assert result.efficiency == 1


def test_sessions_run_alone_only_when_somebody_asks_what_they_are_held_against() -> None:
    tasks: list[str] = []

    def noting(clients: targets.Clients) -> Session:
        async def session(task: str) -> str:
            tasks.append(task)
            return await clients.ask(task)

        return session

    result = run(asking(noting))
    repr(result)
    before = len(tasks)
    assert result.efficiency == 1

    assert before == 2 + SESSIONS  # those of the warm-up, and the measured ones
    assert len(tasks) == 2 * before


def test_it_can_be_asked_for_while_the_cell_is_prepared() -> None:
    spec = spec_of(targets.guarded, scenario=DRAWN, sessions=SESSIONS)
    with prepared_cell(spec, targets.guarded) as measure:
        result = measure()
        assert result.efficiency == 1
