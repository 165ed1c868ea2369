"""Ways of reaching another machine, each tried in a network that counts what leaves.

Run inside ``packets.OWN_NAMESPACES`` and nowhere else:

    python -m tests.mocks.network.ways_out guarded|open

It prints a JSON object: by the name of the way and where it was tried, what came of it and how many
packets were sent.
"""

import asyncio
import contextlib
import ftplib
import http.client
import json
import smtplib
import socket
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
from warpbench.mocks.network.guard import stay_on_this_machine

from .packets import OpenNetwork

Way = Callable[[], object]
AsyncWay = Callable[[asyncio.AbstractEventLoop], Awaitable[object]]

MACHINE, MACHINE_6, NAME = "192.0.2.7", "2001:db8::7", "example.com"
MAPPED = f"::ffff:{MACHINE}"
IDNA = "bücher.example"
LIMIT_S = 0.2
GROUP = "224.1.1.1"
GROUP_6 = "ff15::7"
ANY_INTERFACE = socket.inet_aton("0.0.0.0")
MCAST_JOIN_GROUP = 42


def tcp(family: int = socket.AF_INET) -> socket.socket:
    made = socket.socket(family)
    made.settimeout(LIMIT_S)
    return made


def udp(family: int = socket.AF_INET) -> socket.socket:
    return socket.socket(family, socket.SOCK_DGRAM)


def connected_datagram(family: int, host: str) -> None:
    with udp(family) as sender:
        sender.connect((host, 53))
        sender.send(b"x")


def to_interface() -> None:
    packet = bytes.fromhex("450000140000000040010000") + socket.inet_aton("198.51.100.2")
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as sender:
        sender.bind(("tun0", 0x0800))
        sender.send(packet + socket.inet_aton(MACHINE))


def broadcast() -> None:
    with udp() as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(b"x", ("<broadcast>", 53))


def group_request(packed: bytes) -> bytes:
    """Return a ``group_req`` of Linux: an interface, and a socket's address."""
    return (
        bytes(8) + socket.AF_INET.to_bytes(2, sys.byteorder) + bytes(2) + packed.ljust(124, b"\0")
    )


