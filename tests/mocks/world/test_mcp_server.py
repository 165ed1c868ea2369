"""The lab's tools over MCP take as long as when they are called."""

import asyncio
import time
from typing import Any

import mcp
import pytest
from warpbench.agent.mcp.websocket import websocket_transport
from warpbench.bench.trial.loops import ASYNCIO, UVLOOP
from warpbench.mocks.clock import Clock, VirtualClock, WallClock, keeping_time
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.workload.marks import without_marks
from warpbench.mocks.workload.script import SessionScript, draw
from warpbench.mocks.world.mcp_server import mcp_server, over_websocket
from warpbench.mocks.world.tools import Delegates, LabTool, lab_tools

SCENARIO = parse_scenario(
    """\
name = "tools"
description = "A tool that waits, and one that blocks."
sessions = 1
[model]
latency_s = 1
[tools.search]
description = "Searches."
kind = "async"
latency_s = 0.2
parameters = { query = "string" }
[tools.look_up]
description = "Looks up."
kind = "blocking"
latency_s = 0.3
[[rounds]]
tools = [{ tool = "search", arguments = { query = "q" } }, { tool = "look_up" }]
[[rounds]]
"""
)


def tools(clock: Clock) -> tuple[LabTool, ...]:
    sessions: dict[int, SessionScript] = {0: draw(SCENARIO, 1).sessions[0]}
    return lab_tools(SCENARIO, sessions, clock, Traffic(), Delegates(str))


async def call_both(client: mcp.Client) -> list[Any]:
    calls = (("search", {"query": "q", "ticket": "0.0.0"}), ("look_up", {"ticket": "0.0.1"}))
    return await asyncio.gather(*(client.call_tool(name, given) for name, given in calls))


@pytest.mark.parametrize("new_loop", [ASYNCIO.create, UVLOOP.create])
def test_in_process_they_overlap_on_the_virtual_clock(new_loop: Any) -> None:
    clock = VirtualClock()

    async def use() -> tuple[list[Any], int]:
        async with mcp.Client(mcp_server(tools(clock))) as client:
            listed = await client.list_tools()
            assert [tool.name for tool in listed.tools] == ["search", "look_up"]
            begin_ns = clock.now_ns()
            results = await call_both(client)
            return results, clock.now_ns() - begin_ns

    with (
        keeping_time(clock),
        asyncio.Runner(loop_factory=lambda: new_loop(clock)) as runner,
    ):
        results, took_ns = runner.run(use())

    assert took_ns == 300_000_000
    assert [without_marks(result.content[0].text.encode()) for result in results] == [
        b"search has done 0.0.0",
        b"look_up has done 0.0.1",
    ]


def test_over_a_websocket_they_take_as_long() -> None:
    async def use() -> tuple[list[Any], float]:
        async with over_websocket(mcp_server(tools(WallClock()))) as url:
            async with mcp.Client(websocket_transport(url)) as client:
                begin_s = time.monotonic()
                results = await call_both(client)
                return results, time.monotonic() - begin_s

    results, took_s = asyncio.run(use())

    assert not any(result.is_error for result in results)
    assert 0.3 <= took_s < 2


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("find", {}, "there is no tool 'find'"),
        ("search", {"ticket": "0.0.1"}, "expected the ticket of one of its calls, found '0.0.1'"),
        ("search", {}, "TypeError"),
    ],
)
def test_a_call_that_cannot_be_made_is_an_error_of_the_tool(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    async def use() -> Any:
        async with mcp.Client(mcp_server(tools(WallClock()))) as client:
            return await client.call_tool(name, arguments)

    result = asyncio.run(use())

    assert result.is_error
    assert message in result.content[0].text
