"""One connection to an MCP server, owned by one task and used by any."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from mcp import Client
from mcp.server import MCPServer

from .errors import McpError
from .websocket import websocket_transport

Transport = AbstractAsyncContextManager[Any]
Where = str | MCPServer[Any] | Callable[[], Transport]
"""An ``http(s)://`` or ``ws(s)://`` address, a server in this process, or a maker of transports."""


class Connection:
    """A connection, from its opening to its end.

    mcp's cancel scopes must be left by the task that entered them. So one task, ``hold``, opens
    the connection, waits and closes it. Any task may use the client.
    """

    def __init__(self, where: Where, connect_timeout_s: float) -> None:
        self._where = where
        self._connect_timeout_s = connect_timeout_s
        self._opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._let_go = asyncio.Event()
        self._lost = False

    @property
    def is_lost(self) -> bool:
        """Whether the connection is known to have ended."""
        return self._lost

    def lose(self) -> None:
        """Mark the connection as ended, and let its task clean up."""
        self._lost = True
        self._let_go.set()

    async def client(self) -> Client:
        """Wait until the connection is open, and return its client.

        Raises:
            McpError: The connection cannot be opened.
        """
        # Several tasks may wait, and cancelling one must not cancel the opening for the others.
        return await asyncio.shield(self._opened)

    async def hold(self) -> None:
        """Open the connection, keep it until it is released or lost, and close it."""
        try:
            # Not around the whole block: closing may take its time.
            limit = asyncio.timeout(self._connect_timeout_s)
            async with limit, Client(self._server(), cache=None) as client:
                limit.reschedule(None)
                self._opened.set_result(client)
                await self._let_go.wait()
        except Exception as error:  # noqa: BLE001 - the tasks that wait get it, if there are any
            if not self._opened.done():
                self._opened.set_exception(self._refused(error))
                # There may be no task that still waits.
                self._opened.exception()
        finally:
            self._lost = True
            self._opened.cancel()

    def _server(self) -> Any:
        if isinstance(self._where, str):
            if self._where.startswith(("ws://", "wss://")):
                return websocket_transport(
                    self._where, open_timeout_s=self._connect_timeout_s, lost=self.lose
                )
            return self._where
        return self._where if isinstance(self._where, MCPServer) else self._where()

    def _refused(self, error: Exception) -> McpError:
        reason = _innermost(error)
        if isinstance(reason, TimeoutError):
            why = f"no answer within {self._connect_timeout_s:g} seconds"
        else:
            why = f"{type(reason).__name__}: {reason}"
        return McpError(
            f"the MCP server at {where_is(self._where)} cannot be reached ({why}); expected one "
            "that speaks MCP there: is it running, and is the path right?"
        )


def where_is(where: Where) -> str:
    """Return the name of a server for a message, without secrets in its address."""
    if not isinstance(where, str):
        return getattr(where, "name", None) or "a transport of the caller's"
    scheme, _, rest = where.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
