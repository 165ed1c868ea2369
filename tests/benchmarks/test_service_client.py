"""What the client of services as deployed costs, beside httpx and aiohttp, in turns.

Whoever drives a service takes cores that the service could use: on two of them, a client at 1 ms a
request is half a core at 500 requests a second.
"""

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

import httpx
import pytest
from warpbench.bench.services.http_client import HttpClient
from warpbench.bench.services.request import Request

AT_ONCE, REQUESTS, TURNS = 20, 1_000, 3
GOAL = 0.5
"""Of httpx's CPU time for a request."""

PATH, BODY, ANSWER = (
    "/chat",
    b'{"message": "Plan a trip to Rome"}',
    b'{"answer": "Take the train."}',
)
REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(ANSWER),
    ANSWER,
)

Ask = Callable[[], Awaitable[bytes]]
Opens = Callable[[int], AbstractAsyncContextManager[Ask]]


class Replying(asyncio.Protocol):
    """A service that answers each request at once; a request comes in one piece here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(BODY)):
            self._transport.write(REPLY)


def serve(pipe: "Connection[int, None]") -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Replying, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(pipe.recv)

    asyncio.run(run())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    yield ours.recv()
    ours.send(None)
    process.join()


@asynccontextmanager
async def by_the_lab(port: int) -> AsyncIterator[Ask]:
    client = HttpClient("127.0.0.1", port)
    headers = (
        ("host", f"127.0.0.1:{port}"),
        ("content-type", "application/json"),
        ("content-length", str(len(BODY))),
    )
    request = Request("POST", PATH, "", headers, BODY, 0)

    async def ask() -> bytes:
        async with client.asking(request) as connection:
            await connection.answer()
            return b"".join([part async for part in connection.body()])

    yield ask
    client.close()


@asynccontextmanager
async def by_httpx(port: int) -> AsyncIterator[Ask]:
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits) as client:

        async def ask() -> bytes:
            headers = {"content-type": "application/json"}
            return (await client.post(PATH, content=BODY, headers=headers)).content

        yield ask


@asynccontextmanager
async def by_aiohttp(port: int) -> AsyncIterator[Ask]:
    aiohttp = pytest.importorskip("aiohttp")
    async with aiohttp.ClientSession() as client:

        async def ask() -> bytes:
            headers = {"content-type": "application/json"}
            url = f"http://127.0.0.1:{port}{PATH}"
            async with client.post(url, data=BODY, headers=headers) as response:
                body: bytes = await response.read()
                return body

        yield ask


CLIENTS: dict[str, Opens] = {"the lab": by_the_lab, "httpx": by_httpx, "aiohttp": by_aiohttp}


async def cpu_s_a_request(port: int, opens: Opens) -> float:
    async with opens(port) as ask:

        async def user(count: int) -> None:
            for _ in range(count):
                assert await ask() == ANSWER

        async def all_users(count: int) -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(user(count))

        await all_users(5)
        before_s = time.thread_time()
        await all_users(REQUESTS // AT_ONCE)
        return (time.thread_time() - before_s) / REQUESTS


def in_turns(port: int, turns: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in CLIENTS}
    for _ in range(turns):
        for name, opens in CLIENTS.items():
            found[name].append(asyncio.run(cpu_s_a_request(port, opens)))
    return found


@pytest.mark.benchmark(group="client of services")
def test_it_costs_less_than_half_of_what_httpx_does(benchmark: Any, port: int) -> None:
    found = benchmark.pedantic(in_turns, (port, 1 if benchmark.disabled else TURNS), rounds=1)
    for name, each in found.items():
        benchmark.extra_info[f"cpu_us_per_request_of_{name}"] = round(median(each) * 1e6)
    print(benchmark.extra_info)
    if not benchmark.disabled:
        pairs = zip(found["the lab"], found["httpx"], strict=True)
        assert median(own / other for own, other in pairs) < GOAL
