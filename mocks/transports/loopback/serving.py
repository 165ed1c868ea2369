"""Runs the app under uvicorn on loopback, until it is stopped."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ...errors import UsageError
from ...network.addresses import require_loopback
from ...world.world import World
from .app import ARRIVED_NS, TRANSPORT, ServerApp
from .asgi import App
from .cors import OpenToPages
from .operations import Operations
from .paced_transport import HeldTransport

_BACKLOG = 4096
_KEEP_ALIVE_S = 600
_CUT_TASKS = "Cancel %s running task(s)"
"""How uvicorn's message begins that says how many answers it cut."""


class _Protocol(HttpToolsProtocol):
    """Gives the app the connection of each request, for faults of the connection, and the time.

    A request arrives with its first byte: the time to parse it is not the model's.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(HeldTransport(transport))

    def connection_lost(self, exc: Exception | None) -> None:
        held: HeldTransport = self.transport  # type: ignore[assignment]
        held.lost_ns = time.monotonic_ns()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        arrived_ns = time.monotonic_ns()
        super().on_message_begin()
        extensions = {TRANSPORT: self.transport, ARRIVED_NS: arrived_ns}
        self.scope["extensions"] = extensions  # type: ignore[typeddict-item]


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


def serve(
    world: World,
    listening: socket.socket,
    until: Callable[[uvicorn.Server], None] | None = None,
) -> None:
    """Serve a trial's world over HTTP/1.1 with keep-alive, on uvloop.

    Args:
        world: What answers.
        listening: Where.
        until: Called with the server once it runs, to arrange for its end; Ctrl-C ends it too.
    """
    _run(ServerApp(world), listening, until)


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


def _run(
    app: App,
    listening: socket.socket,
    until: Callable[[uvicorn.Server], None] | None = None,
) -> None:
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
    if until is not None:
        until(server)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[listening]))
