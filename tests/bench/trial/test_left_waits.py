"""A session that does not wait for what the script has for it: told as such, and never ahead."""

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from warpbench.bench.results.records import CellResult, Finding, FindingKind
from warpbench.bench.results.tools_not_run import ToolsNotRun
from warpbench.bench.runner.findings import findings_of
from warpbench.bench.statistics.summary import cell_result
from warpbench.bench.strategies import BUILT_IN, Drives
from warpbench.bench.targets.loading import Lab, Target
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.observe.waits import WaitEnding
from warpbench.mocks.scenario import Scenario, parse_scenario

PIECES = parse_scenario("""
    name = "pieces"
    description = "Ten pieces, one every 100 ms."
    sessions = 2
    [model]
    ttft_s = 0.1
    gap_s = 0.1
    completion_tokens = 10
    [[rounds]]
""")
TOOLS = parse_scenario("""
    name = "two-tools"
    description = "Two rounds with a tool of half a second, and the answer."
    sessions = 2
    [model]
    latency_s = 1.0
    [tools.look_up]
    description = "Looks something up."
    kind = "async"
    latency_s = 0.5
    [[rounds]]
    tools = [{ tool = "look_up" }]
    [[rounds]]
    tools = [{ tool = "look_up" }]
    [[rounds]]
""")
TOOLS_OR_NOT = replace(TOOLS, optional_tools=True)
ASYNC = [strategy.name for strategy in BUILT_IN if strategy.drives is Drives.ASYNC]
SYNC = [strategy.name for strategy in BUILT_IN if strategy.drives is Drives.SYNC]
WHERE = "opened at leaving (tests/bench/trial/test_left_waits.py:"


def asked(task: str) -> Any:
    return {"model": "m", "messages": [{"role": "user", "content": task}]}


async def first_piece(stream: Any) -> None:
    async for _ in stream:
        break


async def close_early(stream: Any) -> None:
    async with stream:
        await first_piece(stream)


async def never_close(stream: Any) -> None:
    await first_piece(stream)
    await asyncio.sleep(2)


async def read_until_the_reason_to_stop(stream: Any) -> None:
    async with aclosing(aiter(stream)) as pieces:
        async for piece in pieces:
            if piece.choices and piece.choices[0].finish_reason:
                break


async def read_all(stream: Any) -> None:
    async for _ in stream:
        pass


def leaver(leave: Callable[[Any], Any]) -> Callable[[], Any]:
    def build() -> Any:
        client = AsyncOpenAI(max_retries=0)

        async def leaving(task: str) -> str:
            stream = await client.chat.completions.create(**asked(task), stream=True)
            await leave(stream)
            return str(stream)

        return leaving

    return build


def run(target: Any, scenario: Scenario = PIECES, **options: Any) -> LabResult:
    return run_cell(spec_of(target, scenario=scenario, sessions=2, **options), target)


LEAVES = [(close_early, "it was closed early"), (never_close, "it was never closed")]


@pytest.mark.parametrize(
    ("leave", "how", "strategy", "loop"),
    [
        (*LEAVES[0], "gather", "asyncio"),
        (*LEAVES[0], "taskgroup", "uvloop"),
        (*LEAVES[0], "workers", "asyncio"),
        (*LEAVES[1], "gather", "uvloop"),
        (*LEAVES[1], "taskgroup", "asyncio"),
    ],
)
def test_a_stream_that_is_left_fails_its_session(
    leave: Callable[[Any], Any], how: str, strategy: str, loop: str
) -> None:
    """The slow suite has all of each, here and below."""
    check_left(leave, how, strategy, loop)


def check_left(leave: Callable[[Any], Any], how: str, strategy: str, loop: str) -> None:
    result = run(leaver(leave), strategy=strategy, loop=loop)

    assert result.sessions.failed == 2
    assert result.efficiency is None
    for error in result.errors:
        assert error.startswith(
            f"the session left the stream of model call 1 of 1 after 100 ms of 1.00 s: {how}, "
        )
        assert WHERE in error
    # What it waited for the model is the model's, whatever it does after.
    assert [parts.llm for parts in result.time_parts] == [0.1, 0.1]
    slept_s = result.latencies[0] - 0.1
    assert [parts.remainder for parts in result.time_parts] == [pytest.approx(slept_s)] * 2


