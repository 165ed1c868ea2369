"""Drives a WSGI application (PEP 3333) in-process: a session is what one user asks."""

import io
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, nullcontext
from typing import Any
from urllib.parse import unquote_to_bytes

from ...mocks.errors import ClockError, ServiceError
from ...mocks.observe.session import session_here
from ...mocks.scenario.request import RequestSpec
from .answers import Answer, reader_of
from .request import HOST, PORT, Request, request_of

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_WITHOUT_PREFIX = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class WsgiService:
    """An application as a target.

    Args:
        app: The application.
        spec: What a session asks.
    """

    def __init__(self, app: WsgiApp, spec: RequestSpec) -> None:
        self._app = app
        self._spec = spec

    def sync_session(self, task: str) -> Generator[str, None, None]:
        """Ask the application in each turn, and yield the text of its answers as it comes.

        Raises:
            ServiceError: It refused the request, raised, or broke off its answer.
        """
        number = session_here() or 0
        for turn in range(1, self._spec.turns + 1):
            request = request_of(self._spec, task, number, turn)
            response = _Response()
            with closing(_parts(self._app, request, response)) as parts:
                yield from self._texts(parts, response)

    def _texts(self, parts: Iterable[bytes], response: "_Response") -> Generator[str, None, None]:
        reader = None
        for data in parts:
            if reader is None:
                reader = reader_of(self._spec.answer, response.answer())
            yield from reader.feed(data)
        yield from (reader or reader_of(self._spec.answer, response.answer())).end()


class _Response:
    """What an application says of its answer before the body.

    Attributes:
        has_begun: Whether the session has taken the head up.
        written: What the application has written without returning it, and is not read yet.
    """

    def __init__(self) -> None:
        self._answer: Answer | None = None
        self.has_begun = False
        self.written: list[bytes] = []

    def start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,
    ) -> Callable[[bytes], None]:
        """Take up the head; called as PEP 3333 has it."""
        if exc_info is not None:
            try:
                if self.has_begun:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # or it would refer to itself
        elif self._answer is not None:
            raise AssertionError("start_response was called twice, without exc_info")
        by_name = {name.lower(): value for name, value in headers}
        self._answer = Answer(int(status.split(maxsplit=1)[0]), by_name.get("content-type", ""))
        return self.written.append

    def answer(self) -> Answer:
        """Return the head, from here on for good.

        Raises:
            ServiceError: There is none.
        """
        if self._answer is None:
            raise ServiceError("the application did not call start_response")
        self.has_begun = True
        return self._answer


def _parts(app: WsgiApp, request: Request, response: _Response) -> Generator[bytes, None, None]:
    """Call the application, and yield its body part by part; close what it has returned."""
    with _blamed(response):
        iterable = app(environ_of(request), response.start)
    close = getattr(iterable, "close", None)
    with nullcontext() if close is None else closing(iterable):  # type: ignore[type-var]
        iterator = iter(iterable)
        while True:
            with _blamed(response):
                part = next(iterator, None)
            yield from _drained(response.written)
            if part is None:
                return
            if part and request.method != "HEAD":
                yield part


def _drained(written: list[bytes]) -> Generator[bytes, None, None]:
    while written:
        yield written.pop(0)


class _blamed:  # noqa: N801 - a context manager that reads like a function
    """Turns what an application raises into a failed request, with the error as its cause."""

    def __init__(self, response: _Response) -> None:
        self._response = response

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, ClockError):
            when = "the end of its response" if self._response.has_begun else "its response"
            raise ServiceError(f"the application raised before {when}") from error


def environ_of(request: Request) -> dict[str, Any]:
    """Return the environment of a request, by PEP 3333."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # Bytes, as text of Latin-1.
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "RAW_URI": request.path + (f"?{request.query}" if request.query else ""),
        "QUERY_STRING": request.query,
        "SERVER_NAME": HOST,
        "SERVER_PORT": str(PORT),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": HOST,
        "REMOTE_PORT": str(request.client_port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = _WITHOUT_PREFIX.get(name, f"HTTP_{name.upper().replace('-', '_')}")
        environ[key] = value
    return environ
