"""The client that asks a deployed service: connections are kept, and no request is sent twice."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import replace

import pytest
from warpbench.bench.services import http_client
from warpbench.bench.services.http_client import HttpClient
from warpbench.bench.services.request import Request
from warpbench.mocks.errors import ServiceError

pytestmark = pytest.mark.once

HOST = "127.0.0.1"
ASKED = Request("POST", "/chat", "q=1", (("host", HOST), ("content-length", "2")), b"hi", 0)
JSON = b"content-type: application/json\r\n"

Ask = Callable[[HttpClient], Awaitable[object]]


class Server:
    """Answers each request with the next of some texts; an empty one closes the connection."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.heads: list[bytes] = []
        self.connections = 0
        self.serving: list[asyncio.Task[None]] = []

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.serving.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)
                self.heads.append(head)
                answer = self.answers.pop(0)
                if not answer:
                    return
                for part in answer.split(b"|"):
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
                if b"connection: close" in answer or b"HTTP/1.1" not in answer or b"half" in answer:
                    return


def ask(server: Server, use: Ask) -> object:
    async def run() -> object:
        listening = await asyncio.start_server(server, HOST, 0)
        client = HttpClient(HOST, listening.sockets[0].getsockname()[1])
        try:
            return await use(client)
        finally:
            client.close()
            listening.close()
            await asyncio.gather(*server.serving)

    return asyncio.run(run())


async def read(client: HttpClient, request: Request = ASKED) -> tuple[int, str, bytes]:
    async with client.asking(request) as connection:
        answer = await connection.answer()
        parts = [part async for part in connection.body()]
        return answer.status, answer.media_type, b"".join(parts)


def test_two_requests_one_after_another_share_a_connection() -> None:
    server = Server(
        b"HTTP/1.1 200 OK\r\n" + JSON + b"content-length: 4\r\n\r\nyes!",
        b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n"
        b"2\r\nno\r\n|1\r\n!\r\n0\r\n\r\n",
    )

    async def twice(client: HttpClient) -> list[object]:
        return [await read(client), await read(client)]

    assert ask(server, twice) == [(200, "application/json", b"yes!"), (404, "", b"no!")]
    assert server.connections == 1
    assert (
        server.heads[0]
        == b"POST /chat?q=1 HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n"
    )


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_client, "_LONGEST_IDLE_S", -1.0)
    server = Server(*[b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"] * 2)

    async def twice(client: HttpClient) -> list[object]:
        return [await read(client), await read(client)]

    ask(server, twice)

    assert server.connections == 2


def test_connections_that_are_opened_ahead_are_used_in_turn() -> None:
    server = Server(*[b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"] * 4)

    async def thrice(client: HttpClient) -> list[int]:
        await client.open_ahead(3)
        await read(client)
        await client.open_ahead(3)
        opened = [server.connections]
        async with client.asking(ASKED) as first, client.asking(ASKED) as second:
            assert first is not second
            await asyncio.gather(first.answer(), second.answer())
        await read(client)
        return [*opened, server.connections]

    assert ask(server, thrice) == [3, 3]


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall|of it")

    assert ask(server, read) == (200, "", b"allof it")


def test_what_says_that_an_answer_will_come_is_none() -> None:
    server = Server(
        b"HTTP/1.1 103 Early Hints\r\n\r\n|HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n!"
    )

    assert ask(server, read) == (200, "", b"!")


def test_the_answer_to_head_has_no_body() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n")

    assert ask(server, lambda client: read(client, replace(ASKED, method="HEAD"))) == (200, "", b"")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "closed the connection before its response"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "before the end of its response"),
        (b"no HTTP at all\r\n\r\n", "sent what is no HTTP"),
    ],
)
def test_an_answer_that_is_broken_off_fails_and_is_not_asked_for_again(
    answer: bytes, message: str
) -> None:
    server = Server(answer)

    with pytest.raises(ServiceError, match=message):
        ask(server, read)
    assert len(server.heads) == 1


def test_a_service_that_takes_no_connection_is_told() -> None:
    async def gone(client: HttpClient) -> object:
        return await read(HttpClient(HOST, 1))

    with pytest.raises(ServiceError, match=r"takes no connection: .*refused"):
        ask(Server(), gone)


def test_who_leaves_before_the_end_closes_the_connection() -> None:
    server = Server(*[b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] * 2)

    async def leave_twice(client: HttpClient) -> None:
        for _ in range(2):
            async with client.asking(ASKED) as connection:
                await connection.answer()

    ask(server, leave_twice)

    assert server.connections == 2