@pytest.mark.parametrize(
    ("strategy", "closes"), [(each, number % 2 == 0) for number, each in enumerate(SYNC)]
)
def test_so_does_one_of_plain_code(strategy: str, closes: bool) -> None:
    check_plainly_left(strategy, closes=closes)


def check_plainly_left(strategy: str, *, closes: bool) -> None:
    kept: list[Any] = []

    def build() -> Target:
        client = OpenAI(max_retries=0)

        def leaving(task: str) -> str:
            stream = client.chat.completions.create(**asked(task), stream=True)
            kept.append(stream)
            next(iter(stream))
            if closes:
                stream.close()
            return ""

        return Target(session=None, sync_session=leaving)

    result = run(build, strategy=strategy)

    how = "closed early" if closes else "never closed"
    assert result.sessions.failed == 2
    assert all(f"it was {how}, {WHERE}" in error for error in result.errors)
    assert [parts.llm for parts in result.time_parts] == [0.1, 0.1]


@pytest.mark.parametrize(
    ("leave", "loop"), [(read_all, "asyncio"), (read_until_the_reason_to_stop, "uvloop")]
)
def test_a_stream_whose_last_piece_is_there_is_not_left(
    leave: Callable[[Any], Any], loop: str
) -> None:
    result = run(leaver(leave), loop=loop)

    assert result.errors == ()
    assert result.efficiency == 1.0
    assert {wait.ending for wait in result.waits} == {WaitEnding.WHOLE}


def test_who_answers_without_waiting_for_the_model_has_failed() -> None:
    def build() -> Any:
        client = AsyncOpenAI(max_retries=0)

        async def impatient(task: str) -> str:
            try:
                async with asyncio.timeout(0.4):
                    await client.chat.completions.create(**asked(task))
            except TimeoutError:
                return "the model is too slow"
            return "done"

        return impatient

    result = run(build)

    assert result.sessions.failed == 2
    assert result.errors[0].startswith(
        "the session did not wait for the reply to model call 1 of 1 after 400 ms of 1.00 s "
        "(impatient (tests/bench/trial/test_left_waits.py:"
    )


def test_another_attempt_makes_up_for_a_stream_that_is_left() -> None:
    def build() -> Any:
        client = AsyncOpenAI(max_retries=0)

        async def again(task: str) -> str:
            await close_early(await client.chat.completions.create(**asked(task), stream=True))
            await read_all(await client.chat.completions.create(**asked(task), stream=True))
            return ""

        return again

    result = run(build)

    assert result.errors == ()
    assert result.makespan == 1.1
    assert result.time_parts[0].llm == 1.0
    assert result.time_parts[0].retry == 0.1


def agent(call: Callable[[Lab, int, str], Any], declares: Callable[[int], Iterable[str]]) -> Any:
    """An agent in a few lines: ``call`` gets each tool call, and its step."""

    def build(lab: Lab) -> Any:
        (tool,) = lab.tools
        client = AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url)

        async def session(task: str) -> str:
            messages: list[Any] = [{"role": "user", "content": task}]
            for step in range(10):
                declared: Any = [
                    {
                        "type": "function",
                        "function": {
                            "name": name,
                            "parameters": dict(tool.parameters)
                            if name == tool.name
                            else {"type": "object", "properties": {}},
                        },
                    }
                    for name in declares(step)
                ]
                answer = await client.chat.completions.create(
                    model="m", messages=messages, tools=declared
                )
                message: Any = answer.choices[0].message
                messages.append(message)
                if not message.tool_calls:
                    break
                (asked_for,) = message.tool_calls
                content = await call(lab, step, asked_for.function.arguments)
                messages.append(
                    {"role": "tool", "tool_call_id": asked_for.id, "content": content or "none"}
                )
            return "done"

        return session

    return build


async def use(lab: Lab, _step: int, arguments: str) -> Any:
    return await lab.tools[0].function(**json.loads(arguments))  # type: ignore[misc]


async def keep_the_second(lab: Lab, step: int, arguments: str) -> Any:
    return "kept" if step == 1 else await use(lab, step, arguments)


async def hand_off(lab: Lab, step: int, arguments: str) -> Any:
    return "yours" if step == 0 else await use(lab, step, arguments)


