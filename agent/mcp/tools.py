"""The tools of one MCP server, as tools for the agent."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import anyio
import httpx2
import mcp_types
from mcp import Client, MCPError

from ..errors import SettingsError
from ..tools.tool import Tool
from .connection import Connection, Where, where_is
from .errors import McpError
from .names import safe_names
from .results import text_of

_LOST = (anyio.ClosedResourceError, anyio.BrokenResourceError, httpx2.TransportError)
_SESSION_TERMINATED = 32600
"""The error of mcp's HTTP client if the server no longer knows its session."""


class McpTools:
    """A connection to an MCP server, and its tools; use with ``async with``.

    Calls run concurrently over the one connection. When the connection is lost, the running
    calls fail with an error that goes to the model, and the next call connects again.

    The connection belongs to the event loop in which it was entered. The tools are for the
    agent's async methods.

    Args:
        where: The address of a server, ``http(s)://`` for streamable HTTP or ``ws(s)://`` for
            WebSocket; or a server in this process; or a function that makes an mcp transport.
        prefix: Prefix of the names of all tools, with a ``_``; also the name of the server.
        connect_timeout_s: Seconds that connecting may take.
        call_timeout_s: Seconds that a call may take; by default without limit.

    Raises:
        SettingsError: The address has another scheme, or a timeout is not above 0.
        McpError: When entered: the server cannot be reached.
    """

    def __init__(
        self,
        where: Where,
        *,
        prefix: str | None = None,
        connect_timeout_s: float = 10.0,
        call_timeout_s: float | None = None,
    ) -> None:
        schemes = ("http://", "https://", "ws://", "wss://")
        if isinstance(where, str) and not where.startswith(schemes):
            raise SettingsError(
                f"the MCP server's address is {where_is(where)!r}; expected http(s)://… for "
                "streamable HTTP or ws(s)://… for WebSocket"
            )
        if not connect_timeout_s > 0 or not (call_timeout_s is None or call_timeout_s > 0):
            raise SettingsError(
                f"connect_timeout_s is {connect_timeout_s} and call_timeout_s {call_timeout_s}; "
                "expected more than 0 seconds"
            )
        self._where = where
        self._prefix = prefix
        self._connect_timeout_s = connect_timeout_s
        self._call_timeout_s = call_timeout_s
        self._name = prefix or "mcp"
        self._tools: list[Tool] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._holders = asyncio.TaskGroup()
        self._connection: Connection | None = None

    @property
    def name(self) -> str:
        """Name of the server: its prefix, or else the server's own name."""
        return self._name

    @property
    def tools(self) -> list[Tool]:
        """The tools, as they were on entry or at the last refresh."""
        return list(self._tools)

    async def refresh(self) -> None:
        """Ask the server for its tools again; agents keep the tools that they have.

        Raises:
            McpError: The server cannot be reached, or has gone.
        """
        offered: list[mcp_types.Tool] = []
        async with _Lost(self) as client:
            cursor: str | None = None
            while True:
                page = await client.list_tools(cursor=cursor)
                offered += page.tools
                cursor = page.next_cursor
                if cursor is None:
                    break
            if self._prefix is None and client.server_info is not None:
                self._name = client.server_info.name
        names = safe_names((tool.name for tool in offered), self._prefix)
        self._tools = [
            Tool(
                name=name,
                description=tool.description or tool.title or "",
                parameters=tool.input_schema,
                function=self._calling(tool.name),
            )
            for name, tool in zip(names, offered, strict=True)
        ]

    def _calling(self, name: str) -> Callable[..., Any]:
        async def call(**arguments: Any) -> str:
            async with _Lost(self) as client:
                result = await client.call_tool(
                    name, arguments, read_timeout_seconds=self._call_timeout_s
                )
            return text_of(result)

        return call

    def connection(self) -> Connection:
        """Return the connection; a new one if there is none or it is lost.

        Raises:
            McpError: The tools were not entered, or in another event loop.
        """
        if self._loop is not asyncio.get_running_loop():
            raise McpError(
                f"the tools of the MCP server at {where_is(self._where)} belong to the event "
                "loop in which they were connected, and only while they are; use the agent's "
                "async methods there, inside 'async with McpTools(…)'"
            )
        if self._connection is None or self._connection.is_lost:
            self._connection = Connection(self._where, self._connect_timeout_s)
            self._holders.create_task(self._connection.hold(), name="mcp connection")
        return self._connection

    def failed(self, why: object) -> McpError:
        """Return the error of a call or of its connection."""
        return McpError(f"the MCP server at {where_is(self._where)}: {why}")

    async def __aenter__(self) -> Self:
        await self._holders.__aenter__()
        self._loop = asyncio.get_running_loop()
        try:
            await self.refresh()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop = None
        if self._connection is not None:
            self._connection.lose()
        # The only task in the group now ends by itself and never fails: no need to cancel it.
        await self._holders.__aexit__(None, None, None)


class _Lost:
    """Provides the client for one call, and marks the connection if it is lost in that call."""

    def __init__(self, tools: McpTools) -> None:
        self._tools = tools

    async def __aenter__(self) -> Client:
        self._connection = self._tools.connection()
        return await self._connection.client()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc, _LOST) or (isinstance(exc, MCPError) and _means_lost(exc)):
            self._connection.lose()
            raise self._tools.failed(
                "the connection was lost in mid-call; the next call connects again"
            ) from exc
        if isinstance(exc, MCPError):
            raise self._tools.failed(exc) from exc


def _means_lost(error: MCPError) -> bool:
    return error.code in (mcp_types.CONNECTION_CLOSED, _SESSION_TERMINATED)
