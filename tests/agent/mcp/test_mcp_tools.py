"""MCP over WebSocket and streamable HTTP: real uvicorn on loopback, a real client."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from warpbench.agent import Agent, SettingsError
from warpbench.agent.mcp import McpError, McpToolError, McpTools
from warpbench.agent.mcp.samples import sample_server
from warpbench.agent.mcp.server import create_app

from ..scripted import Model, call, calls, final
from ..serving import OPEN_S, Served, serving

pytestmark = pytest.mark.once


class Gate:
    """A tool's way to be in the middle of a call for as long as a test needs."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.opened = threading.Event()
        self.cancelled = threading.Event()

    async def all_begun(self, calls: int) -> None:
        for _ in range(calls):
            assert await asyncio.to_thread(self.begun.acquire, timeout=OPEN_S)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def served(gate: Gate) -> Iterator[Served]:
    def app() -> Starlette:
        server = sample_server()

        @server.tool()
        async def stand(number: int) -> str:
            """Stand at the gate until it opens."""
            gate.begun.release()
            try:
                while not gate.opened.is_set():  # noqa: ASYNC110 - it is set by another thread
                    await asyncio.sleep(0.005)
            except asyncio.CancelledError:
                gate.cancelled.set()
                raise
            return f"through {number}"

        return create_app(server)

    with serving(app) as served:
        yield served
        gate.opened.set()


def address(served: Served, kind: str) -> str:
    return f"{kind}://127.0.0.1:{served.port}/{'ws' if kind == 'ws' else 'mcp'}"


over_each = pytest.mark.parametrize("kind", ["ws", "http"])


async def use(tools: McpTools, name: str, **arguments: object) -> str:
    (tool,) = (tool for tool in tools.tools if tool.name == name)
    return str(await tool.function(**arguments))  # type: ignore[misc]


@over_each
def test_tools_are_listed_and_called(served: Served, kind: str) -> None:
    async def main() -> None:
        async with McpTools(address(served, kind)) as server:
            assert server.name == "samples"
            tools = {tool.name: tool for tool in server.tools}
            assert list(tools) == ["add", "echo", "forecast", "wait", "fail", "stand"]
            assert tools["add"].description == "Add two numbers."
            assert tools["add"].parameters["required"] == ["a", "b"]
            assert await use(server, "add", a=1, b=2) == "3.0"
            assert await use(server, "echo", text="grüße ✓") == "grüße ✓"
            assert '"sky"' in await use(server, "forecast", city="Oslo")

    asyncio.run(main())


@over_each
def test_calls_run_side_by_side_over_one_connection(served: Served, kind: str, gate: Gate) -> None:
    async def main() -> list[str]:
        async with McpTools(address(served, kind)) as server:
            calls = [asyncio.create_task(use(server, "stand", number=n)) for n in range(20)]
            # All are inside at once, or this never comes.
            await gate.all_begun(20)
            gate.opened.set()
            return await asyncio.gather(*calls)

    assert asyncio.run(main()) == [f"through {n}" for n in range(20)]


@over_each
def test_an_agent_uses_them_like_its_own(served: Served, kind: str) -> None:
    model = Model(
        [
            calls(
                call("add", "1", a=1, b=2),
                call("fail", "2", reason="out of tea"),
                call("add", "3", a="one"),
                call("twice", "4", x=4),
            ),
            final(),
        ]
    )

    def twice(x: int) -> int:
        return 2 * x

    async def main() -> None:
        async with (
            McpTools(address(served, kind)) as server,
            model.async_client() as client,
            Agent([twice, *server.tools], async_client=client) as agent,
        ):
            await agent.chat_async("task")

    asyncio.run(main())
    texts = model.tool_texts()
    assert texts[0] == "3.0"
    assert texts[1].startswith("error: tool 'fail' failed: McpToolError: ")
    assert "out of tea" in texts[1]
    assert texts[2].startswith("error: wrong arguments for 'add': b: required, but missing")
    assert texts[3] == "8"


@over_each
def test_a_failing_tool_is_an_error_that_says_why(served: Served, kind: str) -> None:
    async def main() -> None:
        async with McpTools(address(served, kind)) as server:
            with pytest.raises(McpToolError, match="out of tea"):
                await use(server, "fail", reason="out of tea")
            assert await use(server, "add", a=1, b=1) == "2.0"

    asyncio.run(main())


@over_each
def test_a_server_that_goes_in_mid_call_is_a_tools_error_and_the_next_call_connects_again(
    served: Served, kind: str, gate: Gate
) -> None:
    async def main() -> None:
        async with McpTools(address(served, kind), call_timeout_s=OPEN_S) as server:
            standing = [asyncio.create_task(use(server, "stand", number=n)) for n in range(3)]
            await gate.all_begun(3)
            await asyncio.to_thread(served.stop)
            for error in await asyncio.gather(*standing, return_exceptions=True):
                assert isinstance(error, McpError), error
            with pytest.raises(McpError, match=r"cannot be reached|lost in mid-call"):
                await use(server, "add", a=1, b=1)
            await asyncio.to_thread(served.start)
            # Over HTTP a call may be the first to notice that its session has gone.
            try:
                assert await use(server, "add", a=1, b=1) == "2.0"
            except McpError:
                assert kind == "http"
            together = await asyncio.gather(*(use(server, "add", a=1, b=n) for n in range(5)))
            assert together == [f"{1 + n:.1f}" for n in range(5)]

    asyncio.run(main())


