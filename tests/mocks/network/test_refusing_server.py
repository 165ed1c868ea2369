"""The server that refuses: at once, with the reason, to whoever asks, and as often as asked."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest
from warpbench.mocks.network.refusing_server import Refused, RefusingServer

LIMIT_S = 10
LARGE = b"x" * 3_000_000
"""More than the buffers of a connection hold."""


@pytest.fixture
def told() -> list[Refused]:
    return []


@pytest.fixture
def server(told: list[Refused]) -> Iterator[RefusingServer]:
    server = RefusingServer(lambda refused: f"not {refused.host}", told.append, lambda: None)
    with closing(server):
        yield server


def connection(server: RefusingServer) -> http.client.HTTPConnection:
    parts = urlsplit(server.root)
    assert parts.hostname is not None
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=LIMIT_S)


def asked(
    server: RefusingServer, method: str, target: str, body: bytes | None = None
) -> tuple[int, bytes]:
    with closing(connection(server)) as client:
        client.request(method, target, body)
        response = client.getresponse()
        return response.status, response.read()


def test_a_base_url_names_the_host_that_was_meant(
    server: RefusingServer, told: list[Refused]
) -> None:
    url = server.address("https://user:word@api.example:8443/v1/")

    assert url == f"{server.root}/api.example:8443/v1"
    status, body = asked(server, "POST", f"{urlsplit(url).path}/messages?beta=true", b"{}")

    assert status == 400
    assert json.loads(body)["error"]["message"] == "not api.example"
    assert told == [Refused("api.example", "/v1/messages", was_named=True)]


@pytest.mark.parametrize(
    ("method", "target", "status", "refused"),
    [
        ("GET", "http://api.example/prices?all", 400, Refused("api.example", "/prices", False)),
        ("CONNECT", "api.example:443", 403, Refused("api.example", "", False)),
        ("HEAD", "/api.example/up", 400, Refused("api.example", "/up", True)),
        ("CONNECT", "[2001:db8::1]:443", 403, Refused("2001:db8::1", "", False)),
        ("GET", "/", 400, Refused("", "", True)),
    ],
)
def test_as_a_proxy_it_refuses_too(
    server: RefusingServer,
    told: list[Refused],
    method: str,
    target: str,
    status: int,
    refused: Refused,
) -> None:
    assert asked(server, method, target)[0] == status
    assert told == [refused]


def test_who_sends_much_reads_the_answer(server: RefusingServer) -> None:
    status, body = asked(server, "POST", "/api.example/v1", LARGE)

    assert (status, json.loads(body)["error"]["code"]) == (400, "not_mocked")


def test_who_says_nothing_keeps_nobody_waiting(server: RefusingServer, told: list[Refused]) -> None:
    parts = urlsplit(server.root)
    with (
        socket.create_connection((parts.hostname, parts.port or 0)),
        closing(connection(server)) as slow,
    ):
        slow.putrequest("GET", "/slow.example/")
        assert asked(server, "GET", "/a.example/")[0] == 400
        slow.endheaders()
        assert slow.getresponse().status == 400

    assert [each.host for each in told] == ["a.example", "slow.example"]


def test_what_is_no_request_is_refused_as_well(server: RefusingServer) -> None:
    parts = urlsplit(server.root)
    with socket.create_connection((parts.hostname, parts.port or 0), LIMIT_S) as client:
        client.sendall(b"\x16\x03\x01//[\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 400"

    assert asked(server, "GET", "/a.example/")[0] == 400


def test_it_begins_before_it_is_asked_and_nobody_is_there_after_it() -> None:
    begun = []
    server = RefusingServer(lambda _: "", lambda _: None, lambda: begun.append(True))
    assert begun == [True]
    waiting = connection(server)
    waiting.connect()
    server.close()

    with suppress(ConnectionResetError):  # if it had not been accepted yet
        assert waiting.sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        asked(server, "GET", "/")
    waiting.close()