WAYS: dict[str, tuple[str, Way]] = {
    "connect": (MACHINE, lambda: tcp().connect((MACHINE, 80))),
    "connect_ex": (MACHINE, lambda: tcp().connect_ex((MACHINE, 80))),
    "sendto": (MACHINE, lambda: udp().sendto(b"x", (MACHINE, 53))),
    "sendto with flags": (MACHINE, lambda: udp().sendto(b"x", 0, (MACHINE, 53))),
    "sendmsg": (MACHINE, lambda: udp().sendmsg([b"x"], [], 0, (MACHINE, 53))),
    "send": (MACHINE, lambda: connected_datagram(socket.AF_INET, MACHINE)),
    "send by IPv6": (MACHINE_6, lambda: connected_datagram(socket.AF_INET6, MACHINE_6)),
    "send by mapped IPv4": (MAPPED, lambda: connected_datagram(socket.AF_INET6, MAPPED)),
    "an integer as address": ("3221225991", lambda: tcp().connect(("3221225991", 80))),
    "broadcast": ("<broadcast>", broadcast),
    "create_connection": (NAME, lambda: socket.create_connection((NAME, 80), LIMIT_S)),
    "getaddrinfo": (NAME, lambda: socket.getaddrinfo(NAME, 80)),
    "getaddrinfo of an IDNA name": (IDNA, lambda: socket.getaddrinfo(IDNA, 80)),
    "gethostbyname": (NAME, lambda: socket.gethostbyname(NAME)),
    "gethostbyname_ex": (NAME, lambda: socket.gethostbyname_ex(NAME)),
    "gethostbyaddr": (MACHINE, lambda: socket.gethostbyaddr(MACHINE)),
    "gethostbyaddr of a loopback": ("127.0.0.53", lambda: socket.gethostbyaddr("127.0.0.53")),
    "getnameinfo": (MACHINE, lambda: socket.getnameinfo((MACHINE, 80), 0)),
    "getnameinfo of IPv6": (MACHINE_6, lambda: socket.getnameinfo((MACHINE_6, 80, 0, 0), 0)),
    "getnameinfo of a loopback": (
        "127.0.0.53",
        lambda: socket.getnameinfo(("127.0.0.53", 80), 0),
    ),
    "connect to a name": (NAME, lambda: tcp().connect((NAME, 80))),
    "connect to an IDNA name": (IDNA, lambda: tcp().connect((IDNA, 80))),
    "connect_ex to a name": (NAME, lambda: tcp().connect_ex((NAME, 80))),
    "sendto a name": (NAME, lambda: udp().sendto(b"x", (NAME, 53))),
    "sendmsg to a name": (NAME, lambda: udp().sendmsg([b"x"], [], 0, (NAME, 53))),
    "bind to a name": (NAME, lambda: udp().bind((NAME, 0))),
    "create_server by a name": (NAME, lambda: socket.create_server((NAME, 0))),
    "a raw socket": (
        MACHINE,
        lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).sendto(
            b"\x08\0\xf7\xff\0\0\0\0", (MACHINE, 0)
        ),
    ),
    "a packet to an interface": ("tun0", to_interface),
    "urllib": (MACHINE, lambda: urllib.request.urlopen(f"http://{MACHINE}/", timeout=LIMIT_S)),
    "http.client": (
        MACHINE,
        lambda: http.client.HTTPConnection(MACHINE, timeout=LIMIT_S).request("GET", "/"),
    ),
    "ftplib": (MACHINE, lambda: ftplib.FTP(MACHINE, timeout=LIMIT_S)),
    "smtplib": (MACHINE, lambda: smtplib.SMTP(MACHINE, timeout=LIMIT_S)),
    "uvloop's own loop": (
        MACHINE,
        lambda: uvloop.run(asyncio.wait_for(asyncio.open_connection(MACHINE, 80), LIMIT_S)),
    ),
    "multicast": (
        GROUP,
        lambda: udp().setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + ANY_INTERFACE
        ),
    ),
    "multicast by IPv6": (
        GROUP_6,
        lambda: udp(socket.AF_INET6).setsockopt(
            socket.IPPROTO_IPV6,
            socket.IPV6_JOIN_GROUP,
            socket.inet_pton(socket.AF_INET6, GROUP_6) + bytes(4),
        ),
    ),
    "multicast by a structure": (
        GROUP,
        lambda: udp().setsockopt(
            socket.IPPROTO_IP, MCAST_JOIN_GROUP, group_request(socket.inet_aton(GROUP))
        ),
    ),
}


async def datagram(
    loop: asyncio.AbstractEventLoop, to: tuple[str, int] | None, **options: Any
) -> None:
    """Send a datagram; wait for what became of it, where it is told later."""
    told: asyncio.Future[None] = loop.create_future()

    class Told(asyncio.DatagramProtocol):
        def connection_lost(self, error: Exception | None) -> None:
            if error is not None and not told.done():
                told.set_exception(error)

        def error_received(self, error: Exception) -> None:
            self.connection_lost(error)

    transport, _ = await loop.create_datagram_endpoint(Told, **options)
    try:
        transport.sendto(b"x", to)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told, 0.02)
    finally:
        transport.close()


async def datagram_as_soon_as_possible(loop: asyncio.AbstractEventLoop) -> None:
    """Send a datagram from ``connection_made``: before the endpoint is returned."""
    told: asyncio.Future[None] = loop.create_future()

    class Eager(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            try:
                transport.sendto(b"x", (MACHINE, 53))
            except Exception as error:  # noqa: BLE001 - handed on
                told.set_exception(error)

        def connection_lost(self, error: Exception | None) -> None:
            if error is not None and not told.done():
                told.set_exception(error)

        def error_received(self, error: Exception) -> None:
            self.connection_lost(error)

    transport, _ = await loop.create_datagram_endpoint(Eager, local_addr=("0.0.0.0", 0))
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told, 0.02)
    finally:
        transport.close()


async def datagram_of_own_socket(loop: asyncio.AbstractEventLoop) -> None:
    own = udp()
    own.bind(("0.0.0.0", 0))
    own.setblocking(False)
    await datagram(loop, (MACHINE, 53), sock=own)