def test_a_connection_that_is_lost_between_calls_is_not_even_noticed(served: Served) -> None:
    async def main() -> None:
        async with McpTools(address(served, "ws")) as server:
            assert await use(server, "add", a=1, b=1) == "2.0"
            await asyncio.to_thread(served.stop)
            await asyncio.to_thread(served.start)
            # The client's side hears of it in a round of its loop or two.
            await asyncio.sleep(0.05)
            assert await use(server, "add", a=1, b=1) == "2.0"

    asyncio.run(main())


@over_each
def test_cancelling_a_call_leaves_the_connection_to_the_others(
    served: Served, kind: str, gate: Gate
) -> None:
    async def main() -> None:
        async with McpTools(address(served, kind)) as server:
            first = asyncio.create_task(use(server, "stand", number=1))
            second = asyncio.create_task(use(server, "stand", number=2))
            await gate.all_begun(2)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            if kind == "ws":
                assert await asyncio.to_thread(gate.cancelled.wait, OPEN_S)
            gate.opened.set()
            assert await second == "through 2"

    asyncio.run(main())


def test_a_call_takes_no_longer_than_its_timeout(served: Served) -> None:
    async def main() -> None:
        async with McpTools(address(served, "ws"), call_timeout_s=2) as server:
            with pytest.raises(McpError, match=r"[Tt]imed out"):
                await use(server, "stand", number=1)
            assert await use(server, "add", a=1, b=1) == "2.0"

    asyncio.run(main())


@over_each
def test_a_server_that_is_not_there_is_named(kind: str) -> None:
    async def main() -> None:
        with serving(create_app(sample_server())) as served:
            pass
        secret = address(served, kind).replace("://", "://ada:secret@") + "?key=secret"
        with pytest.raises(McpError) as error:
            async with McpTools(secret, connect_timeout_s=5):
                pass
        assert f"MCP server at {address(served, kind)} cannot be reached" in str(error.value)
        assert "secret" not in str(error.value)

    asyncio.run(main())


def test_a_place_that_speaks_no_mcp_is_named(served: Served) -> None:
    async def main() -> None:
        for wrong in (f"ws://127.0.0.1:{served.port}/", f"http://127.0.0.1:{served.port}/"):
            with pytest.raises(McpError, match="cannot be reached"):
                async with McpTools(wrong, connect_timeout_s=5):
                    pass

    asyncio.run(main())


def test_a_page_of_another_site_is_refused(served: Served) -> None:
    from websockets.asyncio.client import connect  # noqa: PLC0415
    from websockets.exceptions import InvalidStatus  # noqa: PLC0415

    async def main() -> None:
        with pytest.raises(InvalidStatus):
            async with connect(
                address(served, "ws"),
                subprotocols=["mcp"],  # type: ignore[list-item]
                origin="http://evil.example",  # type: ignore[arg-type]
            ):
                pass

    asyncio.run(main())


def test_a_server_in_this_process_needs_no_socket() -> None:
    async def main() -> None:
        async with McpTools(sample_server(), prefix="here") as server:
            assert [tool.name for tool in server.tools][:2] == ["here_add", "here_echo"]
            assert await use(server, "here_add", a=1, b=2) == "3.0"

    asyncio.run(main())


def test_tools_of_another_loop_say_so() -> None:
    async def connect() -> McpTools:
        async with McpTools(sample_server()) as server:
            with pytest.raises(McpError, match="use the agent's async methods"):
                await asyncio.to_thread(asyncio.run, use(server, "add", a=1, b=2))
        return server

    with pytest.raises(McpError, match="only while they are"):
        asyncio.run(use(asyncio.run(connect()), "add", a=1, b=2))


@over_each
def test_nothing_is_left_behind(served: Served, kind: str, gate: Gate) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def main() -> None:
        async with McpTools(address(served, kind)) as server:
            await use(server, "add", a=1, b=2)
            standing = asyncio.create_task(use(server, "stand", number=1))
            await gate.all_begun(1)
        with pytest.raises(McpError):
            await standing
        for _ in range(10):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    before = open_files()
    threads = set(threading.enumerate())
    asyncio.run(main())
    gate.opened.set()
    # The server runs the samples' plain tools in a thread of its own.
    left = {thread.name for thread in set(threading.enumerate()) - threads}
    assert left <= {"AnyIO worker thread"}
    assert open_files() <= before + 1  # the server's side may close a moment later


@pytest.mark.parametrize("where", ["localhost:8000", "ftp://x", "stdio"])
def test_an_address_that_is_none_is_refused(where: str) -> None:
    with pytest.raises(SettingsError, match="expected http"):
        McpTools(where)


@pytest.mark.parametrize("wrong", [{"connect_timeout_s": 0}, {"call_timeout_s": -1}])
def test_a_limit_of_no_time_is_refused(wrong: Any) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        McpTools("http://localhost", **wrong)
