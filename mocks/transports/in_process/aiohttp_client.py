"""aiohttp, and so the openai SDK's client of it: each connection leads to the mocked world.

What makes a connection is replaced, and nothing else: aiohttp's pools, time-outs, parsers and
errors are its own. The protocol that it reads with is given a transport to the world.
"""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import aiohttp

from ...clock.patching import patched
from ...errors import UnmockedRequestError
from ...wire.reply import Ending
from ..aiohttp_waits import noting_aiohttp_waits
from .connection import Connection, OpenWorld, Origin, RefusedRequest, Sending
from .play import sleep_until_ns
from .refusing import connection_refused


@contextmanager
def mocked_aiohttp(opened: OpenWorld) -> Iterator[None]:
    """Answer every request of aiohttp's client from a world in this scope."""
    kind = aiohttp.TCPConnector
    with ExitStack() as patches:
        patches.enter_context(noting_aiohttp_waits(opened.world.traffic, opened.world.clock))
        for name, replaces in (("connect", _requiring_mocked), ("_create_connection", _connecting)):
            replacement = replaces(opened, getattr(kind, name))
            patches.enter_context(patched(kind, name, replacement))
        yield


def _requiring_mocked(opened: OpenWorld, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what asks a pool for a connection, where a request that nothing mocks is refused.

    Here an unreachable host is known, whether or not the pool has a connection to it.
    """

    @wraps(original)
    async def connect(connector: Any, req: Any, *args: Any, **options: Any) -> Any:
        url = _origin_of(req).url_of(req.url.raw_path_qs)
        try:
            opened.world.require_mocked(req.method, req.url.raw_path, url)
        except UnmockedRequestError as error:
            refused = connection_refused(url, error)
            raise aiohttp.ClientConnectorError(req.connection_key, refused) from refused
        place = opened.world.traffic.caller()
        connection = await original(connector, req, *args, **options)
        transport = connection.protocol.transport
        if isinstance(transport, MockedTransport):
            transport.is_asked_at(place)
        return connection

    return connect


def _connecting(opened: OpenWorld, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what connects a connector to the mocked world; a proxy is passed by."""

    @wraps(original)
    async def create(connector: Any, req: Any, *_: Any, **__: Any) -> Any:
        origin = _origin_of(req)
        protocol = connector._factory()
        protocol.connection_made(MockedTransport(opened, origin, protocol))
        return protocol

    return create


def _origin_of(req: Any) -> Origin:
    url = req.url
    return Origin("https" if req.is_ssl() else "http", url.raw_host, url.port)


class MockedTransport(asyncio.Transport):
    """A transport whose other end is the mocked world; it belongs to the running loop.

    Args:
        opened: What answers.
        origin: Where it leads to.
        protocol: What reads it.
    """

    def __init__(self, opened: OpenWorld, origin: Origin, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": (origin.host, origin.port)})
        self._opened = opened
        self._loop = asyncio.get_running_loop()
        self._connection = Connection(opened.world, origin)
        self._protocol = protocol
        self._reading = asyncio.Event()
        self._reading.set()
        self._is_closing = False
        self._delivery: asyncio.Task[None] | None = None

    def is_asked_at(self, place: str) -> None:
        """Take note of the place in the user's code whose request comes next.

        aiohttp may send it in a task of its own, on whose stack the user is not.
        """
        self._connection.place = place

    # What is sent.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes of a request."""
        if self._is_closing:
            return
        try:
            sending = self._connection.receive(bytes(data))
        except RefusedRequest as refused:
            self._is_lost(connection_refused(refused.url, refused.error))
            return
        if sending is not None or (interim := self._connection.interim):
            first = b"" if sending is not None else interim
            # Not by the loop's own factory: one that is eager would deliver before this returns.
            self._delivery = asyncio.Task(
                self._deliver(sending, first), loop=self._loop, name="warpbench: a mocked reply"
            )

    def can_write_eof(self) -> bool:
        """Return that the writing end cannot be closed alone."""
        return False

    def get_write_buffer_size(self) -> int:
        """Return 0: what is written has arrived."""
        return 0

    # What is read.

    async def _deliver(self, sending: Sending | None, first: bytes) -> None:
        if first:
            self._protocol.data_received(first)
        if sending is None:
            return
        try:
            while (step := sending.next) is not None:
                sending.waits_until(step.due_ns)
                await sleep_until_ns(sending.clock, step.due_ns)
                await self._reading.wait()
                sending.taken(step)
                if step.data:
                    self._protocol.data_received(step.data)
                self._ends(step.ending, keeps_alive=sending.keeps_alive)
        finally:
            sending.leave()

    def _ends(self, ending: Ending | None, *, keeps_alive: bool) -> None:
        if ending is None or (ending is Ending.COMPLETE and keeps_alive):
            return
        if ending is Ending.RESET:
            number = errno.ECONNRESET
            self._is_lost(ConnectionResetError(number, os.strerror(number)))
            return
        self._protocol.eof_received()
        self._is_lost(None)

    def is_reading(self) -> bool:
        """Return whether the protocol takes bytes."""
        return self._reading.is_set()

    def pause_reading(self) -> None:
        """Hold back what comes."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Deliver it again."""
        self._reading.set()

    # Its end.

    def is_closing(self) -> bool:
        """Return whether it is closed, or its world's scope has ended."""
        return self._is_closing or self._opened.is_over

    def close(self) -> None:
        """Close it; what would have come is not delivered."""
        if self._delivery is not None and self._delivery is not asyncio.current_task(self._loop):
            self._delivery.cancel()
        self._is_lost(None)

    def abort(self) -> None:
        """Close it."""
        self.close()

    def _is_lost(self, error: Exception | None) -> None:
        if not self._is_closing:
            self._is_closing = True
            if not self._loop.is_closed():
                self._loop.call_soon(self._protocol.connection_lost, error)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol read it."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return what reads it."""
        return self._protocol
