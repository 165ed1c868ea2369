"""How respx patches the transports: mockers of the lab's own, that hand each request on as it is.

respx's own mocker makes an ``httpx.Request`` of whatever a transport is asked, and what the
transport returns of an ``httpx.Response``. The lab needs neither: it reads method, address and
body, and answers with what clients read of a response. A mocked call costs a fifth less for it.
"""

import inspect
from collections.abc import AsyncIterable, Callable, Iterable
from functools import lru_cache
from typing import Any, Protocol, cast

from pytest_httpx2._plugin import HTTPCore2Mocker
from respx.mocks import HTTPCoreMocker
from respx.patterns import parse_url

from .http_messages import Address, Request, Response

_ADDRESSES_KEPT = 1024


class Answering(Protocol):
    """Whoever answers requests."""

    def answer(self, request: Request) -> Response:
        """Answer a request of a sync client."""
        ...

    async def answer_async(self, request: Request) -> Response:
        """Answer a request of an async client."""
        ...


@lru_cache(_ADDRESSES_KEPT)
def _address(scheme: bytes, host: bytes, port: int | None, target: bytes) -> Address:
    url = parse_url((scheme, host, port, target))
    return Address(str(url), url.path)


def _request(asked: Any, body: bytes) -> Request:
    method, url = asked.method, asked.url
    timeouts = asked.extensions.get("timeout")
    return Request(
        method.decode("ascii") if isinstance(method, bytes) else method,
        _address(url.scheme, url.host, url.port, url.target),
        body,
        timeouts.get("read") if timeouts else None,
    )


def _handing_on(mocker: type[HTTPCoreMocker], original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what stands in for a transport's method: the mocker's first router answers."""
    if original.__name__ not in mocker.target_methods:
        return original  # Somebody else's mock: respx leaves those in place.

    def handle_request(_transport: object, request: Any) -> Response:
        stream = cast("Iterable[bytes]", request.stream)
        answering = cast("Answering", mocker.routers[0])
        return answering.answer(_request(request, b"".join(stream)))

    async def handle_async_request(_transport: object, request: Any) -> Response:
        stream: Iterable[bytes] | AsyncIterable[bytes] = request.stream
        answering = cast("Answering", mocker.routers[0])
        # What is in memory already can be read either way, and plainly it costs a third.
        body = (
            b"".join(stream)
            if isinstance(stream, Iterable)
            else b"".join([chunk async for chunk in stream])
        )
        return await answering.answer_async(_request(request, body))

    return handle_async_request if inspect.iscoroutinefunction(original) else handle_request


class Httpcore2Mocker(HTTPCore2Mocker):
    """Patches httpcore2, below httpx2."""

    name = "warpbench-httpcore2"

    @classmethod
    def mock(cls, spec: Callable[..., Any]) -> Callable[..., Any]:
        """Return what stands in for a method of a transport; respx calls it."""
        return _handing_on(cls, spec)


class HttpcoreMocker(HTTPCoreMocker):
    """Patches httpcore, below httpx."""

    name = "warpbench-httpcore"

    @classmethod
    def mock(cls, spec: Callable[..., Any]) -> Callable[..., Any]:
        """Return what stands in for a method of a transport; respx calls it."""
        return _handing_on(cls, spec)


MOCKERS = {"httpcore2": Httpcore2Mocker.name, "httpcore": HttpcoreMocker.name}
"""The mocker of each transport."""
