"""What a patched transport is asked, and what it answers: no more than the lab and clients read."""

from dataclasses import dataclass
from typing import Self

import httpx
import httpx2
import msgspec


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes: the whole of it as text, and its path."""

    text: str
    path: str


class Request(msgspec.Struct, frozen=True):
    """What a transport was asked.

    Attributes:
        method: Its method, in capitals.
        address: Where it goes.
        body: Its body.
        read_timeout_s: How long its client waits for the next bytes; ``None``: for ever.
    """

    method: str
    address: Address
    body: bytes
    read_timeout_s: float | None


class Body(httpx2.SyncByteStream, httpx.SyncByteStream):
    """The body of a response to a sync client, in pieces; either library takes it."""


class AsyncBody(httpx2.AsyncByteStream, httpx.AsyncByteStream):
    """The same for async clients."""


class Response:
    """What a transport answers: all that httpx and httpx2 read of it.

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
    """A body that is there as a whole, for sync and async clients; it is read once."""

    def __init__(self, data: bytes) -> None:
        self._data: bytes | None = data

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
