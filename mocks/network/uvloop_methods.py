"""Methods of uvloop's loop that check addresses: it resolves, connects and sends in libuv.

No audit hook sees that. They are given to the class, so that a loop which a target makes itself has
them, too. On a clock that skips, the loop refuses all of it anyway.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import uvloop

from .addresses import require_known_name, require_loopback, require_no_resolver
from .replacing import Methods

Method = Callable[..., Any]


def guarded_loop() -> type:
    """Return the class that gets the methods."""
    return uvloop.Loop


def uvloop_methods() -> Methods:
    """Return methods for uvloop's loop that call those which it has now."""
    own = uvloop.Loop
    return {
        "getaddrinfo": _getaddrinfo(own.getaddrinfo),
        "getnameinfo": _getnameinfo(own.getnameinfo),
        "create_connection": _create_connection(own.create_connection),
        "create_server": _create_server(own.create_server),
        "create_datagram_endpoint": _create_datagram_endpoint(own.create_datagram_endpoint),
        "sock_connect": _sock_connect(own.sock_connect),
    }


def _getaddrinfo(original: Method) -> Method:
    @wraps(original)
    async def getaddrinfo(self: Any, host: Any, port: Any, **options: Any) -> Any:
        require_loopback(host)
        return await original(self, host, port, **options)

    return getaddrinfo


def _getnameinfo(original: Method) -> Method:
    @wraps(original)
    async def getnameinfo(self: Any, sockaddr: Any, flags: int = 0) -> Any:
        require_known_name(_host(sockaddr))
        return await original(self, sockaddr, flags)

    return getnameinfo


def _create_connection(original: Method) -> Method:
    @wraps(original)
    async def create_connection(
        self: Any, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        require_loopback(host)
        require_no_resolver(_host(options.get("local_addr")))
        return await original(self, protocol_factory, host, port, **options)

    return create_connection


def _create_server(original: Method) -> Method:
    @wraps(original)
    async def create_server(
        self: Any, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        if isinstance(host, Iterable) and not isinstance(host, (str, bytes)):
            host = list(host)
        for each in host if isinstance(host, list) else [host]:
            require_no_resolver(each)
        return await original(self, protocol_factory, host, port, **options)

    return create_server


def _create_datagram_endpoint(original: Method) -> Method:
    @wraps(original)
    async def create_datagram_endpoint(
        self: Any,
        protocol_factory: Callable[[], Any],
        local_addr: Any = None,
        remote_addr: Any = None,
        **options: Any,
    ) -> Any:
        require_no_resolver(_host(local_addr))
        require_loopback(_host(remote_addr))
        transport, protocol = await original(
            self, lambda: _Protocol(protocol_factory()), local_addr, remote_addr, **options
        )
        return protocol.guarded(transport), protocol.original

    return create_datagram_endpoint


def _sock_connect(original: Method) -> Method:
    @wraps(original)
    async def sock_connect(self: Any, sock: Any, address: Any) -> None:
        require_loopback(_host(address))
        await original(self, sock, address)

    return sock_connect


def _host(address: Any) -> object:
    """Return the host of an address; ``None`` if it has none: a path, or no address at all."""
    return address[0] if isinstance(address, (tuple, list)) and address else None


class _Protocol:
    """What uvloop calls: a protocol, which is told of the guarded transport.

    Attributes:
        original: The protocol.
    """

    def __init__(self, original: Any) -> None:
        self.original = original
        self._transport: _Datagrams | None = None

    def guarded(self, transport: Any) -> "_Datagrams":
        """Return the guarded transport, the same one each time."""
        if self._transport is None:
            self._transport = _Datagrams(transport)
        return self._transport

    def connection_made(self, transport: Any) -> None:
        """Tell the protocol of its transport."""
        self.original.connection_made(self.guarded(transport))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


class _Datagrams:
    """uvloop's transport of datagrams, which sends to loopback only."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send a datagram.

        Raises:
            UnreachableHostError: The address is not on loopback.
        """
        require_loopback(_host(addr))
        self._original.sendto(data, addr)

    def get_protocol(self) -> Any:
        """Return the protocol."""
        protocol = self._original.get_protocol()
        return protocol.original if isinstance(protocol, _Protocol) else protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)
