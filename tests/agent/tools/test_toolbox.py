import asyncio
import threading
from typing import Any

import pytest
from warpbench.agent import Agent, SettingsError, Tool, ToolDefinitionError
from warpbench.agent.messages import ToolCall, ToolResult
from warpbench.agent.tools.invocation import Invocation
from warpbench.agent.tools.toolbox import ToolRegistry

from ..scripted import Model, call, calls, final


def tool(name: str) -> Tool:
    return Tool(
        name=name,
        description="",
        parameters={"properties": {"x": {"type": "integer"}}},
        function=lambda x=0: name,
    )


def ping() -> str:
    return "pong"


def names(registry: ToolRegistry) -> list[str]:
    return list(registry.current.tools)


def test_tools_are_registered_one_by_one_or_from_a_list() -> None:
    registry = ToolRegistry()
    registry.register(tool("a"))
    registry.register(ping)
    registry.register([tool("c"), tool("b")])
    registry.register(tool(name) for name in "de")
    assert names(registry) == ["a", "ping", "c", "b", "d", "e"]
    registry.unregister("a", "c")
    assert names(registry) == ["ping", "b", "d", "e"]


@pytest.mark.parametrize(
    ("offered", "complaint"),
    [
        ("a", "'a' is not a tool"),
        (None, "None is not a tool"),
        ([tool("a"), None], "None is not a tool"),
        ([[tool("a")]], r"\[Tool\(.*\)\] is not a tool"),
        (int, "<class 'int'> is not a tool"),
        ([tool("a"), tool("a")], "two tools are named 'a'"),
        (tool("taken"), "two tools are named 'taken'"),
        (len, "signature|no type|cannot be"),
    ],
)
def test_what_is_not_a_tool_is_refused_and_nothing_is_registered(
    offered: Any, complaint: str
) -> None:
    registry = ToolRegistry(tool("taken"))
    with pytest.raises(ToolDefinitionError, match=complaint):
        registry.register(offered)
    assert names(registry) == ["taken"]


def test_an_unknown_tool_cannot_be_removed() -> None:
    with pytest.raises(SettingsError, match=r"there is no tool 'b'; the tools are \['a'\]"):
        ToolRegistry(tool("a")).unregister("b")


def test_an_unknown_tool_is_answered_with_those_there_are() -> None:
    result = ToolRegistry([tool("b"), tool("a")]).current.prepare(call("c", "7"))
    assert result == ToolResult(
        "7", "error: there is no tool 'c'; the tools are ['a', 'b']", failed=True
    )


def test_wrong_arguments_are_answered_with_what_is_wrong() -> None:
    result = ToolRegistry(tool("a")).current.prepare(call("a", "7", x="1"))
    assert result == ToolResult(
        "7", "error: wrong arguments for 'a': x: expected integer, got string", failed=True
    )


def test_no_arguments_at_all_are_an_empty_object() -> None:
    prepared = ToolRegistry(tool("a")).current.prepare(ToolCall("7", "a", ""))
    assert isinstance(prepared, Invocation)
    assert prepared.arguments == {}


def offered(body: dict[str, Any]) -> list[str]:
    return [entry["function"]["name"] for entry in body.get("tools", ())]


def test_a_tool_registered_during_a_run_is_offered_from_the_next_request_on() -> None:
    model = Model([calls(call("learn")), calls(call("ping")), final()])

    async def main() -> None:
        async with model.async_client() as client, Agent(async_client=client) as agent:

            def learn() -> None:
                agent.register(ping)
                agent.unregister("learn")

            agent.register(learn)
            await agent.chat_async("task")

    asyncio.run(main())
    assert [offered(body) for body in model.bodies] == [["learn"], ["ping"], ["ping"]]
    assert model.tool_texts() == ["null", "pong"]


def test_an_answer_may_call_only_what_it_was_offered() -> None:
    """A tool that goes while the model is thinking is run all the same."""
    answering = threading.Event()

    def respond(body: dict[str, Any]) -> dict[str, Any]:
        if len(model.requests) == 1:
            agent.unregister("ping")
            answering.set()
            return calls(call("ping"))
        return final()

    model = Model(respond=respond)
    with model.client() as client, Agent(ping, client=client) as agent:
        agent.chat("task")
    assert model.tool_texts() == ["pong"]
    assert offered(model.bodies[1]) == []


def test_threads_that_register_at_once_lose_nothing() -> None:
    registry = ToolRegistry()
    threads = [
        threading.Thread(
            target=lambda n=n: [registry.register(tool(f"t{n}_{i}")) for i in range(20)]
        )
        for n in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(registry)) == 100
