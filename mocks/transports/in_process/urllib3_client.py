"""urllib3, and so requests and botocore: each connection leads to the mocked world.

Its classes are subclasses of those of ``http.client`` and connect by themselves. Its pools, retries
and time-outs are its own.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import urllib3
from urllib3.exceptions import NewConnectionError

from ...clock.patching import patched
from ..urllib3_waits import noting_urllib3_waits
from .connection import OpenWorld, RefusedRequest, Scheme
from .http_client import Connect, connecting
from .mocked_socket import MockedSocket
from .refusing import connection_refused, refusal_text


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
        world = opened.world
        patches.enter_context(noting_urllib3_waits(world.traffic, world.clock))
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
