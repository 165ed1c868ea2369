"""Requests and responses of a patched transport: only what the lab and clients read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import msgspec

from ..http_libraries import INSTALLED

if TYPE_CHECKING:
    import httpx
    import httpx2

    class _SyncStream(httpx2.SyncByteStream, httpx.SyncByteStream):
        pass

    class _AsyncStream(httpx2.AsyncByteStream, httpx.AsyncByteStream):
        pass
else:
    # Each library accepts a body of its own class only.
    _libraries = [library.module() for library in INSTALLED]
    _SyncStream = type("_SyncStream", tuple(each.SyncByteStream for each in _libraries), {})
    _AsyncStream = type("_AsyncStream", tuple(each.AsyncByteStream for each in _libraries), {})


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a request: the whole as text, and its path."""

    text: str
    path: str


class Request(msgspec.Struct, frozen=True):
    """What a transport was asked.

    Attributes:
        method: HTTP method, in capitals.
        address: Address of the request.
        body: Body of the request.
        read_timeout_s: Seconds that the client waits for the next bytes; ``None``: no limit.
        pool_timeout_s: Seconds that it waits for a free connection; likewise.
        pool: The pool of connections that it was asked through.
    """

    method: str
    address: Address
    body: bytes
    read_timeout_s: float | None
    pool_timeout_s: float | None
    pool: object


class Body(_SyncStream):
    """The body of a response to a sync client, in pieces; each library accepts it."""


class AsyncBody(_AsyncStream):
    """The body of a response to an async client, in pieces."""


class Response:
    """The response of a transport: all that httpx and httpx2 read of one.

    Attributes:
        status: HTTP status.
        headers: Names and values.
        stream: The body, in pieces.
        extensions: Empty.
    """

    __slots__ = ("extensions", "headers", "status", "stream")

    def __init__(
        self,
        status: int,
        headers: list[tuple[bytes, bytes]],
        stream: Body | AsyncBody,
    ) -> None:
        self.status = status
        self.headers = headers
        self.stream = stream
        self.extensions: dict[str, object] = {}


class WholeBody(Body, AsyncBody):
    """A complete body, for sync and async clients; it is read once.

    Args:
        data: All of it.
        closes: Called once, as soon as the client closes it, which it does when it has read it.
    """

    def __init__(self, data: bytes, closes: Callable[[], None]) -> None:
        self._data: bytes | None = data
        self._closes: Callable[[], None] | None = closes

    def close(self) -> None:
        """Give the connection back."""
        closes, self._closes = self._closes, None
        if closes is not None:
            closes()

    async def aclose(self) -> None:
        """Give the connection back."""
        closes, self._closes = self._closes, None
        if closes is not None:
            closes()

    def __iter__(self) -> Self:
        return self

    def __aiter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        data, self._data = self._data, None
        if data is None:
            raise StopIteration
        return data

    async def __anext__(self) -> bytes:
        data, self._data = self._data, None
        if data is None:
            raise StopAsyncIteration
        return data
