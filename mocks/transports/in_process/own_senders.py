"""Clients that send by themselves: what they ask another machine is refused, with the way out.

Their requests go over sockets that no clock can skip, of their own loop or in C. So they are
refused where they are made, as by a host that refuses connections. What they ask of this machine is
let through.
"""

from urllib.parse import urlsplit

from ...errors import UnmockedRequestError
from ...network.addresses import is_loopback
from .connection import OpenWorld
from .refusing import connection_refused


def refused_to_send(opened: OpenWorld, client: str, url: str) -> ConnectionRefusedError | None:
    """Return why a request is not sent; ``None`` if it is one to this machine.

    Args:
        opened: The world, which counts it.
        client: Name of the client.
        url: What was asked for.
    """
    parts = urlsplit(url)
    if parts.hostname is None or is_loopback(parts.hostname):
        return None
    world = opened.world
    world.traffic.refused(parts.hostname, parts.path, world.clock.now_ns())
    return connection_refused(
        url,
        UnmockedRequestError(
            f"{url.partition('?')[0]} was not asked: {client} sends by itself, and not through one "
            "of httpx, httpx2, http.client, urllib3 and aiohttp, which the lab answers in-process; "
            "run with --transport loopback, and its base URL set to OPENAI_BASE_URL or "
            "ANTHROPIC_BASE_URL, which are those of the mocked world then"
        ),
    )
