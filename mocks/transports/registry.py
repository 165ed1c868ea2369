"""Which ways there are of reaching the model; light, for it is read before anything is run."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..errors import UsageError


class HttpClient(StrEnum):
    """What sends an async openai client's requests."""

    HTTPX2 = "httpx2"
    AIOHTTP = "aiohttp"


@dataclass(frozen=True, slots=True)
class Transport:
    """A way of reaching the model.

    Attributes:
        name: As it is asked for and shown.
        summary: What it is, in one line.
        in_process: Whether it needs no socket, and so runs on every clock.
        client: What sends the requests of async clients.
    """

    name: str
    summary: str
    in_process: bool
    client: HttpClient


RESPX = Transport("respx", "in-process, without a socket", True, HttpClient.HTTPX2)
LOOPBACK = Transport(
    "loopback", "real sockets to a server on this machine, by httpx2", False, HttpClient.HTTPX2
)
LOOPBACK_AIOHTTP = Transport(
    "loopback-aiohttp", "the same by aiohttp, for async sessions", False, HttpClient.AIOHTTP
)

TRANSPORTS: Mapping[str, Transport] = {
    transport.name: transport for transport in (RESPX, LOOPBACK, LOOPBACK_AIOHTTP)
}


def require_transport(name: str) -> Transport:
    """Return a transport by its name.

    Raises:
        UsageError: There is none of that name, or what it needs is not installed.
    """
    transport = TRANSPORTS.get(name)
    if transport is None:
        raise UsageError(f"transport {name!r}: expected one of {', '.join(TRANSPORTS)}")
    if transport.client is HttpClient.AIOHTTP:
        try:
            import aiohttp  # noqa: F401, PLC0415 - an extra
        except ImportError:
            raise UsageError(
                f"transport {name!r} needs aiohttp: pip install warpbench[aiohttp]"
            ) from None
    return transport
