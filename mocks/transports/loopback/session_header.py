"""Names the session in a header of each request over sockets, and reads it from one.

A server does not see whose code asks. So in the trial's process the clients' requests to it get a
header: those of httpx and httpx2 where their connection pools send them, those of everything above
``http.client`` (urllib3, requests, botocore) where that ends its headers, those of aiohttp where a
session makes them. A service between agent and model may pass it on, or W3C's ``baggage``.
"""

import http.client
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from ...clock.patching import patched
from ...model import NOBODY, Caller, Rule
from ...observe.session import SESSION, runs_here
from ..http_libraries import INSTALLED

SESSION_HEADER = "x-warpbench-session"
_BAGGAGE = b"baggage"
BAGGAGE_KEY = "warpbench-session"
_RETRY_COUNT = b"x-stainless-retry-count"
_FOLLOWS_UP = "follows-up"
"""Behind the number of a session that has ended, and whose service works on."""

_NAME = SESSION_HEADER.encode()
_STARTED = "started"
"""Behind the number, of what a session started, and of nothing that runs the session itself."""

_MOST_DIGITS = 18


def caller_of(headers: Iterable[tuple[bytes, bytes]]) -> Caller:
    """Return who sends a request, by its headers, whose names are in lower case."""
    session: int | None = None
    is_retry, is_own, follows_up = False, True, False
    for name, value in headers:
        if name == _NAME:
            number, *states = value.decode("latin-1").split(";")
            session = _number(number)
            is_own, follows_up = _STARTED not in states, _FOLLOWS_UP in states
        elif name == _BAGGAGE and session is None:
            session = _in_baggage(value.decode("latin-1"))
        elif name == _RETRY_COUNT:
            is_retry = value not in {b"", b"0"}
    if session is None:
        return Caller(is_retry=True) if is_retry else NOBODY
    return Caller(session, Rule.HEADER, is_retry, is_own=is_own, follows_up=follows_up)


def _in_baggage(value: str) -> int | None:
    for member in value.split(","):
        key, _, found = member.partition(";")[0].partition("=")
        if key.strip() == BAGGAGE_KEY:
            return _number(found)
    return None


def _number(text: str) -> int | None:
    digits = text.strip()
    is_number = digits.removeprefix("-").isdecimal() and len(digits) <= _MOST_DIGITS
    return int(digits) if is_number else None


@contextmanager
def naming_sessions(root: str) -> Iterator[None]:
    """Name the session in the requests to a server, in this scope.

    Args:
        root: Scheme, host and port of the server.
    """
    address = urlsplit(root)
    host, port = address.hostname or "", address.port
    with ExitStack() as patches:
        for library in INSTALLED:
            core = library.core_module()
            for pool, handle in (
                (core.AsyncConnectionPool, "handle_async_request"),
                (core.ConnectionPool, "handle_request"),
            ):
                real = getattr(pool, handle)
                patches.enter_context(patched(pool, handle, _naming(real, host.encode(), port)))
        connection = http.client.HTTPConnection
        ending = _ending_headers(connection.endheaders, host, port)
        patches.enter_context(patched(connection, "endheaders", ending))
        if "aiohttp" in sys.modules:
            session = sys.modules["aiohttp"].ClientSession
            asking = _asking(session._request, host, port)
            patches.enter_context(patched(session, "_request", asking))
        yield


def _asker_here() -> str | None:
    """Return what the header says of the code that asks; ``None`` for code of no session."""
    scope = SESSION.get()
    if scope is None or (scope.is_over and not scope.follows_up):
        return None
    states = (
        *(() if runs_here(scope) else (_STARTED,)),
        *((_FOLLOWS_UP,) if scope.is_over else ()),
    )
    return ";".join((str(scope.number), *states))


def _naming(real: Callable[..., Any], host: bytes, port: int | None) -> Callable[..., Any]:
    @wraps(real)
    def handle(pool: Any, request: Any) -> Any:
        session = _asker_here()
        if session is not None and (request.url.host, request.url.port) == (host, port):
            request.headers = [*request.headers, (_NAME, session.encode())]
        return real(pool, request)

    return handle


def _ending_headers(real: Callable[..., Any], host: str, port: int | None) -> Callable[..., Any]:
    @wraps(real)
    def endheaders(connection: Any, *args: Any, **kwargs: Any) -> Any:
        session = _asker_here()
        if session is not None and (connection.host, connection.port) == (host, port):
            connection.putheader(SESSION_HEADER, session)
        return real(connection, *args, **kwargs)

    return endheaders


def _asking(real: Callable[..., Any], host: str, port: int | None) -> Callable[..., Any]:
    @wraps(real)
    def ask(session: Any, method: str, url: Any, **kwargs: Any) -> Any:
        asker = _asker_here()
        asked = urlsplit(str(session._build_url(url)))
        if asker is not None and (asked.hostname, asked.port) == (host, port):
            headers = dict(kwargs.get("headers") or {})
            kwargs["headers"] = {**headers, SESSION_HEADER: asker}
        return real(session, method, url, **kwargs)

    return ask
