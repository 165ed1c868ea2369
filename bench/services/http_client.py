"""A client for HTTP/1.1 on one event loop: keeps connections, opens as many as are in use.

It is to cost little, so that a load is the service's and not the client's. A connection that has
been idle for a while is not used again: the server may be about to close it, and a request that is
lost then would look like a fault of the service. No request is sent twice.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httptools

from ...mocks.errors import ServiceError
from .answers import Answer
from .request import Request

_LONGEST_IDLE_S = 1.0
_APART_S = 0.001
_MOST_AHEAD = 1_000
_FIRST_FINAL = 200


class HttpClient:
    """Asks one server.

    Args:
        host: Its host.
        port: Its port.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._idle: deque[tuple[float, _Connection]] = deque()

    @asynccontextmanager
    async def asking(self, request: Request) -> "AsyncIterator[_Connection]":
        """Send a request, and yield what its answer is read from.

        Whoever leaves before the end of the answer closes the connection.

        Raises:
            ServiceError: The server takes no connection.
        """
        connection = self._free() or await self._opened()
        try:
            connection.send(request)
            yield connection
        finally:
            if connection.can_be_kept:
                self._idle.append((asyncio.get_running_loop().time(), connection))
            else:
                connection.close()

    async def open_ahead(self, count: int) -> None:
        """Open connections, one after another, until as many are idle, or as many as it may.

        Of those that come at once, the first worker of a service that wakes takes most, and has
        them for good. What comes a millisecond apart is shared out.

        Raises:
            ServiceError: The server takes no connection.
        """
        fresh = []
        while (connection := self._free()) is not None:
            fresh.append(connection)
        while len(fresh) < min(count, _MOST_AHEAD):
            fresh.append(await self._opened())
            await asyncio.sleep(_APART_S)
        now_s = asyncio.get_running_loop().time()
        self._idle.extend((now_s, connection) for connection in fresh)

    def close(self) -> None:
        """Close all connections that are idle."""
        while self._idle:
            self._idle.pop()[1].close()

    def _free(self) -> "_Connection | None":
        """Return the connection that has been idle for longest, of those that may be used."""
        now_s = asyncio.get_running_loop().time()
        while self._idle:
            since_s, connection = self._idle.popleft()
            if now_s - since_s <= _LONGEST_IDLE_S and connection.is_open:
                return connection
            connection.close()
        return None

    async def _opened(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(_Connection, self._host, self._port)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else type(error).__name__
            raise ServiceError(f"the service takes no connection: {reason}") from error
        return connection


class _Connection(asyncio.Protocol):
    """A connection; it has one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._wakes: asyncio.Future[None] | None = None
        self._lost: str | None = None
        self._begin("")

    def _begin(self, method: str) -> None:
        self._method = method
        self._parser = httptools.HttpResponseParser(self)
        self._answer: Answer | None = None
        self._data: deque[bytes] = deque()
        self._content_type = ""
        self._has_length = self._keeps = self._is_complete = False

    @property
    def is_open(self) -> bool:
        """Whether the server has not closed it."""
        return (
            self._lost is None and self._transport is not None and not self._transport.is_closing()
        )

    @property
    def can_be_kept(self) -> bool:
        """Whether its answer is over, and another request may follow."""
        return self._is_complete and self._keeps and self.is_open

    def send(self, request: Request) -> None:
        """Send a request."""
        self._begin(request.method)
        target = request.path + (f"?{request.query}" if request.query else "")
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers)
        assert self._transport is not None
        self._transport.write(
            f"{request.method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + request.body
        )

    async def answer(self) -> Answer:
        """Wait for the head of the answer.

        Raises:
            ServiceError: The connection ended before, or what came is no HTTP.
        """
        while self._answer is None:
            await self._part("its response")
        return self._answer

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the parts of the body as they come.

        Raises:
            ServiceError: The connection ended before it was complete.
        """
        while self._data or not self._is_complete:
            if self._data:
                yield self._data.popleft()
            else:
                await self._part("the end of its response")

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.abort()

    async def _part(self, awaited: str) -> None:
        if self._lost is not None:
            raise ServiceError(f"{self._lost} before {awaited}")
        self._wakes = asyncio.get_running_loop().create_future()
        await self._wakes

    def _wake(self) -> None:
        if self._wakes is not None and not self._wakes.done():
            self._wakes.set_result(None)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's derive from no class of asyncio.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._keeps, self._is_complete = False, True
        except httptools.HttpParserError as error:
            self._lost = f"the service sent what is no HTTP ({error})"
            self.close()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._has_length and exc is None:
            self._is_complete = True  # without a length, a body is as long as its connection
        how = "reset" if exc is not None else "closed"
        self._lost = self._lost or f"the service {how} the connection"
        self._wake()

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"content-type":
                self._content_type = value.decode("latin-1")
            case b"content-length" | b"transfer-encoding":
                self._has_length = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL:
            return  # it says that an answer will come
        self._answer = Answer(status, self._content_type)
        self._keeps = self._parser.should_keep_alive()
        if self._method == "HEAD":
            self._keeps, self._is_complete = False, True

    def on_body(self, body: bytes) -> None:
        if self._method != "HEAD":
            self._data.append(body)

    def on_message_complete(self) -> None:
        self._is_complete = self._is_complete or self._answer is not None
