"""Answers that ask for one tool call at a time: the calls of a round follow one another."""

import json
from typing import Any

import pytest
from openai import OpenAI
from warpbench.bench.targets.loading import Lab
from warpbench.bench.testing.lab import run_cell, spec_of
from warpbench.mocks.model.scripted import ModelReply, ScriptedModel
from warpbench.mocks.scenario import Scenario, load_scenario, parse_scenario
from warpbench.mocks.workload.scripts import Scripts

SCENARIO = load_scenario("tools")
NAMES = ["search", "search", "weather", "lookup"]
TASK = "[warpbench session 0] Carry out the task of scenario tools."


def declared(*names: str, **properties: Any) -> list[dict[str, Any]]:
    schema = {"type": "object", "properties": properties}
    return [
        {"type": "function", "function": {"name": name, "parameters": schema}} for name in names
    ]


LABS = declared("search", "weather", "lookup", ticket={"type": "string"})


def asked_in_turn(
    tools: list[dict[str, Any]], scenario: Scenario = SCENARIO, **options: Any
) -> tuple[list[dict[str, Any]], list[ModelReply]]:
    """Ask until an answer is final; return the calls that answers asked for, and the replies."""
    model = ScriptedModel(Scripts(None, scenario, seed=1))
    messages: list[dict[str, Any]] = [{"role": "user", "content": TASK}]
    calls: list[dict[str, Any]] = []
    replies: list[ModelReply] = []
    while True:
        body = {"model": "m", "messages": messages, "tools": tools, **options}
        reply = model.reply("/v1/chat/completions", json.dumps(body).encode(), 0)
        replies.append(reply)
        message = json.loads(reply.reply.body)["choices"][0]["message"]
        if not message.get("tool_calls"):
            return calls, replies
        (call,) = message["tool_calls"]
        calls.append(call)
        result = {"role": "tool", "tool_call_id": call["id"], "content": "done"}
        messages += [message, result]


def test_each_call_of_a_round_is_asked_for_with_its_own_ticket() -> None:
    calls, replies = asked_in_turn(LABS, parallel_tool_calls=False)

    assert [call["function"]["name"] for call in calls] == NAMES
    tickets = [json.loads(call["function"]["arguments"])["ticket"] for call in calls]
    assert tickets == ["0.0.0", "0.0.1", "0.0.2", "0.0.3"]
    assert [reply.step for reply in replies] == [0, 1, 2, 3, 4]


def test_own_tools_are_called_in_rotation() -> None:
    calls, _ = asked_in_turn(declared("first", "second"), parallel_tool_calls=False)

    names = [call["function"]["name"] for call in calls]
    assert names == ["first", "second", "first", "second"]


def test_tools_of_the_lab_that_are_not_declared_are_skipped() -> None:
    weather = [each for each in LABS if each["function"]["name"] == "weather"]

    calls, replies = asked_in_turn(weather, parallel_tool_calls=False)

    assert [call["function"]["name"] for call in calls] == ["weather"]
    assert len(replies) == 2


def test_each_of_these_answers_has_a_latency_of_its_own() -> None:
    scenario = parse_scenario("""
        name = "spread"
        description = "A round of three tools, whose answers take unlike long."
        sessions = 1
        [model]
        latency_s = { lognormal = { median = 1.0, p99 = 3.0 } }
        [tools.look]
        description = "Looks."
        kind = "async"
        latency_s = 0.1
        [[rounds]]
        tools = [{ tool = "look" }, { tool = "look" }, { tool = "look" }]
        [[rounds]]
    """)
    tools = declared("look", ticket={"type": "string"})

    _, replies = asked_in_turn(tools, scenario, parallel_tool_calls=False)
    _, again = asked_in_turn(tools, scenario, parallel_tool_calls=False)

    latencies_ns = [reply.reply.end_ns for reply in replies]
    assert len(set(latencies_ns)) == 4
    assert [reply.reply.end_ns for reply in again] == latencies_ns


def test_a_session_that_asks_so_runs_all_its_tools_and_makes_more_model_calls() -> None:
    def build(lab: Lab) -> Any:
        tools = {tool.name: tool for tool in lab.tools}
        declared: Any = [
            {"type": "function", "function": {"name": name, "parameters": dict(tool.parameters)}}
            for name, tool in tools.items()
        ]
        client = OpenAI(api_key=lab.api_key, base_url=lab.base_url)

        def session(task: str) -> str:
            messages: Any = [{"role": "user", "content": task}]
            while True:
                answer = client.chat.completions.create(
                    model="m", messages=messages, tools=declared, parallel_tool_calls=False
                )
                message: Any = answer.choices[0].message
                messages.append(message)
                if not message.tool_calls:
                    return "done"
                (call,) = message.tool_calls
                arguments = json.loads(call.function.arguments)
                content = tools[call.function.name].sync_function(**arguments)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": content})

        return session

    spec = spec_of(build, scenario=SCENARIO, strategy="sync", sessions=1, concurrency=1)
    result = run_cell(spec, build)

    assert result.errors == ()
    assert (result.tool_calls, result.llm_calls) == (4, 5)
    assert result.makespan == pytest.approx(5 * 0.5 + 4 * 0.2)
