"""Which addresses are on this machine, and which names need no resolver to say so."""

import ipaddress
import os

from ..errors import UnreachableHostError, UnresolvedHostError
from .refusals import refusals

_HERE = frozenset({None, "", b"", "localhost", b"localhost"})
_IN_THE_HOSTS_FILE = _HERE | {"127.0.0.1", b"127.0.0.1", "::1", b"::1"}
_ONLY = "trials talk to mocks and to loopback only"


def is_loopback(host: object) -> bool:
    """Return whether an address is on loopback."""
    if _is(host, _HERE):
        return True
    address = _address(host)
    return address is not None and _is_loopback(address)


def require_loopback(host: object) -> None:
    """Check that an address is on loopback.

    Raises:
        UnreachableHostError: ``host`` is an address of another machine.
        UnresolvedHostError: It is a name, and so may be one of another machine.
    """
    if _is(host, _HERE):
        return
    address = _address(host)
    if address is None:
        refusals().tell(_shown(host))
        raise UnresolvedHostError(f"a connection to {_shown(host)} was not made: {_ONLY}")
    if not _is_loopback(address):
        refusals().tell(_shown(host))
        raise UnreachableHostError(f"a connection to {_shown(host)} was not made: {_ONLY}")


def require_no_resolver(host: object) -> None:
    """Check that the address of a host of this machine is known without asking a resolver.

    For what is bound rather than reached: any address will do, and no other machine's name.

    Raises:
        UnresolvedHostError: ``host`` is a name that a resolver would be asked for.
    """
    if not _is(host, _HERE) and _address(host) is None:
        refusals().tell(_shown(host))
        raise UnresolvedHostError(f"the address of {_shown(host)} was not looked up: {_ONLY}")


def require_known_name(host: object) -> None:
    """Check that an address is one whose name stands in the hosts file.

    Of the other addresses on loopback, too, a resolver on another machine would be asked.

    Raises:
        UnreachableHostError: It is an address of another machine.
        UnresolvedHostError: It is another address of this one, or a name that is not its own.
    """
    require_loopback(host)
    if not _is(host, _IN_THE_HOSTS_FILE):
        refusals().tell(_shown(host))
        raise UnresolvedHostError(f"the name of {_shown(host)} was not looked up: {_ONLY}")


def group_not_joined(group: str) -> UnreachableHostError:
    """Return the error of somebody who wants to join a multicast group.

    Args:
        group: Its address.
    """
    refusals().tell(group)
    return UnreachableHostError(f"multicast group {group} was not joined: {_ONLY}")


def _is(host: object, known: frozenset[object]) -> bool:
    """Whether a host is among these; what cannot be hashed is not."""
    return isinstance(host, (str, bytes, type(None))) and host in known


def _shown(host: object) -> str:
    return os.fsdecode(host) if isinstance(host, (str, bytes)) else repr(host)


def _address(host: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return what is written as an address; ``None`` for whatever else."""
    try:
        # From an integer, ipaddress would make an address.
        return ipaddress.ip_address(_shown(host))
    except ValueError:
        return None


def _is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback  # Python before 3.13 says no of each of them
    return address.is_loopback
