"""Over sockets, a request that the server refuses is known with its session and its begin."""

import asyncio
import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import openai
import pytest
import requests
import urllib3
from warpbench.mocks.clock import WallClock
from warpbench.mocks.observe.meter import Meter
from warpbench.mocks.observe.refusals import Refusal
from warpbench.mocks.observe.session import SESSION, SessionScope
from warpbench.mocks.observe.waits import SentRequest
from warpbench.mocks.scenario import ModelLimits
from warpbench.mocks.transports.loopback.reached import ReachedOverLoopback, reached_over_loopback
from warpbench.mocks.world.world import WorldSpec

from ....http_libraries import LIBRARIES

PATH = "/v1/images/generations"

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@contextmanager
def reached() -> Iterator[tuple[ReachedOverLoopback, Meter]]:
    clock = WallClock()
    meter = Meter(clock)
    with reached_over_loopback(WorldSpec({}, ModelLimits(), (), "any"), clock, meter) as world:
        meter.forget()  # what starting the server took
        yield world, meter


def asked(
    over: tuple[ReachedOverLoopback, Meter], ask: Callable[[str], object]
) -> tuple[Refusal, SentRequest, tuple[int, int]]:
    """Let session 7 ask for what nothing mocks, in a world that has forgotten what came before.

    Returns:
        The refusal, the request as its client saw it, and from when to when that took.
    """

    def as_session_7(root: str) -> tuple[int, int]:
        token = SESSION.set(SessionScope(7))
        try:
            begin_ns = clock.now_ns()
            ask(root)
            return begin_ns, clock.now_ns()
        finally:
            SESSION.reset(token)

    clock = WallClock()
    world, meter = over
    meter.forget()
    world.forget()
    took = as_session_7(world.root)
    (sent,) = (each for each in meter.sent if each.session == 7)
    (refusal,) = world.seen().refusals
    return refusal, sent, took


def by_http_client(root: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(root).netloc)
    connection.request("POST", PATH, b"{}")
    with connection.getresponse() as response:
        response.read()
    connection.close()
    return response.status


def by_urllib3(root: str) -> int:
    with urllib3.PoolManager() as pools:
        return pools.request("POST", root + PATH, body=b"{}").status


def by_aiohttp(root: str) -> int:
    async def ask() -> int:
        async with aiohttp.ClientSession() as session:
            async with session.post(root + PATH, data=b"{}") as response:
                await response.read()
                return response.status

    return asyncio.run(ask())


def by_library(library: Any) -> Callable[[str], int]:
    def ask(root: str) -> int:
        status: int = library.post(root + PATH, content=b"{}").status_code
        return status

    return ask


def by_library_async(library: Any) -> Callable[[str], int]:
    def ask(root: str) -> int:
        async def ask_async() -> int:
            async with library.AsyncClient() as client:
                status: int = (await client.post(root + PATH, content=b"{}")).status_code
                return status

        return asyncio.run(ask_async())

    return ask


ASKS: dict[str, Callable[[str], int]] = {
    **{library.__name__: by_library(library) for library in LIBRARIES},
    **{f"{library.__name__} async": by_library_async(library) for library in LIBRARIES},
    "aiohttp": by_aiohttp,
    "http.client": by_http_client,
    "urllib3": by_urllib3,
    "requests": lambda root: requests.post(root + PATH, data=b"{}").status_code,
}


@pytest.fixture(scope="class")
def of_all_clients() -> Iterator[tuple[ReachedOverLoopback, Meter]]:
    """One world, which takes longer to start than all of them to ask."""
    with reached() as reached_by_all:
        yield reached_by_all


class TestOfEachClient:
    @pytest.mark.parametrize("client", ASKS)
    def test_a_refusal_belongs_to_the_session_that_asked_from_when_it_asked(
        self, client: str, of_all_clients: tuple[ReachedOverLoopback, Meter]
    ) -> None:
        statuses: list[int] = []

        refusal, sent, (begin_ns, end_ns) = asked(
            of_all_clients, lambda root: statuses.append(ASKS[client](root))
        )

        assert statuses == [404]
        assert (refusal.host, refusal.path, refusal.session) == ("", PATH, 7)
        assert begin_ns <= refusal.at_ns == sent.start_ns <= sent.end_ns <= end_ns
        assert refusal.idle_ns == sent.idle_at_start_ns
        assert sent.refusal == 0


def test_what_is_answered_is_no_refusal() -> None:
    with reached() as (world, meter):
        with openai.OpenAI(api_key="none", base_url=f"{world.root}/v1") as client:
            client.responses.input_tokens.count(model="m", input="some words")

        assert [each.refusal for each in meter.sent] == [None]
        assert world.seen().refusals == ()


def test_after_what_came_before_is_forgotten_the_next_refusals_are_told_apart() -> None:
    with reached() as (world, meter):
        for session in (1, 2):
            meter.forget()
            world.forget()
            token = SESSION.set(SessionScope(session))
            by_urllib3(world.root)
            SESSION.reset(token)
            (refusal,) = world.seen().refusals
            assert refusal.session == session


def test_after_its_scope_http_client_is_as_before() -> None:
    before = {**vars(http.client.HTTPConnection)}

    with reached():
        assert vars(http.client.HTTPConnection) != before

    assert {**vars(http.client.HTTPConnection)} == before
