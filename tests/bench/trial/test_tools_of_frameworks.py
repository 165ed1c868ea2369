"""What frameworks do with the lab's tools: each session runs all of its script's, or has failed."""

import inspect
import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from warpbench.bench.targets.loading import Lab, Target
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of

Tools = Mapping[str, tuple[Mapping[str, object], Callable[..., Any]]]
"""What a framework declares: the schema of each tool, and what it calls for it."""

ALL = "the session did not run 4 of the 4 tool calls of its script: "


def framework(tools_of: Callable[[Lab], Tools], *, awaits: bool = True) -> Callable[[Lab], Target]:
    """A framework in a few lines: what it declares, and whether it awaits what a tool returns."""

    def build(lab: Lab) -> Target:
        client, sync_client = AsyncOpenAI(api_key=lab.api_key), OpenAI(api_key=lab.api_key)

        async def session(task: str) -> str:
            conversation = Conversation(tools_of(lab), task)
            while True:
                answer = await client.chat.completions.create(**conversation.asked())
                results = [
                    await result if awaits and inspect.isawaitable(result) else result
                    for result in conversation.called(answer)
                ]
                if not results:
                    return "done"
                conversation.goes_on(answer, results)

        def sync_session(task: str) -> str:
            conversation = Conversation(tools_of(lab), task)
            while True:
                answer = sync_client.chat.completions.create(**conversation.asked())
                results = conversation.called(answer)
                if not results:
                    return "done"
                conversation.goes_on(answer, results)

        return Target(session=session, sync_session=sync_session)

    return build


class Conversation:
    """What both forms of the framework have in common."""

    def __init__(self, tools: Tools, task: str) -> None:
        self._tools = tools
        self._messages: list[Any] = [{"role": "user", "content": task}]

    def asked(self) -> Any:
        declared = [
            {"type": "function", "function": {"name": name, "parameters": dict(schema)}}
            for name, (schema, _) in self._tools.items()
        ]
        return {"model": "m", "messages": self._messages, "tools": declared}

    def called(self, answer: Any) -> list[Any]:
        calls = answer.choices[0].message.tool_calls or ()
        return [
            self._tools[call.function.name][1](**json.loads(call.function.arguments))
            for call in calls
        ]

    def goes_on(self, answer: Any, results: list[Any]) -> None:
        message = answer.choices[0].message
        self._messages.append(message)
        for call, result in zip(message.tool_calls, results, strict=True):
            self._messages.append({"role": "tool", "tool_call_id": call.id, "content": str(result)})


def ran(build: Callable[[Lab], Target], strategy: str = "gather") -> LabResult:
    spec = spec_of(build, scenario="tools", strategy=strategy, sessions=3, concurrency=3)
    return run_cell(spec, build)


def as_they_are(lab: Lab) -> Tools:
    return {tool.name: (tool.parameters, tool.function) for tool in lab.tools}


def in_a_plugin(lab: Lab) -> Tools:
    return {f"trips-{name}": tool for name, tool in as_they_are(lab).items()}


def with_an_agent_for_one(lab: Lab) -> Tools:
    schema = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
    return {**as_they_are(lab), "search": (schema, lambda **_: "found")}


def of_a_member_only(lab: Lab) -> Tools:
    as_they_are(lab)  # the member has them, and the leader declares its own
    schema = {"type": "object", "properties": {"member": {"type": "string"}}}
    return {"delegate_task_to_member": (schema, lambda **_: "no such member")}


def after_a_handoff(lab: Lab) -> Tools:
    as_they_are(lab)
    return {"transfer_to_traveller": ({"type": "object", "properties": {}}, lambda **_: "yours")}


def taken_and_dropped(lab: Lab) -> Tools:
    as_they_are(lab)
    return {}


def of_its_own(lab: Lab) -> Tools:
    assert lab.tool_workers
    schema = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
    return {"search": (schema, lambda **_: "found")}


@pytest.mark.parametrize("tools_of", [as_they_are, in_a_plugin, of_its_own])
def test_who_runs_all_of_them_or_takes_none_succeeds(tools_of: Callable[[Lab], Tools]) -> None:
    result = ran(framework(tools_of))

    assert result.errors == ()
    assert result.sessions.succeeded == 3


@pytest.mark.parametrize("strategy", ["gather", "threads"])
@pytest.mark.parametrize(
    ("tools_of", "error"),
    [
        pytest.param(of_a_member_only, ALL, id="team"),
        pytest.param(after_a_handoff, ALL, id="handoff"),
        pytest.param(taken_and_dropped, ALL, id="dropped"),
        pytest.param(
            with_an_agent_for_one,
            "the session did not run 2 of the 4 tool calls of its script: search (2 times)",
            id="agent as tool",
        ),
    ],
)
def test_a_framework_that_does_not_run_them_fails(
    tools_of: Callable[[Lab], Tools], error: str, strategy: str
) -> None:
    if strategy == "threads":
        tools = tools_of
        result = ran(framework(lambda lab: plain(tools(lab), lab)), strategy)
    else:
        result = ran(framework(tools_of), strategy)

    assert result.sessions.failed == 3
    assert all(each.startswith(error) for each in result.errors)


def plain(tools: Tools, lab: Lab) -> Tools:
    """The same tools for plain code."""
    sync_functions: dict[object, Callable[..., Any]] = {
        tool.function: tool.sync_function for tool in lab.offered
    }
    return {
        name: (schema, sync_functions.get(function, function))
        for name, (schema, function) in tools.items()
    }


def test_plain_code_that_never_awaits_async_tools_fails() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # never awaited: so it is in the framework
        result = ran(framework(as_they_are, awaits=False), "threads")

    assert result.sessions.failed == 3
    assert all("did not run 3 of the 4 tool calls" in each for each in result.errors)
    assert all("search (2 times) and weather" in each for each in result.errors)


def keeping() -> Callable[[Lab], Tools]:
    """Tools that keep each result for whoever asks the same: over the whole run."""
    kept: dict[str, Any] = {}

    def tools_of(lab: Lab) -> Tools:
        def kept_once(tool: Any) -> Callable[..., Any]:
            async def call(ticket: str, **arguments: object) -> Any:
                what = json.dumps([tool.name, arguments])
                if what not in kept:
                    kept[what] = tool.sync_function(ticket=ticket, **arguments)
                return kept[what]

            return call

        return {tool.name: (tool.parameters, kept_once(tool)) for tool in lab.tools}

    return tools_of


def test_a_result_that_was_kept_since_the_warm_up_spares_a_session() -> None:
    assert ran(framework(keeping())).errors == ()
