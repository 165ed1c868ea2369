"""Over sockets a header says whose a request is: set by the clients here, read by the server."""

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.model import NOBODY, Caller, Rule
from warpbench.mocks.observe.session import SESSION, SessionScope
from warpbench.mocks.scenario import ModelLimits
from warpbench.mocks.transports.loopback.process import ServerProcess
from warpbench.mocks.transports.loopback.session_header import caller_of, naming_sessions
from warpbench.mocks.workload.numbers import session_of
from warpbench.mocks.workload.script import ModelCallScript, SessionScript
from warpbench.mocks.world.world import WorldSpec

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello!"}]}).encode()
PATH = "/v1/chat/completions"
ANSWERS = ModelCallScript(1_000_000, 1, 2, ())


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    sessions = {number: SessionScript(number, (ANSWERS,)) for number in range(8)}
    with ServerProcess(WorldSpec(sessions, ModelLimits(), (), "any")) as running:
        yield running


def by_httpx(root: str) -> None:
    httpx.post(root + PATH, content=BODY)


def by_httpx_async(root: str) -> None:
    async def post() -> None:
        async with httpx.AsyncClient() as client:
            await client.post(root + PATH, content=BODY)

    asyncio.run(post())


def by_http_client(root: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(root).netloc)
    connection.request("POST", PATH, BODY, {"content-type": "application/json"})
    connection.getresponse().read()
    connection.close()


def by_urllib3(root: str) -> None:
    urllib3 = pytest.importorskip("urllib3")
    with urllib3.PoolManager() as pool:
        pool.request("POST", root + PATH, body=BODY)


def by_aiohttp(root: str) -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def post() -> None:
        async with aiohttp.ClientSession() as client, client.post(root + PATH, data=BODY) as reply:
            await reply.read()

    asyncio.run(post())


@pytest.mark.parametrize(
    "ask",
    [by_httpx, by_httpx_async, by_http_client, by_urllib3, by_aiohttp],
    ids=lambda f: f.__name__,
)
def test_each_client_names_the_session(ask: Callable[[str], None], server: ServerProcess) -> None:
    if ask is by_aiohttp:
        pytest.importorskip("aiohttp")  # it is followed where it is imported already
    server.forget()
    with naming_sessions(server.root):
        token = SESSION.set(SessionScope(5))
        try:
            ask(server.root)
        finally:
            SESSION.reset(token)
        ask(server.root)
    seen: dict[str, Any] = server.seen()

    assert seen["rules"] == {"header": 1, "shared": 1}


def test_a_service_that_works_on_after_its_response_names_its_session(
    server: ServerProcess,
) -> None:
    server.forget()
    scope = SessionScope(5)
    scope.is_over = scope.follows_up = True
    with naming_sessions(server.root):
        token = SESSION.set(scope)
        try:
            by_http_client(server.root)
        finally:
            SESSION.reset(token)

    calls = [(session_of(number), step) for number, step in server.seen()["follow_ups"]]
    assert calls == [(5, 0)]


def headers(**named: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (headers(), NOBODY),
        (headers(x_warpbench_session="7"), Caller(7, Rule.HEADER)),
        (headers(x_warpbench_session=" -1 "), Caller(-1, Rule.HEADER)),
        (headers(baggage="a=b, warpbench-session=7;p=1"), Caller(7, Rule.HEADER)),
        (headers(baggage="warpbench-session=7", x_warpbench_session="8"), Caller(8, Rule.HEADER)),
        (headers(x_warpbench_session="7;started"), Caller(7, Rule.HEADER, is_own=False)),
        (headers(x_warpbench_session="seven"), NOBODY),
        (
            headers(x_warpbench_session="7;follows-up"),
            Caller(7, Rule.HEADER, follows_up=True),
        ),
        (headers(x_stainless_retry_count="2"), Caller(is_retry=True)),
        (headers(x_stainless_retry_count="0"), NOBODY),
    ],
)
def test_who_asks_is_read_from_the_headers(
    sent: list[tuple[bytes, bytes]], expected: Caller
) -> None:
    assert caller_of(sent) == expected


@given(st.lists(st.tuples(st.sampled_from([b"baggage", b"x-warpbench-session"]), st.binary())))
def test_no_header_is_too_strange(sent: list[tuple[bytes, bytes]]) -> None:
    caller_of(sent)
