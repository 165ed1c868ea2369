"""What Python's sockets and uvloop do reaches loopback and no other machine."""

import errno
import json
import socket
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest
import uvloop
from warpbench.mocks.errors import UnmockedRequestError, UnreachableHostError
from warpbench.mocks.network.guard import staying_on_this_machine
from warpbench.mocks.network.refusals import refusals

from . import ways_out
from .packets import OWN_NAMESPACES, why_no_network

TIMEOUT_S = 120
RETURNS_A_NUMBER = "connect_ex"
WAYS = [
    ("socket", name, host) for name, (host, _) in ways_out.WAYS.items() if name != RETURNS_A_NUMBER
] + [
    (loop, name, host) for loop in ways_out.LOOPS for name, (host, _) in ways_out.ASYNC_WAYS.items()
]

needs_network = pytest.mark.skipif(
    why_no_network() is not None, reason=f"nothing is sent outside of one: {why_no_network()}"
)


@cache
def tried(how: str) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """Try all ways out in a network of their own; return what came of each, and what was sent."""
    finished = subprocess.run(
        [*OWN_NAMESPACES, sys.executable, "-m", "tests.mocks.network.ways_out", how],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    return {(place, name): (outcome, hosts) for place, name, outcome, hosts in found}


@needs_network
@pytest.mark.parametrize(("place", "name", "host"), WAYS, ids=lambda value: value)
def test_a_way_out_is_refused_by_its_address_and_no_packet_is_sent(
    place: str, name: str, host: str
) -> None:
    outcome, hosts = tried("guarded")[place, name]

    # Its own error, or what a library makes of an address that cannot be reached.
    assert outcome.startswith(
        ("UnreachableHostError: ", "UnresolvedHostError: ", "OSError: ", "URLError: ")
    )
    assert f" {host} was not " in outcome
    assert hosts == []


@needs_network
def test_connect_ex_returns_a_number_and_no_packet_is_sent() -> None:
    assert tried("guarded")["socket", RETURNS_A_NUMBER] == (f"returned {errno.ECONNREFUSED}", [])


def test_connect_ex_returns_the_number_that_connect_raises_and_the_host_is_told() -> None:
    told: list[str] = []

    with staying_on_this_machine(), refusals().told_to(told.append), socket.socket() as asking:
        number = asking.connect_ex(("192.0.2.7", 80))
        with pytest.raises(UnreachableHostError) as raised:
            asking.connect(("192.0.2.7", 80))
        # As the system's own, it raises where a name has no address.
        with pytest.raises(socket.gaierror):
            asking.connect_ex(("example.com", 80))
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert asking.connect_ex(server.getsockname()) == 0

    assert number == raised.value.errno == errno.ECONNREFUSED
    assert told == ["192.0.2.7", "192.0.2.7", "example.com"]


def test_loopback_is_still_reached() -> None:
    finished = _run(
        """
        import asyncio, socket, uvloop
        from warpbench.mocks.network.guard import stay_on_this_machine

        async def talk():
            loop = asyncio.get_running_loop()
            heard = loop.create_future()

            class Hearing(asyncio.DatagramProtocol):
                def datagram_received(self, data, address):
                    heard.set_result(data)

            hearing, protocol = await loop.create_datagram_endpoint(
                Hearing, local_addr=("127.0.0.1", 0)
            )
            assert hearing.get_protocol() is protocol
            speaking, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
            )
            speaking.sendto(b"x", hearing.get_extra_info("sockname"))
            assert await heard == b"x"
            speaking.close()
            hearing.close()
            server = await loop.create_server(asyncio.Protocol, ["127.0.0.1", "::1"], 0)
            for listening in server.sockets:
                transport, _ = await loop.create_connection(
                    asyncio.Protocol, *listening.getsockname()[:2]
                )
                transport.close()
            server.close()
            assert await loop.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICSERV)

        stay_on_this_machine()
        asyncio.run(talk())
        uvloop.run(talk())
        for host in ("127.0.0.1", "localhost", "::ffff:127.0.0.1"):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(family) as client:
                client.connect((host, server.getsockname()[1]))
        assert socket.gethostbyaddr("127.0.0.1")
        socket.socket().bind(("0.0.0.0", 0))
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind("\\0a name that no file has")
            server.listen()
            client.connect("\\0a name that no file has")
        """
    )

    assert finished.returncode == 0, finished.stderr


def test_a_scope_leaves_sockets_and_loops_as_they_were() -> None:
    before = {**vars(socket.socket)}, {**vars(uvloop.Loop)}

    with staying_on_this_machine():
        with staying_on_this_machine():
            pass
        with pytest.raises(UnmockedRequestError, match=r"192\.0\.2\.7"):
            require_refusal()

    assert ({**vars(socket.socket)}, {**vars(uvloop.Loop)}) == before


def require_refusal() -> None:
    """Resolve an address, for which no packet would be sent: it is one."""
    socket.getaddrinfo("192.0.2.7", 80, flags=socket.AI_NUMERICHOST)


def test_scopes_may_end_in_any_order() -> None:
    first, second = staying_on_this_machine(), staying_on_this_machine()
    before = vars(socket.socket).get("connect")
    first.__enter__()
    second.__enter__()

    first.__exit__(None, None, None)
    with pytest.raises(UnmockedRequestError):
        require_refusal()
    second.__exit__(None, None, None)

    assert vars(socket.socket).get("connect") is before


def _run(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
