"""Waits for a free connection over real sockets: the clients' own pools are followed."""

import asyncio
import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import aiohttp
import openai
import pytest
from warpbench.mocks.clock import WallClock
from warpbench.mocks.model import task_of
from warpbench.mocks.observe.meter import Meter
from warpbench.mocks.observe.pools import PoolUse
from warpbench.mocks.observe.session import SESSION, SessionScope
from warpbench.mocks.observe.waits import Wait, WaitEnding, WaitKind
from warpbench.mocks.scenario import ModelLimits
from warpbench.mocks.transports.loopback.connection_waits import can_be_followed
from warpbench.mocks.transports.loopback.reached import reached_over_loopback
from warpbench.mocks.workload.script import ModelCallScript, SessionScript
from warpbench.mocks.world.world import WorldSpec

from ....http_libraries import CORES, LIBRARIES, sdk_http

# Long enough for all requests of a test to be sent before the first is answered, on a busy machine.
LATENCY_NS = 250_000_000
LATENCY_S = 0.25
PATH = "/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": task_of(0, "any")}]}

# The clients of this module are closed; what a failed wait leaves is collected in its test.
pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@contextmanager
def reached() -> Iterator[tuple[str, Meter]]:
    sessions = {0: SessionScript(0, (ModelCallScript(LATENCY_NS, 1, 2, ()),))}
    spec = WorldSpec(sessions, ModelLimits(), (), "any")
    clock = WallClock()
    meter = Meter(clock)
    with reached_over_loopback(spec, clock, meter) as world:
        yield world.root + PATH, meter
    gc.collect()


def assert_waited_in_turn(meter: Meter, client: str) -> None:
    """Three requests were sent over one connection; the session of each is known."""
    assert meter.pool_uses == (PoolUse(client=client, most=1, waits=2),)
    waits = connection_waits(meter)
    # In turn that is one latency and two, less what the later ones were sent later. In httpcore a
    # request may be given a connection that another is quicker to take.
    assert sum(wait.waited_ns for wait in waits) >= 2 * LATENCY_NS
    for wait in waits:
        assert wait.session == 7
        assert wait.start_ns + wait.waited_ns + wait.ready_ns == wait.end_ns
        assert wait.ending is WaitEnding.WHOLE


def connection_waits(meter: Meter) -> list[Wait]:
    assert {wait.kind for wait in meter.waits} <= {WaitKind.CONNECTION}
    return sorted(meter.waits, key=lambda wait: wait.end_ns)


@pytest.mark.parametrize("core", CORES)
def test_the_versions_installed_here_can_be_followed(core: Any) -> None:
    for method, name in (
        (core.AsyncConnectionPool.handle_async_request, "AsyncPoolRequest"),
        (core.ConnectionPool.handle_request, "PoolRequest"),
    ):
        assert can_be_followed(method.__globals__[name])


def test_a_version_without_those_methods_is_let_alone() -> None:
    assert not can_be_followed(None)
    assert not can_be_followed(object)


@pytest.mark.parametrize("library", LIBRARIES)
def test_async_requests_that_wait_for_a_connection_are_noted(library: Any) -> None:
    async def ask_all(url: str) -> None:
        SESSION.set(SessionScope(7))
        limits = library.Limits(max_connections=1)
        async with library.AsyncClient(limits=limits, timeout=60) as client:
            await asyncio.gather(*(client.post(url, json=BODY) for _ in range(3)))

    with reached() as (url, meter):
        asyncio.run(ask_all(url))
        assert_waited_in_turn(meter, library.__name__)


@pytest.mark.parametrize("library", LIBRARIES)
def test_requests_of_threads_that_wait_for_one_are_noted(library: Any) -> None:
    def ask_all(url: str) -> None:
        def ask(_: int) -> None:
            SESSION.set(SessionScope(7))
            client.post(url, json=BODY)

        limits = library.Limits(max_connections=1)
        with (
            library.Client(limits=limits, timeout=60) as client,
            ThreadPoolExecutor(3) as threads,
        ):
            list(threads.map(ask, range(3)))

    with reached() as (url, meter):
        ask_all(url)
        assert_waited_in_turn(meter, library.__name__)


