"""The lab's tools as an MCP server: in-process, or over a WebSocket on loopback.

The tools wait for their drawn latencies all the same. Whoever uses this needs the extra
``mcp``. In-process it runs on every clock; a WebSocket is a real socket, and needs ``wall``.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server import Server
from mcp.shared.message import SessionMessage
from mcp_types import (
    CallToolResult,
    ListToolsResult,
    TextContent,
    Tool,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from .tools import LabTool

_SUBPROTOCOL = Subprotocol("mcp")


def mcp_server(tools: Iterable[LabTool]) -> Server[Any]:
    """Return a server of these tools, for ``mcp.Client(server)`` or ``over_websocket``.

    Blocking and computing tools run in threads, as they would in a server of their own process.
    """
    by_name = {tool.name: tool for tool in tools}

    async def list_tools(_context: Any, _parameters: Any) -> ListToolsResult:
        return ListToolsResult(
            tools=[
                Tool(
                    name=tool.name,
                    description=tool.description,
                    input_schema=dict(tool.parameters),
                )
                for tool in by_name.values()
            ]
        )

    async def call_tool(_context: Any, parameters: Any) -> CallToolResult:
        tool = by_name.get(parameters.name)
        if tool is None:
            return _error(f"there is no tool {parameters.name!r}")
        try:
            text = await _called(tool, parameters.arguments or {})
        except (TypeError, ValueError, LookupError) as error:
            return _error(f"{type(error).__name__}: {error}")
        return CallToolResult(content=[TextContent(type="text", text=text)])

    return Server("warpbench", on_list_tools=list_tools, on_call_tool=call_tool)


@asynccontextmanager
async def over_websocket(server: Server[Any], *, port: int = 0) -> AsyncIterator[str]:
    """Serve on loopback, each connection a session of its own; yield the ``ws://`` address.

    One JSON-RPC message is one text frame, under the subprotocol ``mcp``.

    Args:
        server: A server from ``mcp_server``.
        port: The port; 0 for a free one.

    Raises:
        OSError: The port is taken.
    """

    async def connected(socket: ServerConnection) -> None:
        to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](0)
        async with to_server, incoming, outgoing, from_server, anyio.create_task_group() as group:
            group.start_soon(_read, socket, to_server)
            group.start_soon(_write, socket, from_server)
            await server.run(incoming, outgoing, server.create_initialization_options())
            group.cancel_scope.cancel()

    async with serve(connected, "127.0.0.1", port, subprotocols=[_SUBPROTOCOL]) as listening:
        (listener,) = listening.sockets
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"


async def _called(tool: LabTool, arguments: dict[str, object]) -> str:
    if inspect.iscoroutinefunction(tool.function):
        function = cast("Callable[..., Awaitable[str]]", tool.function)
        return await function(**arguments)
    return await asyncio.to_thread(tool.sync_function, **arguments)


def _error(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


async def _read(
    socket: ServerConnection, to_server: MemoryObjectSendStream[SessionMessage | Exception]
) -> None:
    # Closing the stream at the end informs the server that its client has gone.
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with to_server:
            with suppress(ConnectionClosed):
                async for frame in socket:
                    message: SessionMessage | Exception
                    try:
                        parsed = jsonrpc_message_adapter.validate_json(frame, by_name=False)
                        message = SessionMessage(parsed)
                    except ValidationError as error:
                        message = error
                    await to_server.send(message)


async def _write(
    socket: ServerConnection, from_server: MemoryObjectReceiveStream[SessionMessage]
) -> None:
    async with from_server:
        with suppress(ConnectionClosed):
            async for message in from_server:
                await socket.send(
                    message.message.model_dump_json(by_alias=True, exclude_unset=True)
                )
