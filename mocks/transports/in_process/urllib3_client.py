"""urllib3, and so requests and botocore: each connection leads to the mocked world.

Its classes are subclasses of those of ``http.client`` and connect by themselves. Its pools, retries
and time-outs are its own.
"""

import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import urllib3
from urllib3.exceptions import EmptyPoolError, NewConnectionError

from ...clock.patching import patched
from .connection import OpenWorld, RefusedRequest, Scheme
from .http_client import Connect, connecting
from .mocked_socket import MockedSocket
from .refusing import connection_refused, refusal_text

_CLIENT = "urllib3"


@contextmanager
def mocked_urllib3(opened: OpenWorld) -> Iterator[None]:
    """Answer every request of urllib3 from a world in this scope."""
    with ExitStack() as patches:
        schemes: tuple[tuple[Any, Scheme], ...] = (
            (urllib3.connection.HTTPConnection, "http"),
            (urllib3.connection.HTTPSConnection, "https"),
        )
        for kind, scheme in schemes:
            connect = _verified(connecting(opened, scheme, _refuses))
            patches.enter_context(patched(kind, "connect", connect))
        # Both look at the file behind a socket: whether a pool's connection is still open, and
        # whether a server says to continue.
        for owner in (urllib3.connection, urllib3.util):
            waits = _waiting_for_data(owner.wait_for_read)
            patches.enter_context(patched(owner, "wait_for_read", waits))
        pool = urllib3.connectionpool.HTTPConnectionPool
        patches.enter_context(patched(pool, "_get_conn", _noting_the_wait(opened, pool._get_conn)))
        yield


def _refuses(connection: Any, refused: RefusedRequest) -> Exception:
    error = NewConnectionError(
        connection, f"Failed to establish a new connection: {refusal_text(refused.url)}"
    )
    error.__cause__ = connection_refused(refused.url, refused.error)
    return error


def _verified(connect: Connect) -> Connect:
    """Let a connection be one whose server, and whose proxy, were verified."""

    def connect_and_verify(connection: Any) -> None:
        connect(connection)
        connection.is_verified = True
        connection._has_connected_to_proxy = bool(connection.proxy)
        if connection.proxy:
            connection.proxy_is_verified = True

    return connect_and_verify


def _waiting_for_data(original: Callable[..., bool]) -> Callable[..., bool]:
    @wraps(original)
    def wait_for_read(sock: Any, timeout: float | None = None) -> bool:
        if isinstance(sock, MockedSocket):
            return sock.waits_for_data(timeout)
        return original(sock, timeout)

    return wait_for_read


def _noting_the_wait(opened: OpenWorld, original: Callable[..., Any]) -> Callable[..., Any]:
    """Note each wait for a connection of a pool that blocks."""
    world = opened.world

    @wraps(original)
    def get(pool: Any, timeout: float | None = None) -> Any:
        free: queue.LifoQueue[object] | None = pool.pool
        if not pool.block or free is None or not free.empty():
            return original(pool, timeout)
        with world.traffic.connection_wait(_CLIENT, free.maxsize, world.clock.now_ns()) as wait:
            try:
                connection = original(pool, timeout)
            except EmptyPoolError:
                wait.times_out()
                raise
            wait.is_granted(world.clock.now_ns())
            return connection

    return get
