"""The client side of MCP over WebSocket, a transport that mcp 2 no longer has.

One JSON-RPC message is one text frame, under the subprotocol ``mcp``, as mcp 1 had it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

SUBPROTOCOL = Subprotocol("mcp")

Incoming = MemoryObjectReceiveStream[SessionMessage | Exception]
Outgoing = MemoryObjectSendStream[SessionMessage]


@asynccontextmanager
async def websocket_transport(
    url: str, *, open_timeout_s: float = 10.0, lost: Callable[[], None] = lambda: None
) -> AsyncIterator[tuple[Incoming, Outgoing]]:
    """Connect, and yield the streams that ``mcp.Client`` reads from and writes to.

    When the connection ends, so does the stream that is read, and tasks that wait for an answer
    get an error. Leaving the scope closes the connection.

    Args:
        url: A ``ws://`` or ``wss://`` address.
        open_timeout_s: Seconds that the connection may take to open.
        lost: Called when the connection ends before the scope is left.

    Raises:
        OSError, TimeoutError, websockets.exceptions.WebSocketException: The connection failed.
    """
    to_session, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_session = anyio.create_memory_object_stream[SessionMessage](0)
    async with (
        to_session,
        incoming,
        outgoing,
        from_session,
        connect(url, subprotocols=[SUBPROTOCOL], open_timeout=open_timeout_s) as socket,
        anyio.create_task_group() as group,
    ):
        group.start_soon(_read, socket, to_session, lost)
        group.start_soon(_write, socket, from_session)
        yield incoming, outgoing
        group.cancel_scope.cancel()


async def _read(
    socket: ClientConnection,
    to_session: MemoryObjectSendStream[SessionMessage | Exception],
    lost: Callable[[], None],
) -> None:
    # The session may end first; then nobody needs the rest.
    with suppress(anyio.BrokenResourceError):
        async with to_session:
            with suppress(ConnectionClosed):
                async for frame in socket:
                    await to_session.send(_parse(frame))
            # First this, so that a task that wakes up knows already.
            lost()


async def _write(
    socket: ClientConnection, from_session: MemoryObjectReceiveStream[SessionMessage]
) -> None:
    async with from_session:
        with suppress(ConnectionClosed):
            async for message in from_session:
                await socket.send(
                    message.message.model_dump_json(by_alias=True, exclude_unset=True)
                )


def _parse(frame: str | bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(frame, by_name=False))
    except ValidationError as error:
        # The session reports it to the caller; one bad message does not end the connection.
        return error
