"""Drives an ASGI application in-process, as uvicorn would: a session is what one user asks.

Each request has a task of its own, which goes on when the user has gone or has the answer: what
runs then is a background task of the service, or a handler that finds out. It is the session's
work, and ends before the application's shutdown. Nothing cancels it but its own code.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from ...mocks.errors import ClockError, ServiceError, TargetError
from ...mocks.observe.session import SESSION, SessionScope, session_here
from ...mocks.scenario.request import RequestSpec
from .answers import Answer, reader_of
from .lifespan import ASGI_VERSION, AsgiApp, Lifespan, Message
from .request import HOST, PORT, Request, request_of

SPEC_VERSION = "2.3"
"""That of uvicorn: ``send`` is silent once the client has gone. From 2.4 on it would raise."""

MOST_AFTER_S = 60
"""Seconds that requests may run on after the last session."""

_WITHOUT_BODY = frozenset({204, 304})


class AsgiService(AbstractAsyncContextManager["AsgiService"]):
    """An application as a target: open while sessions run.

    Args:
        name: The target, in errors.
        app: The application.
        spec: What a session asks.
    """

    def __init__(self, name: str, app: AsgiApp, spec: RequestSpec) -> None:
        self._name = name
        self._app = app
        self._spec = spec
        self._lifespan = Lifespan(name, app)
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._lifespan.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        left = await self.settle()
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        await self._lifespan.stop()
        if left:
            raise TargetError(
                f"target {self._name!r}: {len(left)} requests still ran {MOST_AFTER_S} s after the "
                "last session: let a handler end when its client has gone "
                "(http.disconnect), or a background task by itself"
            )

    async def settle(self) -> set[asyncio.Task[None]]:
        """Wait for what still runs of requests, a minute at most; return what then still does."""
        if not self._running:
            return set()
        _, left = await asyncio.wait(self._running, timeout=MOST_AFTER_S)
        return left

    async def session(self, task: str) -> AsyncGenerator[str, None]:
        """Ask the application in each turn, and yield the text of its answers as it comes.

        Raises:
            ServiceError: It refused the request, raised, or broke off its answer.
        """
        number = session_here() or 0
        for turn in range(1, self._spec.turns + 1):
            request = request_of(self._spec, task, number, turn)
            exchange = _Exchange(request, self._lifespan.state)
            exchange.task = asyncio.create_task(self._serve(exchange))
            self._running.add(exchange.task)
            exchange.task.add_done_callback(self._running.discard)
            exchange.task.add_done_callback(exchange.ended)
            try:
                answer = await exchange.answer()
                reader = reader_of(self._spec.answer, answer)
                async for data in exchange.body():
                    for text in reader.feed(data):
                        yield text
                try:
                    for text in reader.end():
                        yield text
                except ServiceError as error:
                    raise error from exchange.error()
            finally:
                exchange.leave()

    async def _serve(self, exchange: "_Exchange") -> None:
        """Call the application: the task of a request begins here."""
        of_client = SESSION.get()
        if of_client is not None and not of_client.is_over:
            # Its own: it goes on when the session has ended.
            exchange.session = SessionScope(of_client.number, asyncio.current_task())
            exchange.session.kept = of_client.kept
            SESSION.set(exchange.session)
        returned: object = await self._app(exchange.scope, exchange.receive, exchange.send)  # type: ignore[func-returns-value]
        exchange.require_complete(returned)


class _Exchange:
    """One request and its answer, between the task of the application and that of the session.

    Args:
        request: The request.
        state: What the lifespan keeps.

    Attributes:
        scope: What the application is called with.
        session: Whose it is, in the application's task.
        task: The application's task, once it is made.
    """

    def __init__(self, request: Request, state: dict[str, Any]) -> None:
        self.scope = scope_of(request, state)
        self.session: SessionScope | None = None
        self._unread = [request.body]
        self._answer: Answer | None = None
        self._expected: int | None = None
        self._data: deque[bytes] = deque()
        self._is_complete = False
        self._has_left = False
        self.task: asyncio.Task[None] | None = None
        self._wakes_client: asyncio.Future[None] | None = None
        self._wakes_app: list[asyncio.Future[None]] = []

    # What the application calls.

    async def receive(self) -> Message:
        """Return the request, then, when client or answer are through, that it is disconnected."""
        while not self._unread and not self._is_over:
            waits = asyncio.get_running_loop().create_future()
            self._wakes_app.append(waits)
            await waits
        if self._is_over:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self._unread.pop(), "more_body": False}

    async def send(self, message: Message) -> None:
        """Take up a part of the answer, with uvicorn's errors; nothing once the client has gone."""
        if self._has_left:
            return
        kind = message["type"]
        if self._answer is None:
            if kind != "http.response.start":
                raise RuntimeError(
                    f"Expected ASGI message 'http.response.start', but got '{kind}'."
                )
            self._begin(message)
        elif self._is_complete:
            raise RuntimeError(
                f"Unexpected ASGI message '{kind}' sent, after response already completed."
            )
        else:
            if kind != "http.response.body":
                raise RuntimeError(f"Expected ASGI message 'http.response.body', but got '{kind}'.")
            self._take(bytes(message.get("body", b"")), more=bool(message.get("more_body", False)))
        self._wake_client()

    def require_complete(self, returned: object) -> None:
        """Check, where the application has returned, that it has answered.

        Raises:
            ServiceError: It has not.
        """
        if returned is not None:
            raise ServiceError(f"the application returned {returned!r}, expected None")
        if not self._is_over:
            what = "completing its response" if self._answer else "a response"
            raise ServiceError(f"the application returned without {what}")

    # What the session calls.

    async def answer(self) -> Answer:
        """Wait for the head of the answer.

        Raises:
            ServiceError: The application ended without one.
        """
        while self._answer is None:
            await self._part()
        return self._answer

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the parts of the body as they come.

        Raises:
            ServiceError: The application broke it off.
        """
        while self._data or not self._is_complete:
            if self._data:
                yield self._data.popleft()
            else:
                await self._part()

    def error(self) -> BaseException | None:
        """Return what the application has raised by now, beside its answer."""
        task = self.task
        return task.exception() if task and task.done() and not task.cancelled() else None

    def leave(self) -> None:
        """Go, with or without the answer: the application finds out by itself."""
        self._has_left = True
        self._end_of_session()

    def ended(self, task: "asyncio.Task[None]") -> None:
        """Note that the application's task has ended; report an error that no session meets."""
        is_met = not self._is_over
        self._end_of_session(follows_up=False)
        self._wake_client()
        error = self.error()
        # A framework raises once more what it has answered with a status of 5xx.
        is_met = is_met or (self._answer is not None and self._answer.status >= 500)  # noqa: PLR2004
        if error is not None and not is_met:
            task.get_loop().call_exception_handler(
                {
                    "message": "Task exception was never retrieved: the application raised after "
                    "its response, or after its client had gone",
                    "exception": error,
                    "task": task,
                }
            )

    # Both.

    @property
    def _is_over(self) -> bool:
        return self._has_left or self._is_complete

    def _begin(self, message: Message) -> None:
        status = int(message["status"])
        headers = {
            bytes(name).lower(): bytes(value).decode("latin-1")
            for name, value in message.get("headers", ())
        }
        if b"content-length" in headers and status not in _WITHOUT_BODY:
            self._expected = int(headers[b"content-length"])
        self._answer = Answer(status, headers.get(b"content-type", ""))

    def _take(self, data: bytes, *, more: bool) -> None:
        if self.scope["method"] == "HEAD":
            data, self._expected = b"", None
        if self._expected is not None:
            self._expected -= len(data)
            if self._expected < 0:
                raise RuntimeError("Response content longer than Content-Length")
            if self._expected and not more:
                raise RuntimeError("Response content shorter than Content-Length")
        if data:
            self._data.append(data)
        if not more:
            self._is_complete = True
            self._end_of_session()

    def _end_of_session(self, *, follows_up: bool = True) -> None:
        """Let what the application does from now on be no more of what its session waits for."""
        if self.session is not None:
            self.session.is_over = True
            self.session.follows_up = follows_up
        waiting, self._wakes_app = self._wakes_app, []
        for waits in waiting:
            if not waits.done():
                waits.set_result(None)

    async def _part(self) -> None:
        """Wait for the next part of the answer."""
        if self.task is not None and self.task.done():
            self._raise_why(self.task)
        self._wakes_client = asyncio.get_running_loop().create_future()
        await self._wakes_client

    def _raise_why(self, task: "asyncio.Task[None]") -> None:
        """Raise why there is no more of the answer."""
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if isinstance(error, ClockError | ServiceError):
            raise error
        when = "its response" if self._answer is None else "the end of its response"
        raise ServiceError(f"the application raised before {when}") from error

    def _wake_client(self) -> None:
        if self._wakes_client is not None and not self._wakes_client.done():
            self._wakes_client.set_result(None)


def scope_of(request: Request, state: dict[str, Any]) -> dict[str, Any]:
    """Return the scope of a request as uvicorn would make it."""
    return {
        "type": "http",
        "asgi": {"version": ASGI_VERSION, "spec_version": SPEC_VERSION},
        "http_version": "1.1",
        "server": (HOST, PORT),
        "client": (HOST, request.client_port),
        "scheme": "http",
        "method": request.method,
        "root_path": "",
        "path": unquote(request.path),
        "raw_path": request.path.encode("ascii"),
        "query_string": request.query.encode("ascii"),
        "headers": [
            (name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers
        ],
        "state": state.copy(),
    }
