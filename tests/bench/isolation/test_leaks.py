"""Text of one session that another takes up is found, with its place; what is shared is none."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.results.cancellation import Cancellation
from warpbench.bench.results.records import FindingKind
from warpbench.bench.runner.findings import findings_of
from warpbench.bench.statistics.summary import cell_result, trial_figures
from warpbench.bench.targets.loading import Lab
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.scenario import parse_scenario

from .leaking import CASES, Build, Case, asked, asynchronous, user
from .sharing import SHARERS

SESSIONS = 6
SCENARIO = parse_scenario("""
    name = "isolated"
    description = "A tool whose arguments are the same for all, and answers that take unlike long."
    sessions = 6
    [model]
    latency_s = { lognormal = { median = 0.5, p99 = 1.5 } }
    [tools.weather]
    description = "Reports the weather."
    kind = "async"
    latency_s = 0.1
    parameters = { city = "string" }
    [[rounds]]
    tools = [{ tool = "weather", arguments = { city = "Vienna" } }]
    [[rounds]]
""")
EVERY_CASE = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def run(build: Callable[..., Any], strategy: str = "gather", **cell: Any) -> LabResult:
    cell = {"scenario": SCENARIO, "sessions": SESSIONS, "concurrency": SESSIONS, **cell}
    return run_cell(spec_of(build, strategy=strategy, **cell), build)


@EVERY_CASE
@pytest.mark.parametrize("clock", ["virtual", pytest.param("warp", marks=pytest.mark.once)])
def test_text_that_reaches_another_session_is_a_leak(case: Case, clock: str) -> None:
    result = run(case.buggy, case.strategy, clock=clock)

    assert result.isolation.leaked_sessions > 0
    assert all(leak.session != leak.owner for leak in result.leaks)
    assert any((leak.model_call is None) is case.in_answer for leak in result.leaks)
    failed = result.sessions.failed
    assert failed >= result.isolation.leaked_sessions
    assert all("text of" in error for error in result.errors)


@EVERY_CASE
@pytest.mark.parametrize("clock", ["virtual", pytest.param("warp", marks=pytest.mark.once)])
def test_the_repaired_agent_has_none(case: Case, clock: str) -> None:
    result = run(case.repaired, case.strategy, clock=clock)

    assert result.errors == ()
    assert result.leaks == ()


def test_a_leak_in_a_request_has_the_place_that_sent_it() -> None:
    result = run(CASES["notes of all"].buggy)

    places = {leak.place for leak in result.leaks if leak.model_call is not None}
    assert {place.partition(":")[0] for place in places} == {"tests/bench/isolation/leaking.py"}
    assert {leak.model_call for leak in result.leaks if leak.model_call} == {1}


@pytest.mark.parametrize("cancels", [(), (Cancellation(0, after_ns=1),)], ids=["", "one cancelled"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_what_a_package_sends_in_a_task_has_the_place_at_which_the_session_waits_for_it(
    loop: str, cancels: tuple[Cancellation, ...]
) -> None:
    def build(lab: Lab) -> Any:
        client = asynchronous(lab)
        everybodys: list[Any] = []

        async def session(task: str) -> str:
            everybodys.append(user(task))
            # On the stack of this task there is nothing but the SDK.
            sent = asyncio.create_task(
                client.chat.completions.create(model="m", messages=list(everybodys))
            )
            return (await sent).choices[0].message.content or ""

        return session

    spec = spec_of(
        build,
        scenario=SCENARIO,
        sessions=SESSIONS,
        concurrency=SESSIONS,
        clock="virtual",
        loop=loop,
    )
    result = run_cell(replace(spec, cancels=cancels), build)

    (place,) = {leak.place for leak in result.leaks if leak.model_call is not None}
    assert ".build.<locals>.session:" in place


@pytest.mark.parametrize("build", SHARERS.values(), ids=SHARERS)
@pytest.mark.parametrize("clock", ["virtual", pytest.param("warp", marks=pytest.mark.once)])
def test_who_shares_on_purpose_leaks_nothing(build: Build, clock: str) -> None:
    result = run(build, clock=clock, concurrency=4)

    assert result.errors == ()
    assert result.leaks == ()


@pytest.mark.parametrize(
    ("build", "is_hit"),
    [
        (SHARERS["tool_cache"], True),
        (SHARERS["single_flight"], True),
        (SHARERS["knowledge_store"], True),
        (CASES["shared history"].repaired, False),
    ],
)
def test_what_is_nobodys_text_is_a_cache_hit(build: Build, is_hit: bool) -> None:
    assert (run(build).isolation.cache_hits > 0) is is_hit


def test_text_of_the_warm_up_is_a_leak_too() -> None:
    result = run(CASES["shared history"].buggy, concurrency=1, sessions=1)

    assert {leak.owner for leak in result.leaks} <= {-1, -2}
    assert result.sessions.failed == 1


@pytest.mark.parametrize("is_shared", [True, False])
def test_over_sockets_the_header_says_whose_a_request_is(is_shared: bool) -> None:
    @asynccontextmanager
    async def build(lab: Lab) -> AsyncIterator[Any]:
        everybodys: list[Any] = []
        async with asynchronous(lab) as client:

            async def session(task: str) -> str:
                history = everybodys if is_shared else []
                history.append(user(task))
                return await asked(client, list(history))

            yield session

    spec = spec_of(build, scenario=SCENARIO, sessions=2, concurrency=2, clock="wall")
    spec = replace(spec, cell=replace(spec.cell, transport="loopback"))

    assert run_cell(spec, build).isolation.leaked_sessions == (2 if is_shared else 0)


def test_what_the_scenario_calls_shared_is_no_leak() -> None:
    def build(lab: Any) -> Any:
        memory = {tool.name: tool for tool in lab.offered}["memory_search"]
        kept: list[str] = []

        async def session(task: str) -> str:
            kept.append(await memory.function(ticket=f"{_number(task)}.0.0", query=task))
            return " ".join(kept)

        return session

    declared = """
        name = "memory"
        description = "A store that all sessions search."
        sessions = 3
        optional_tools = true
        {isolation}
        [model]
        latency_s = 0.5
        [tools.memory_search]
        description = "Searches what all have stored."
        kind = "async"
        latency_s = 0.1
        parameters = {{ query = "string" }}
        [[rounds]]
        tools = [{{ tool = "memory_search", arguments = {{ query = "all" }} }}]
        [[rounds]]
    """

    def leaks(isolation: str) -> int:
        scenario = parse_scenario(declared.format(isolation=isolation))
        return len(run(build, scenario=scenario, sessions=3).leaks)

    assert leaks("") > 0
    assert leaks('isolation = { shared = ["memory_search"] }') == 0


def _number(task: str) -> str:
    return task.partition("session ")[2].partition("]")[0]


def test_a_finding_tells_of_it() -> None:
    build = CASES["singleton"].buggy
    spec = spec_of(build, scenario=SCENARIO, sessions=SESSIONS, concurrency=SESSIONS)
    with prepared_here(spec, build) as measure:
        trial = measure()

    found = findings_of([cell_result(spec.cell, [trial], [trial_figures(trial)])])

    (leak,) = (each for each in found if each.kind is FindingKind.TEXT_LEAKED)
    assert (leak.values["sessions"], leak.values["model_call"]) == (SESSIONS - 1, 0)