async def sock_connect(loop: asyncio.AbstractEventLoop, host: str) -> None:
    with socket.socket() as own:
        own.setblocking(False)
        await asyncio.wait_for(loop.sock_connect(own, (host, 80)), LIMIT_S)


async def join_group(loop: asyncio.AbstractEventLoop) -> None:
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("0.0.0.0", 0)
    )
    try:
        transport.get_extra_info("socket").setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + ANY_INTERFACE
        )
    finally:
        transport.close()


ASYNC_WAYS: dict[str, tuple[str, AsyncWay]] = {
    "open_connection": (
        MACHINE,
        lambda _: asyncio.wait_for(asyncio.open_connection(MACHINE, 80), LIMIT_S),
    ),
    "open_connection to a name": (NAME, lambda _: asyncio.open_connection(NAME, 80)),
    "create_connection from a name": (
        NAME,
        lambda loop: loop.create_connection(asyncio.Protocol, "127.0.0.1", 1, local_addr=(NAME, 0)),
    ),
    "sock_connect": (MACHINE, lambda loop: sock_connect(loop, MACHINE)),
    "sock_connect to a name": (NAME, lambda loop: sock_connect(loop, NAME)),
    "getaddrinfo": (NAME, lambda loop: loop.getaddrinfo(NAME, 80)),
    "getnameinfo": (MACHINE, lambda loop: loop.getnameinfo((MACHINE, 80))),
    "getnameinfo in a thread": (
        MACHINE,
        lambda _: asyncio.to_thread(socket.getnameinfo, (MACHINE, 80), 0),
    ),
    "create_server by a name": (
        NAME,
        lambda loop: loop.create_server(asyncio.Protocol, NAME, 0),
    ),
    "create_server by names": (
        NAME,
        lambda loop: loop.create_server(asyncio.Protocol, ["127.0.0.1", NAME], 0),
    ),
    "datagram to a remote address": (
        MACHINE,
        lambda loop: datagram(loop, None, remote_addr=(MACHINE, 53)),
    ),
    "datagram from a bound socket": (
        MACHINE,
        lambda loop: datagram(loop, (MACHINE, 53), local_addr=("0.0.0.0", 0)),
    ),
    "datagram by IPv6": (
        MACHINE_6,
        lambda loop: datagram(loop, (MACHINE_6, 53), local_addr=("::", 0)),
    ),
    "datagram by mapped IPv4": (
        MAPPED,
        lambda loop: datagram(loop, (MAPPED, 53), local_addr=("::", 0)),
    ),
    "datagram from a name": (NAME, lambda loop: datagram(loop, None, local_addr=(NAME, 0))),
    "datagram of one's own socket": (MACHINE, datagram_of_own_socket),
    "datagram as soon as possible": (MACHINE, datagram_as_soon_as_possible),
    "multicast": (GROUP, join_group),
}
LOOPS = {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.Loop}


def outcome_of(attempt: Callable[[], object]) -> str:
    try:
        return f"returned {attempt()!r}"
    except BaseException as error:  # noqa: BLE001 - the lab's, or the system's
        return f"{type(error).__name__}: {error}"


def on_loop(make: Callable[[], asyncio.AbstractEventLoop], way: AsyncWay) -> Way:
    async def go() -> object:
        return await way(asyncio.get_running_loop())

    def attempt() -> object:
        with asyncio.Runner(loop_factory=make) as runner:
            runner.get_loop().set_exception_handler(lambda *_: None)
            return runner.run(go())

    return attempt


def main() -> None:
    """Try each way."""
    network = OpenNetwork()
    if sys.argv[1] == "guarded":
        stay_on_this_machine()
    attempts = {("socket", name): way for name, (_, way) in WAYS.items()}
    for loop, make in LOOPS.items():
        attempts |= {(loop, name): on_loop(make, way) for name, (_, way) in ASYNC_WAYS.items()}
    found = []
    for (place, name), attempt in attempts.items():
        network.sent()
        outcome = outcome_of(attempt)
        found.append([place, name, outcome, [packet.host for packet in network.sent()]])
    print(json.dumps(found))  # noqa: T201 - what was asked for


if __name__ == "__main__":
    main()