async def cut_short(lab: Lab, step: int, arguments: str) -> Any:
    try:
        async with asyncio.timeout(0.25):
            return await use(lab, step, arguments)
    except TimeoutError:
        return "too slow"


async def let_run(lab: Lab, step: int, arguments: str) -> Any:
    running.append(asyncio.create_task(use(lab, step, arguments)))
    return "started"


running: list[asyncio.Task[Any]] = []


def always(_step: int) -> Iterable[str]:
    return ("look_up",)


def a_handoff_first(step: int) -> Iterable[str]:
    return ("transfer_to_specialist",) if step == 0 else ("look_up",)


HOLDS_UP = {
    "all": (use, 4.0, 4.0),
    "kept result": (keep_the_second, 3.5, 3.5),
    "cut short": (cut_short, 3.5, 3.0),
    "in the background": (let_run, 3.0, 3.0),
}


@pytest.mark.parametrize(
    ("name", "loop"), [(name, ("asyncio", "uvloop")[n % 2]) for n, name in enumerate(HOLDS_UP)]
)
def test_a_tool_counts_for_the_ideal_as_far_as_it_held_its_session_up(name: str, loop: str) -> None:
    check_held_up(name, loop)


def check_held_up(name: str, loop: str) -> None:
    call, took_s, ideal_s = HOLDS_UP[name]
    running.clear()

    result = run(agent(call, always), TOOLS, loop=loop)

    assert result.errors == ()
    assert result.makespan == took_s
    assert result.ideal.makespan == ideal_s
    assert result.ideal.latency.max == ideal_s


def test_a_handoff_in_place_of_a_tool_fails_its_session() -> None:
    result = run(agent(hand_off, a_handoff_first), TOOLS)

    assert set(result.errors) == {
        "the session did not run 1 of the 2 tool calls of its script: look_up. If that is meant, "
        "say optional_tools = true in the scenario"
    }
    assert result.sessions.failed == 2


def test_where_tools_are_optional_a_handoff_takes_no_longer_than_the_ideal() -> None:
    result = run(agent(hand_off, a_handoff_first), TOOLS_OR_NOT, loop="uvloop")

    assert result.errors == ()
    assert result.makespan == result.ideal.makespan == 3.5


def findings(target: Any, scenario: Scenario) -> list[Finding]:
    result = measured(target, scenario)
    assert result.efficiency is not None
    assert result.efficiency <= 1
    return list(findings_of([result]))


@pytest.mark.parametrize("call", [use, cut_short, let_run])
def test_no_view_shows_more_than_the_ideal(call: Any) -> None:
    running.clear()

    assert findings(agent(call, always), TOOLS) == []


def test_a_result_that_is_kept_is_told_with_the_count() -> None:
    (found,) = findings(agent(keep_the_second, always), TOOLS)

    assert found.kind is FindingKind.TOOLS_ANSWERED
    assert found.values == {
        "cell": "two-tools/gather/asyncio at concurrency 2",
        "calls": 2,
        "sessions": 2,
    }
    assert "2 tool calls of 2 sessions were answered from an equal earlier one" in found.message


def test_optional_tools_that_do_not_run_are_told_with_the_count() -> None:
    (found,) = findings(agent(hand_off, a_handoff_first), TOOLS_OR_NOT)

    assert found.kind is FindingKind.TOOLS_LEFT_OUT
    assert (found.values["calls"], found.values["sessions"]) == (2, 2)
    assert "in 2 sessions 2 scripted tool calls did not run; the scenario says" in found.message


def test_a_test_is_told_of_the_calls_that_did_not_run() -> None:
    optional = run(agent(hand_off, a_handoff_first), TOOLS_OR_NOT)
    kept = run(agent(keep_the_second, always), TOOLS)
    all_of_them = run(agent(use, always), TOOLS)

    assert optional.tools_not_run == ToolsNotRun(optional=2, optional_sessions=2)
    assert kept.tools_not_run == ToolsNotRun(answered=2, answered_sessions=2)
    assert all_of_them.tools_not_run == ToolsNotRun()


def measured(target: Any, scenario: Scenario) -> CellResult:
    spec = spec_of(target, scenario=scenario, sessions=2)
    with prepared_here(spec, target) as measure:
        assert not isinstance(measure, NotApplicable)
        trial = measure()

    return cell_result(spec.cell, [trial])