def test_requests_that_wait_for_none_are_not_noted() -> None:
    async def ask_all(url: str) -> None:
        async with sdk_http.AsyncClient(timeout=60) as client:
            await asyncio.gather(*(client.post(url, json=BODY) for _ in range(3)))

    with reached() as (url, meter):
        asyncio.run(ask_all(url))
        assert (meter.waits, meter.pool_uses) == ((), ())


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_request_that_gives_up_waiting_is_told_as_the_pools(library: Any) -> None:
    async def ask_all(url: str) -> None:
        timeout = library.Timeout(60, pool=LATENCY_S / 5)
        limits = library.Limits(max_connections=1)
        async with library.AsyncClient(limits=limits, timeout=timeout) as client:
            first = asyncio.create_task(client.post(url, json=BODY))
            await asyncio.sleep(0)
            with pytest.raises(library.PoolTimeout):
                await client.post(url, json=BODY)
            await first

    with reached() as (url, meter):
        asyncio.run(ask_all(url))
        (wait,) = connection_waits(meter)
        assert (wait.ending, wait.ready_ns) == (WaitEnding.FAILED, 0)
        assert wait.waited_ns >= LATENCY_NS / 5
        assert meter.pool_uses == (PoolUse(client=library.__name__, most=1, waits=1, timeouts=1),)


def test_aiohttp_tells_of_its_waits_itself() -> None:
    async def ask_all(url: str) -> None:
        SESSION.set(SessionScope(7))
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def ask() -> None:
                async with session.post(url, json=BODY) as answer:
                    await answer.read()

            await asyncio.gather(*(ask() for _ in range(3)))

    with reached() as (url, meter):
        asyncio.run(ask_all(url))
        assert_waited_in_turn(meter, "aiohttp")


def test_aiohttp_that_gives_up_is_told_as_the_pools() -> None:
    async def ask_all(url: str) -> None:
        connector = aiohttp.TCPConnector(limit_per_host=1)
        async with aiohttp.ClientSession(connector=connector) as session:
            first = asyncio.create_task(session.post(url, json=BODY))
            await asyncio.sleep(LATENCY_S / 5)
            with pytest.raises(TimeoutError):
                timeout = aiohttp.ClientTimeout(connect=LATENCY_S / 10)
                await session.post(url, json=BODY, timeout=timeout)
            (await first).close()

    with reached() as (url, meter):
        asyncio.run(ask_all(url))
        assert meter.pool_uses == (PoolUse(client="aiohttp", most=1, waits=1, timeouts=1),)


def ask_by_urllib3(url: str, requests: int, pool_timeout_s: float | None = None) -> list[object]:
    """Send requests at once through a pool of one connection, and return what came of each."""
    urllib3 = pytest.importorskip("urllib3")

    def ask(_: int) -> object:
        SESSION.set(SessionScope(7))
        try:
            return pools.request("POST", url, json=BODY, pool_timeout=pool_timeout_s).status
        except urllib3.exceptions.EmptyPoolError as error:
            return type(error).__name__

    with (
        urllib3.PoolManager(maxsize=1, block=True, retries=False) as pools,
        ThreadPoolExecutor(requests) as threads,
    ):
        return list(threads.map(ask, range(requests)))


def test_requests_of_urllib3_that_wait_for_one_are_noted() -> None:
    with reached() as (url, meter):
        assert ask_by_urllib3(url, 3) == [200] * 3
        assert_waited_in_turn(meter, "urllib3")


def test_urllib3_that_gives_up_is_told_as_the_pools() -> None:
    with reached() as (url, meter):
        answers = ask_by_urllib3(url, 2, pool_timeout_s=LATENCY_S / 5)
        assert "EmptyPoolError" in answers
        (wait,) = connection_waits(meter)
        assert wait.ending is WaitEnding.FAILED
        assert meter.pool_uses == (PoolUse(client="urllib3", most=1, waits=1, timeouts=1),)


def test_so_does_the_openai_sdks_client_of_it() -> None:
    async def ask_all(url: str) -> None:
        SESSION.set(SessionScope(7))
        small = openai.DefaultAioHttpClient(limits=sdk_http.Limits(max_connections=1))
        async with openai.AsyncOpenAI(
            api_key="none", base_url=url.removesuffix("/chat/completions"), http_client=small
        ) as client:
            messages: Any = BODY["messages"]
            asks = (client.chat.completions.create(model="m", messages=messages) for _ in range(3))
            await asyncio.gather(*asks)

    with reached() as (url, meter):
        asyncio.run(ask_all(url))
        assert_waited_in_turn(meter, "aiohttp")
