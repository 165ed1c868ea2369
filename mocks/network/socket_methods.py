"""Methods of Python's sockets that check what the interpreter audits too late, or not at all.

A name in an address is resolved before the call is audited: ``connect(("example.com", 80))`` has
asked a name server by then. To join a multicast group is not audited, and announced to the network.
"""

import socket
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from ..errors import UnreachableHostError
from .addresses import group_not_joined, require_loopback, require_no_resolver
from .replacing import Methods

Method = Callable[..., Any]

_OF_THE_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
_FIRST, _LAST, _FOURTH = 0, -1, 3
# MCAST_JOIN_GROUP and MCAST_JOIN_SOURCE_GROUP, which Python has no names for.
_JOINS_BY_STRUCTURE = (42, 46) if sys.platform == "linux" else ()
_JOINS = {
    socket.IPPROTO_IP: {
        **{
            getattr(socket, name): (0, socket.AF_INET)
            for name in ("IP_ADD_MEMBERSHIP", "IP_ADD_SOURCE_MEMBERSHIP")
            if hasattr(socket, name)
        },
        **dict.fromkeys(_JOINS_BY_STRUCTURE, (12, socket.AF_INET)),
    },
    socket.IPPROTO_IPV6: {
        socket.IPV6_JOIN_GROUP: (0, socket.AF_INET6),
        **dict.fromkeys(_JOINS_BY_STRUCTURE, (16, socket.AF_INET6)),
    },
}
"""By level and option: where in its value the group is, and of which family."""

_ADDRESS_BYTES = {socket.AF_INET: 4, socket.AF_INET6: 16}


def socket_methods() -> Methods:
    """Return methods for ``socket.socket`` that call those which it has now."""
    return {
        "connect": _checked("connect", _FIRST, require_loopback),
        "connect_ex": _returning_a_number(_checked("connect_ex", _FIRST, require_loopback)),
        "bind": _checked("bind", _FIRST, require_no_resolver),
        "sendto": _checked("sendto", _LAST, require_loopback),
        "sendmsg": _checked("sendmsg", _FOURTH, require_loopback),
        "setsockopt": _joining_no_group(socket.socket.setsockopt),
    }


def _checked(name: str, place: int, require: Callable[[object], None]) -> Method:
    """Return a method that checks the host in the address among its arguments."""
    original: Method = getattr(socket.socket, name)

    @wraps(original)
    def checked(self: socket.socket, *arguments: Any) -> Any:
        if self.family in _OF_THE_INTERNET and -1 <= place < len(arguments):
            address = arguments[place]
            if isinstance(address, tuple) and address:
                require(address[0])
        return original(self, *arguments)

    return checked


def _returning_a_number(checked: Method) -> Method:
    """Return a method that returns, in place of raising it, why a host cannot be reached.

    A name without an address raises, as from the system.
    """

    @wraps(checked)
    def connect_ex(self: socket.socket, *arguments: Any) -> Any:
        try:
            return checked(self, *arguments)
        except UnreachableHostError as error:
            return error.errno

    return connect_ex


def _joining_no_group(original: Method) -> Method:
    @wraps(original)
    def setsockopt(self: socket.socket, level: int, option: int, *value: Any) -> None:
        joined = _JOINS.get(level, {}).get(option)
        if joined is not None and value and isinstance(value[0], (bytes, bytearray, memoryview)):
            raise group_not_joined(_group(bytes(value[0]), *joined))
        original(self, level, option, *value)

    return setsockopt


def _group(value: bytes, place: int, family: socket.AddressFamily) -> str:
    try:
        return socket.inet_ntop(family, value[place : place + _ADDRESS_BYTES[family]])
    except ValueError:  # too short: the system would refuse it
        return repr(value)
