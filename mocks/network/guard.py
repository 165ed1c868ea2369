"""Refuses, inside Python, every connection that is not loopback.

Mocked HTTP never opens a socket. For everything else that might (another client library, a
telemetry thread, a resolver) there is an audit hook, and, where Python audits too late or not at
all, methods in the place of the original ones: of sockets (``socket_methods``), of asyncio, which
looks names up in other threads (``asyncio_methods``), and of uvloop, which connects and sends in C
(``uvloop_methods``).

In a process that exists for one trial that stays for good; in a process that continues, for a
scope. Whatever does not go through Python's sockets or uvloop is out of reach: other processes, and
C code with sockets of its own (gRPC, database drivers). So is a socket that was connected before.
"""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

from ..errors import UnreachableHostError
from .addresses import require_known_name, require_loopback
from .asyncio_methods import asyncio_loop, asyncio_methods
from .refusals import refusals
from .replacing import replaced
from .socket_methods import socket_methods
from .uvloop_methods import guarded_loop, uvloop_methods

_CONNECT_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_RESOLVE_EVENTS = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
_PACKET_FAMILY = getattr(socket, "AF_PACKET", None)
_LOOPBACK_INTERFACE = "lo"
_EVENTS = (
    _CONNECT_EVENTS
    | _RESOLVE_EVENTS
    | {
        "socket.gethostbyaddr",
        "socket.getnameinfo",
        "socket.bind",
    }
)


def stay_on_this_machine() -> None:
    """Refuse, for the rest of this process, every connection that is not loopback."""
    _guard().begin()


@contextmanager
def staying_on_this_machine() -> Iterator[None]:
    """Refuse every connection that is not loopback in this scope, from any thread."""
    guard = _guard()
    guard.begin()
    try:
        yield
    finally:
        guard.end()


class _Guard:
    """An audit hook that can be switched off, since it cannot be removed; and methods that can."""

    def __init__(self) -> None:
        self._scopes = 0
        self._lock = threading.Lock()
        self._methods = ExitStack()

    def begin(self) -> None:
        """Begin a scope; the first one replaces methods."""
        with self._lock:
            if self._scopes == 0:
                self._methods.enter_context(replaced(socket.socket, socket_methods()))
                self._methods.enter_context(replaced(asyncio_loop(), asyncio_methods()))
                self._methods.enter_context(replaced(guarded_loop(), uvloop_methods()))
            self._scopes += 1

    def end(self) -> None:
        """End a scope; the last one restores the methods."""
        with self._lock:
            self._scopes -= 1
            if self._scopes == 0:
                self._methods.close()

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        """Refuse an event; see ``sys.addaudithook``."""
        if event in _EVENTS and self._scopes:
            _refuse_other_machines(event, arguments)


@cache
def _guard() -> _Guard:
    guard = _Guard()
    sys.addaudithook(guard.hook)
    return guard


def _refuse_other_machines(event: str, arguments: tuple[object, ...]) -> None:
    if event in _CONNECT_EVENTS:
        address = arguments[1]
        # A path names a socket of this machine; None means an address set earlier.
        if isinstance(address, tuple):
            require_loopback(address[0])
    elif event in _RESOLVE_EVENTS:
        require_loopback(arguments[0])
    elif event == "socket.gethostbyaddr":
        require_known_name(arguments[0])
    elif event == "socket.getnameinfo":
        address = arguments[0]
        require_known_name(address[0] if isinstance(address, tuple) and address else address)
    elif event == "socket.bind":
        _refuse_interfaces(*arguments)


def _refuse_interfaces(bound: object, address: object) -> None:
    """Refuse a socket that sends packets to an interface: to send is not audited then."""
    if (
        isinstance(bound, socket.SocketType)
        and bound.family == _PACKET_FAMILY
        and isinstance(address, tuple)
        and address[0] != _LOOPBACK_INTERFACE
    ):
        refusals().tell(str(address[0]))
        raise UnreachableHostError(
            f"interface {address[0]} was not bound: trials talk to mocks and to loopback only"
        )
