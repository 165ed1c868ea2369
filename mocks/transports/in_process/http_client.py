"""``http.client``, and so ``urllib.request``: each connection leads to the mocked world.

What connects is replaced, and nothing else: the request is rendered, and the response read, by the
library itself, over a ``MockedSocket``.
"""

import http.client
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import ref

from ...clock.patching import patched
from .connection import OpenWorld, Origin, RefusedRequest, Scheme
from .mocked_socket import MockedSocket
from .refusing import connection_refused

Connect = Callable[[Any], None]


@contextmanager
def mocked_http_client(opened: OpenWorld) -> Iterator[None]:
    """Answer every request of ``http.client`` from a world in this scope."""

    def refuses(_connection: object, refused: RefusedRequest) -> Exception:
        return connection_refused(refused.url, refused.error)

    with ExitStack() as patches:
        for kind in (http.client.HTTPConnection, http.client.HTTPSConnection):
            connect = connecting(opened, scheme_of(kind), refuses)
            patches.enter_context(patched(kind, "connect", connect))
        yield


def scheme_of(kind: type) -> Scheme:
    """Return the scheme of the addresses that connections of a class lead to."""
    return "https" if issubclass(kind, http.client.HTTPSConnection) else "http"


def connecting(
    opened: OpenWorld,
    scheme: Scheme,
    refuses: Callable[[Any, RefusedRequest], Exception],
) -> Connect:
    """Return what connects a connection to the mocked world.

    A proxy is passed by: what is behind it is the same world.

    Args:
        opened: The world.
        scheme: The scheme of the addresses.
        refuses: Makes the error of a refused connection, from the connection and the request.
    """

    def connect(connection: Any) -> None:
        host, port = connection._tunnel_host, connection._tunnel_port
        if host is None:
            host, port = connection.host, connection.port
        # A connection that nobody has any more must be collected at once, and its socket closed.
        owner = ref(connection)
        connection.sock = MockedSocket(
            opened,
            Origin(scheme, host, port),
            refuses=lambda refused: refuses(owner(), refused),
        )
        if connection.timeout is not _UNSET:
            connection.sock.settimeout(connection.timeout)

    return connect


_UNSET = http.client.HTTPConnection("localhost").timeout
"""The time-out of a connection for which none is set: a number of a socket's own."""
