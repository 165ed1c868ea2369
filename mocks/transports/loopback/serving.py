"""Runs the app under uvicorn on loopback, until it is stopped."""

import asyncio
import logging
import os
import socket
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ...errors import UsageError
from ...network.addresses import require_loopback
from ...world.world import World
from .app import ARRIVED_NS, MEANT_FOR, TRANSPORT, ServerApp
from .asgi import App
from .cors import OpenToPages
from .operations import Operations
from .paced_transport import HeldTransport

_BACKLOG = 4096
_KEEP_ALIVE_S = 600
_CONNECT = b"CONNECT "
_HEAD_ENDS = b"\r\n\r\n"
_LONGEST_HEAD = 1 << 16
_TLS_PORT = "443"
_TUNNEL_OPEN = b"HTTP/1.1 200 Connection established" + _HEAD_ENDS
_TUNNEL_REFUSED = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0" + _HEAD_ENDS
_CUT_TASKS = "Cancel %s running task(s)"
"""How uvicorn's message begins that says how many answers it cut."""


class _Protocol(HttpToolsProtocol):
    """Gives the app the connection of each request, for faults of the connection, and the time.

    A request arrives with its first byte: the time to parse it is not the model's.

    It is a proxy, too: what is meant for another host, the app answers. A tunnel ends here, in the
    TLS of an authority that the program was told to trust; without that it is refused.
    """

    meant_for = ""
    """Scheme and host of all that comes by this connection, if it is the end of a tunnel."""

    _has_begun = False
    _asks_for_tunnel = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(HeldTransport(transport))

    def connection_lost(self, exc: Exception | None) -> None:
        held: HeldTransport = self.transport  # type: ignore[assignment]
        held.lost_ns = time.monotonic_ns()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._has_begun:
            super().data_received(data)
            return
        head = self._asks_for_tunnel + data
        if not head.startswith(_CONNECT):
            self._has_begun = True
            super().data_received(head)
        elif _HEAD_ENDS in head:
            self._has_begun = True
            self._open_tunnel(head.split(b" ", 2)[1].decode("latin-1"))
        elif len(head) < _LONGEST_HEAD:
            self._asks_for_tunnel = head
        else:
            self.transport.close()

    def on_message_begin(self) -> None:
        arrived_ns = time.monotonic_ns()
        super().on_message_begin()
        extensions = {TRANSPORT: self.transport, ARRIVED_NS: arrived_ns}
        self.scope["extensions"] = extensions  # type: ignore[typeddict-item]

    def on_headers_complete(self) -> None:
        meant_for = self.meant_for or _root_of(self.url)
        if meant_for:
            extensions: Any = self.scope["extensions"]
            extensions[MEANT_FOR] = meant_for
        super().on_headers_complete()

    def _open_tunnel(self, authority: str) -> None:
        app: Any = self.config.app
        host = urlsplit(f"//{authority}").hostname or ""
        if getattr(app, "authority", None) is None or not host:
            self.transport.write(_TUNNEL_REFUSED)
            self.transport.close()
            return
        inner = _Protocol(
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        port = authority.rpartition(":")[2]
        inner.meant_for = f"https://{host}" if port == _TLS_PORT else f"https://{host}:{port}"
        context = app.authority.context_for(host)
        # What the client says next is for TLS, whenever it comes.
        self.transport.pause_reading()
        self.transport.write(_TUNNEL_OPEN)
        tunnel = self.loop.create_task(self._through_tls(inner, context))
        self.tasks.add(tunnel)
        tunnel.add_done_callback(self.tasks.discard)

    async def _through_tls(self, inner: "_Protocol", context: ssl.SSLContext) -> None:
        held: HeldTransport = self.transport  # type: ignore[assignment]
        self.connections.discard(self)
        try:
            transport = await self.loop.start_tls(held.raw, inner, context, server_side=True)
        except (OSError, ssl.SSLError):  # the client does not trust the authority, or has gone
            held.abort()
            return
        if transport is not None:
            inner.connection_made(transport)


def _root_of(url: bytes) -> str:
    """Return scheme and host of a request's target, if it names them, as for a proxy."""
    if url.startswith(b"/"):
        return ""
    parts = urlsplit(url.decode("latin-1"))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on loopback; port 0 stands for a free one.

    Raises:
        UsageError: The address is not this machine's own, or is taken.
    """
    require_loopback(host)
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise UsageError(f"cannot listen on {host}:{port}: {reason}") from error


class _NotOfStreamsThatWereCut(logging.Filter):
    """Leaves out what uvicorn logs of answers that it cut as it was stopped: that was asked for."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not (
            isinstance(error, asyncio.CancelledError) or str(record.msg).startswith(_CUT_TASKS)
        )


def serve(world: World, listening: socket.socket) -> None:
    """Serve a trial's world over HTTP/1.1 with keep-alive, on uvloop, until Ctrl-C.

    Args:
        world: What answers.
        listening: Where.
    """
    _run(ServerApp(world), listening)


def serve_to_anybody(world: World, listening: socket.socket, name: str) -> None:
    """Serve a world likewise, to any client and with metrics, until Ctrl-C.

    Args:
        world: What answers.
        listening: Where.
        name: Name of what is served.
    """
    from .metrics import Metrics  # noqa: PLC0415 - the server of a trial does without

    metrics = Metrics(world.traffic)
    _run(OpenToPages(Operations(ServerApp(world, metrics), world, metrics, name)), listening)


def _run(app: App, listening: socket.socket) -> None:
    logging.getLogger("uvicorn.error").addFilter(_NotOfStreamsThatWereCut())
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[listening]))
