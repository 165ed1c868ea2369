"""Every request is booked to its session, though no prompt carries a marker; and is answered."""

from typing import Any

import pytest
from warpbench.bench.results.model_requests import ModelRequests
from warpbench.bench.strategies import BUILT_IN, Drives
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of
from warpbench.mocks.observe.waits import WaitKind
from warpbench.mocks.scenario import parse_scenario

from . import targets

SESSIONS = 4
DRAWN = parse_scenario("""
    name = "drawn"
    description = "One call, of a drawn latency."
    sessions = 4
    [model]
    latency_s = { lognormal = { median = 0.5, p99 = 1.5 } }
    [[rounds]]
""")
ASYNC = [each.name for each in BUILT_IN if each.drives is Drives.ASYNC]
EVERY = [each.name for each in BUILT_IN]
ON_LOOP = {each.name: each.on_loop for each in BUILT_IN}


def run(build: targets.Build, strategy: str = "gather", **cell: Any) -> LabResult:
    spec = spec_of(build, scenario=DRAWN, sessions=SESSIONS, strategy=strategy, **cell)
    return run_cell(spec, build)


# On the other clock, and the other loop, one strategy of each kind: the slow suite has all of them.
CELLS = (
    *((strategy, "asyncio", "virtual") for strategy in EVERY),
    *((strategy, "asyncio", "warp") for strategy in ("gather", "threads")),
    *(("gather", "uvloop", clock) for clock in ("virtual", "warp")),
    ("executor", "uvloop", "virtual"),
)
AGENTS = pytest.mark.parametrize(
    ("build", "calls"),
    [(targets.deep_research, 5), (targets.guarded, 2)],
    ids=["research", "guarded"],
)


@pytest.mark.parametrize(("strategy", "loop", "clock"), CELLS)
@AGENTS
def test_each_request_is_booked_to_its_session(
    build: targets.Build, calls: int, strategy: str, loop: str, clock: str
) -> None:
    require_booked_requests(build, calls, strategy, loop, clock)


def require_booked_requests(
    build: targets.Build, calls: int, strategy: str, loop: str, clock: str
) -> None:
    result = run(build, strategy, loop=loop, clock=clock)

    assert result.errors == ()
    assert result.sessions.succeeded == SESSIONS
    assert result.model_requests.by_context == calls * SESSIONS
    assert result.model_requests.shared == 0
    if (clock, loop) == ("virtual", "asyncio"):  # what is ideal depends on neither
        assert result.efficiency is not None
        assert result.efficiency <= 1


@pytest.mark.parametrize("strategy", ASYNC)
def test_a_task_in_each_prompt_makes_no_failed_attempts(strategy: str) -> None:
    result = run(targets.research_with_the_task, strategy)

    assert result.errors == ()
    assert result.model_requests == ModelRequests(by_context=5 * SESSIONS)
    assert {parts.retry for parts in result.time_parts} == {0}
    assert result.efficiency == 1


@pytest.mark.parametrize("strategy", EVERY)
def test_what_is_asked_beside_the_model_is_a_service_of_its_session(strategy: str) -> None:
    result = run(targets.checked_first, strategy)

    assert result.errors == ()
    assert result.model_requests == ModelRequests(by_context=SESSIONS)
    services = [wait for wait in result.waits if wait.kind is WaitKind.SERVICE]
    assert sorted(wait.session for wait in services) == sorted([*range(SESSIONS)] * 2)
    assert [round(parts.tool, 6) for parts in result.time_parts] == [0.3] * SESSIONS


def test_no_order_of_asking_changes_a_draw() -> None:
    usual = waits_of(run(targets.deep_research, "gather"))

    assert len(set(usual)) == 5 * SESSIONS
    for strategy in EVERY:
        assert waits_of(run(targets.deep_research, strategy)) == usual, strategy


def waits_of(result: LabResult) -> list[int]:
    return sorted(wait.waited_ns for wait in result.waits)


@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize(
    "build", [targets.one_list_for_all, targets.singleton], ids=["one list", "singleton"]
)
def test_who_carries_anothers_text_is_answered_as_itself(
    build: targets.Build, strategy: str
) -> None:
    result = run(build, strategy)

    # That is a leak, for which they fail (see ``isolation``), and no reason to refuse a request.
    assert all("text of" in error for error in result.errors)
    assert result.model_requests == ModelRequests(by_context=SESSIONS)


@pytest.mark.parametrize("strategy", EVERY)
def test_samples_of_one_prompt_have_latencies_of_their_own(strategy: str) -> None:
    result = run(targets.samples, strategy)

    assert result.errors == ()
    assert result.model_requests == ModelRequests(by_context=5 * SESSIONS, samples=4 * SESSIONS)
    assert len(set(waits_of(result))) == 5 * SESSIONS


@pytest.mark.parametrize("strategy", ASYNC)
def test_a_chat_of_any_length_is_answered(strategy: str) -> None:
    result = run(targets.turns, strategy)

    assert result.errors == ()
    assert result.llm_calls == 5 * SESSIONS
    assert len(set(waits_of(result))) == 5 * SESSIONS
    assert result.efficiency == 1


@pytest.mark.parametrize("strategy", ASYNC)
def test_a_request_that_is_given_up_for_an_equal_one_is_a_hedge(strategy: str) -> None:
    result = run(targets.hedged, strategy)

    hedges = result.llm_calls - SESSIONS
    assert result.errors == ()
    assert 0 < hedges <= SESSIONS
    assert result.model_requests.hedges == hedges
    assert result.model_requests.samples + result.model_requests.repeats <= hedges
    assert result.efficiency is not None
    assert result.efficiency <= 1


@pytest.mark.parametrize("strategy", ASYNC)
def test_a_worker_that_serves_all_sessions_books_by_what_it_asks(strategy: str) -> None:
    result = run(targets.batcher, strategy)

    assert result.errors == ()
    assert result.model_requests.by_context + result.model_requests.by_marks == SESSIONS
    assert result.model_requests.by_marks >= SESSIONS - 1
    assert result.model_requests.shared == 0


@pytest.mark.parametrize(
    ("build", "strategies"),
    [
        (targets.batcher_from_a_list, ASYNC),
        (targets.thread_that_serves_a_list, ["threads"]),
    ],
    ids=["tasks", "a thread"],
)
def test_what_a_session_started_serves_whose_text_it_sends(
    build: targets.Build, strategies: list[str]
) -> None:
    for strategy in strategies:
        result = run(build, strategy, concurrency=3)

        assert result.errors == ()
        assert result.leaks == ()
        assert {wait.session for wait in result.waits} == set(range(SESSIONS))
        assert result.model_requests.by_context > 0
        assert result.model_requests.by_marks > 0
        assert result.model_requests.shared == 0


def test_each_session_waits_for_a_request_that_holds_an_input_of_it() -> None:
    result = run(targets.embedder, concurrency=3)

    assert result.errors == ()
    embedded = [wait for wait in result.waits if wait.kind is WaitKind.SERVICE]
    assert sorted(wait.session for wait in embedded) == list(range(SESSIONS))
    assert result.model_requests.inputs_by_marks == SESSIONS
    assert result.model_requests.inputs_shared == len({wait.start_ns for wait in embedded})
    assert [parts.tool for parts in result.time_parts] == [0.1] * SESSIONS


def test_a_prompt_of_several_sessions_is_nobodys() -> None:
    result = run(targets.one_prompt_of_all, concurrency=2)

    assert result.errors == ()
    assert result.model_requests.by_context == result.model_requests.by_marks == 0
    assert result.model_requests.shared == result.llm_calls > 0
