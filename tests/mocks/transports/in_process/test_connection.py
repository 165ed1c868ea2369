"""The world's end of a connection: bytes of requests in, bytes of replies out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.errors import UnmockedRequestError
from warpbench.mocks.scenario.faults import Fault, FaultKind
from warpbench.mocks.transports.in_process.connection import (
    Connection,
    Origin,
    RefusedRequest,
    Sending,
    Step,
)
from warpbench.mocks.transports.in_process.play import NEVER_NS
from warpbench.mocks.wire.reply import Ending

from ...mocked import MS, PROMPT, Mocked, call

OPENAI = Origin("https", "api.openai.com", 443)


def request(*, path: str = "/v1/chat/completions", more: str = "", stream: bool = False) -> bytes:
    message = {"role": "user", "content": PROMPT}
    body = json.dumps({"model": "m", "messages": [message], "stream": stream}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: any\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def sent(*calls: Any, origin: Origin = OPENAI, **more: Any) -> Sending:
    sending = Connection(Mocked(*calls).world, origin).receive(request(**more))
    assert sending is not None
    return sending


def steps(sending: Sending) -> list[Step]:
    found = []
    while (step := sending.next) is not None:
        found.append(step)
        sending.taken(step)
    return found


@pytest.mark.parametrize(
    ("origin", "target", "url"),
    [
        (OPENAI, "/v1?key=1", "https://api.openai.com/v1?key=1"),
        (Origin("http", "LOCALHOST", 8000), "/v1", "http://localhost:8000/v1"),
        (Origin("http", "::1", 80), "/", "http://[::1]/"),
        (Origin("http", "proxy", 3128), "http://far.example.com/a", "http://far.example.com/a"),
    ],
)
def test_the_address_of_a_request(origin: Origin, target: str, url: str) -> None:
    assert origin.url_of(target) == url


def test_a_whole_reply_is_one_step() -> None:
    ((due_ns, data, ending, _),) = steps(sent(call()))

    head, _, body = data.partition(b"\r\n\r\n")
    assert (due_ns, ending) == (1000 * MS, Ending.COMPLETE)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"content-length: {len(body)}".encode() in head


def test_a_stream_is_a_step_for_each_time() -> None:
    found = steps(sent(call(ttft_ns=200 * MS, pieces=5), stream=True))

    assert [step.due_ns // MS for step in found] == [0, 200, 400, 600, 800, 1000]
    assert [step.ending for step in found] == [None] * 5 + [Ending.COMPLETE]
    # The head carries no tokens, each time after it one piece.
    assert [step.pieces for step in found] == [0, 1, 1, 1, 1, 1]
    assert found[0][1].endswith(b"transfer-encoding: chunked\r\n\r\n")
    assert found[-1][1].endswith(b"\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("kind", "ending", "due_ns"),
    [
        (FaultKind.RESET, Ending.RESET, 1000 * MS),
        (FaultKind.TRUNCATED, Ending.CLOSED, 1000 * MS),
        (FaultKind.STALLED, Ending.SILENT, NEVER_NS),
        (FaultKind.READ_TIMEOUT, Ending.SILENT, NEVER_NS),
        (FaultKind.CONNECT_ERROR, Ending.CLOSED, 0),
    ],
)
def test_a_reply_that_breaks_off_ends_so(kind: FaultKind, ending: Ending, due_ns: int) -> None:
    assert steps(sent(call(faults=(Fault(kind),))))[-1] == Step(due_ns, b"", ending)


def test_who_asks_for_the_connection_to_be_closed_is_told_that_it_is() -> None:
    sending = sent(call(), more="connection: close\r\n")

    assert not sending.keeps_alive
    assert b"\r\nconnection: close\r\n" in steps(sending)[0][1]


@given(st.lists(st.integers(1, 400), max_size=8))
def test_it_does_not_matter_in_what_pieces_a_request_comes(sizes: list[int]) -> None:
    world = Mocked(call(), call())
    connection = Connection(world.world, OPENAI)

    for _ in range(2):  # a connection is kept
        data = request()
        answers = []
        for size in [*sizes, len(data)]:
            answers.append(connection.receive(data[:size]))
            data = data[size:]
        (sending,) = [each for each in answers if each is not None]
        steps(sending)

    assert world.traffic.llm_calls == 2
    assert world.traffic.in_flight == 0


def test_a_body_in_chunks() -> None:
    body = request().partition(b"\r\n\r\n")[2]
    head = b"POST /v1/chat/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
    connection = Connection(Mocked(call()).world, OPENAI)

    assert connection.receive(head) is None
    assert connection.receive(b"%x\r\n%s\r\n" % (len(body), body)) is None
    assert connection.receive(b"0\r\n\r\n") is not None


def test_whoever_waits_to_be_told_to_go_on_is_told_once() -> None:
    connection = Connection(Mocked(call()).world, OPENAI)
    head, _, body = request(more="expect: 100-continue\r\n").partition(b"\r\n\r\n")

    connection.receive(head + b"\r\n\r\n")

    assert (connection.interim, connection.interim) == (b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    assert connection.receive(body) is not None


@pytest.mark.parametrize("path", ["/v1/images/generations", "/v1/images/generations?key=secret"])
def test_what_nothing_mocks_is_refused_with_its_address(path: str) -> None:
    world = Mocked(call())

    with pytest.raises(RefusedRequest) as caught:
        Connection(world.world, OPENAI).receive(request(path=path))

    assert isinstance(caught.value.error, UnmockedRequestError)
    assert "https://api.openai.com/v1/images/generations is not mocked" in str(caught.value.error)
    assert "secret" not in str(caught.value.error)
    assert [(refusal.host, refusal.path) for refusal in world.traffic.refusals] == [
        ("api.openai.com", "/v1/images/generations")
    ]


def test_another_protocol_is_refused() -> None:
    with pytest.raises(RefusedRequest, match=r"no request of HTTP/1\.1"):
        Connection(Mocked().world, OPENAI).receive(b"\x16\x03\x01 hello\r\n\r\n")


def test_what_nothing_mocks_on_this_machine_is_refused_as_anywhere() -> None:
    world = Mocked(call())
    connection = Connection(world.world, Origin("http", "127.0.0.1", 8000))

    with pytest.raises(RefusedRequest):
        connection.receive(request(path="/own"))

    assert [each.host for each in world.traffic.refusals] == ["127.0.0.1:8000"]


def test_a_reply_that_is_left_is_no_longer_in_flight() -> None:
    world = Mocked(call())
    sending = Connection(world.world, OPENAI).receive(request())
    assert sending is not None
    assert world.traffic.in_flight == 1

    sending.leave()
    sending.leave()

    assert world.traffic.in_flight == 0
