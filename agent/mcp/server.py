"""Serves one MCP server as an ASGI app: by streamable HTTP at /mcp, by WebSocket at /ws."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server import MCPServer
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from .websocket import SUBPROTOCOL

_POLICY_VIOLATION = 1008


def create_app(server: MCPServer[Any], *, host: str = "127.0.0.1") -> Starlette:
    """Return the app, to be run by uvicorn.

    Args:
        server: The server.
        host: The address to serve at; over HTTP on loopback, other host names are refused.
    """

    async def by_websocket(socket: WebSocket) -> None:
        await _serve(server, socket)

    # This app has the lifespan that the server's sessions need.
    app = server.streamable_http_app(streamable_http_path="/mcp", host=host)
    app.router.routes.append(WebSocketRoute("/ws", by_websocket))
    return app


async def _serve(server: MCPServer[Any], socket: WebSocket) -> None:
    if not _is_from_here(socket) or SUBPROTOCOL not in socket.scope["subprotocols"]:
        await socket.close(_POLICY_VIOLATION)
        return
    await socket.accept(SUBPROTOCOL)
    to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](0)
    # mcp has no public way yet to serve an MCPServer over streams of one's own.
    lowlevel = server._lowlevel_server
    async with to_server, incoming, outgoing, from_server, anyio.create_task_group() as group:
        group.start_soon(_read, socket, to_server)
        group.start_soon(_write, socket, from_server)
        await lowlevel.run(incoming, outgoing, lowlevel.create_initialization_options())
        group.cancel_scope.cancel()


def _is_from_here(socket: WebSocket) -> bool:
    # A page of another site may open a WebSocket to loopback; its browser sends the origin.
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")


async def _read(
    socket: WebSocket, to_server: MemoryObjectSendStream[SessionMessage | Exception]
) -> None:
    # Closing the stream at the end informs the server that its client has gone.
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with to_server:
            with suppress(WebSocketDisconnect):
                while True:
                    text = await socket.receive_text()
                    message: SessionMessage | Exception
                    try:
                        parsed = jsonrpc_message_adapter.validate_json(text, by_name=False)
                        message = SessionMessage(parsed)
                    except ValidationError as error:
                        message = error
                    await to_server.send(message)


async def _write(socket: WebSocket, from_server: MemoryObjectReceiveStream[SessionMessage]) -> None:
    async with from_server:
        # The client may have disconnected while the answer was made.
        with suppress(WebSocketDisconnect, RuntimeError):
            async for message in from_server:
                await socket.send_text(
                    message.message.model_dump_json(by_alias=True, exclude_unset=True)
                )
