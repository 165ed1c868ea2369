"""Drives a service as it is deployed, over HTTP: a session is what one user asks.

What is asked, and how the answer is read, is the same as in-process (``request``, ``answers``).
Each request says whose it is, in the lab's own header and in those of W3C, which instrumented
services pass on: the mocked model reads them. Of a service that passes on nothing, the marks in
the texts tell.
"""

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import replace

from ...mocks.observe.session import session_here
from ...mocks.scenario.request import RequestSpec
from ...mocks.transports.loopback.session_header import BAGGAGE_KEY, SESSION_HEADER
from .answers import reader_of
from .http_client import HttpClient
from .request import Request, request_of

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8


class DeployedService:
    """A service that listens on loopback, as a target.

    Args:
        host: Its host.
        port: Its port.
        spec: What a session asks.
    """

    def __init__(self, host: str, port: int, spec: RequestSpec) -> None:
        self._address = f"{host}:{port}"
        self._client = HttpClient(host, port)
        self._spec = spec

    async def session(self, task: str) -> AsyncGenerator[str, None]:
        """Ask the service in each turn, and yield the text of its answers as it comes.

        Raises:
            ServiceError: It refused the request, took no connection, or broke off its answer.
        """
        number = session_here() or 0
        for turn in range(1, self._spec.turns + 1):
            asked = request_of(self._spec, task, number, turn, self._address)
            async with self._client.asking(told_whose(asked, number, turn)) as connection:
                reader = reader_of(self._spec.answer, await connection.answer())
                async for data in connection.body():
                    for text in reader.feed(data):
                        yield text
                for text in reader.end():
                    yield text

    async def connect(self, count: int) -> None:
        """Open the connections that sessions are about to use: see ``HttpClient.open_ahead``.

        Raises:
            ServiceError: It takes no connection.
        """
        await self._client.open_ahead(count)

    async def close(self) -> None:
        """Close the connections that are idle."""
        self._client.close()


def told_whose(request: Request, session: int, turn: int) -> Request:
    """Return a request that says whose it is, unless the scenario has it say so itself."""
    digest = hashlib.blake2b(
        f"{session}/{turn}".encode(), digest_size=_TRACE_ID_BYTES + _SPAN_ID_BYTES
    ).hexdigest()
    trace, span = digest[: 2 * _TRACE_ID_BYTES], digest[2 * _TRACE_ID_BYTES :]
    said = {
        SESSION_HEADER: str(session),
        "traceparent": f"00-{trace}-{span}-01",
        "baggage": f"{BAGGAGE_KEY}={session}",
    }
    return replace(request, headers=tuple({**said, **dict(request.headers)}.items()))
