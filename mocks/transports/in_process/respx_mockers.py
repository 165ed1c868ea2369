"""How respx patches the transports: the lab's own mockers pass each request on as it is.

respx's own mocker makes an ``httpx.Request`` of whatever a transport is asked, and what the
transport returns of an ``httpx.Response``. The lab needs neither: it reads method, address and
body, and answers with what clients read of a response. A mocked call costs a fifth less for it.

The connections below all transports (``httpcore``) are always patched. Above them a client's own
transport would only convert request and response and back. So where nobody else has mocked what
is below, the request is answered at that transport, which saves another fifth.
"""

import importlib
import inspect
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, cast

from respx.mocks import HTTPCoreMocker, Mocker
from respx.patterns import parse_url

from .http_messages import Address, Request, Response

_ADDRESSES_KEPT = 1024
_NO_TIMEOUTS: Mapping[str, float | None] = MappingProxyType({})


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


def _request(asked: Any, body: bytes, pool: object) -> Request:
    method, url = asked.method, asked.url
    timeouts = asked.extensions.get("timeout") or _NO_TIMEOUTS
    return Request(
        method.decode("ascii") if isinstance(method, bytes) else method,
        _address(url.scheme, url.host, url.port, url.target),
        body,
        timeouts.get("read"),
        timeouts.get("pool"),
        pool,
    )


def _client_request(asked: Any, body: bytes, pool: object) -> Request:
    """Read a request as a client makes it."""
    url = asked.url
    timeouts = asked.extensions.get("timeout") or _NO_TIMEOUTS
    return Request(
        asked.method,
        _address(url.raw_scheme, url.raw_host, url.port, url.raw_path),
        body,
        timeouts.get("read"),
        timeouts.get("pool"),
        pool,
    )


async def _read(stream: Iterable[bytes] | AsyncIterable[bytes]) -> bytes:
    # A body in memory can be read synchronously, which costs a third.
    if isinstance(stream, Iterable):
        return b"".join(stream)
    return b"".join([chunk async for chunk in stream])


def _handing_on(mocker: type[HTTPCoreMocker], original: Callable[..., Any]) -> Callable[..., Any]:
    """Return the replacement of a transport's method: the mocker's first router answers."""
    if original.__name__ not in mocker.target_methods:
        return original  # Somebody else's mock: respx leaves those in place.

    def handle_request(pool: object, request: Any) -> Response:
        stream = cast("Iterable[bytes]", request.stream)
        answering = cast("Answering", mocker.routers[0])
        return answering.answer(_request(request, b"".join(stream), pool))

    async def handle_async_request(pool: object, request: Any) -> Response:
        answering = cast("Answering", mocker.routers[0])
        body = await _read(request.stream)
        return await answering.answer_async(_request(request, body, pool))

    return handle_async_request if inspect.iscoroutinefunction(original) else handle_request


def _is_answered_below(transport: Any, method: str) -> bool:
    """Return whether the lab, and nobody else, mocks the pool below a transport."""
    pool = getattr(transport, "_pool", None)
    answers = getattr(type(pool), method, None)
    return getattr(answers, "__module__", None) == __name__


def _cutting_short(
    mocker: type[Mocker], library: str, original: Callable[..., Any]
) -> Callable[..., Any]:
    """Return the replacement of a transport's method where the lab answers the pool below it."""
    if original.__name__ not in mocker.target_methods:
        return original
    response_of = importlib.import_module(library).Response

    def handle_request(transport: Any, request: Any) -> Any:
        if not _is_answered_below(transport, "handle_request"):
            return original(transport, request)
        answering = cast("Answering", mocker.routers[0])
        body = b"".join(request.stream)
        answer = answering.answer(_client_request(request, body, transport._pool))
        return response_of(answer.status, headers=answer.headers, stream=answer.stream)

    async def handle_async_request(transport: Any, request: Any) -> Any:
        if not _is_answered_below(transport, "handle_async_request"):
            return await original(transport, request)
        answering = cast("Answering", mocker.routers[0])
        body = await _read(request.stream)
        asked = _client_request(request, body, transport._pool)
        answer = await answering.answer_async(asked)
        return response_of(answer.status, headers=answer.headers, stream=answer.stream)

    return handle_async_request if inspect.iscoroutinefunction(original) else handle_request


class Httpcore2Mocker(HTTPCoreMocker):
    """Patches httpcore2, below httpx2: it has the classes of httpcore, at the same places."""

    name = "warpbench-httpcore2"
    targets: ClassVar[list[str]] = [
        target.replace("httpcore.", "httpcore2.", 1) for target in HTTPCoreMocker.targets
    ]

    @classmethod
    def mock(cls, spec: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of a transport's method; respx calls it."""
        return _handing_on(cls, spec)


class HttpcoreMocker(HTTPCoreMocker):
    """Patches httpcore, below httpx."""

    name = "warpbench-httpcore"

    @classmethod
    def mock(cls, spec: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of a transport's method; respx calls it."""
        return _handing_on(cls, spec)


class Httpx2Mocker(Mocker):
    """Patches httpx2 itself."""

    name = "warpbench-httpx2"
    targets: ClassVar[list[str]] = ["httpx2.HTTPTransport", "httpx2.AsyncHTTPTransport"]
    target_methods: ClassVar[list[str]] = HTTPCoreMocker.target_methods

    @classmethod
    def mock(cls, spec: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of a transport's method; respx calls it."""
        return _cutting_short(cls, "httpx2", spec)


class HttpxMocker(Mocker):
    """Patches httpx itself."""

    name = "warpbench-httpx"
    targets: ClassVar[list[str]] = ["httpx.HTTPTransport", "httpx.AsyncHTTPTransport"]
    target_methods: ClassVar[list[str]] = HTTPCoreMocker.target_methods

    @classmethod
    def mock(cls, spec: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of a transport's method; respx calls it."""
        return _cutting_short(cls, "httpx", spec)


MOCKERS = {
    "httpcore2": Httpcore2Mocker.name,
    "httpcore": HttpcoreMocker.name,
    "httpx2": Httpx2Mocker.name,
    "httpx": HttpxMocker.name,
}
"""The mocker of each transport, by the name of its package, which need not be installed."""
