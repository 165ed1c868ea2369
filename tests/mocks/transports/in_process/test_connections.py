"""A pool of connections that is smaller than the load, in-process: its limit holds on the clock."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.bench.trial.loops import ASYNCIO, UVLOOP
from warpbench.mocks.clock import VirtualClock
from warpbench.mocks.model import ScriptedModel, task_of
from warpbench.mocks.observe.meter import Meter
from warpbench.mocks.observe.pools import PoolUse
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.observe.waits import WaitEnding, WaitKind
from warpbench.mocks.workload.script import ModelCallScript, SessionScript
from warpbench.mocks.world.services import Services
from warpbench.mocks.world.world import World

from ....http_libraries import CORES, LIBRARIES, sdk_http, sdk_httpcore
from ...mocked import Mocked

URL = "https://api.openai.com/v1/chat/completions"
SECOND_NS = 1_000_000_000
LOOPS = pytest.mark.parametrize("new_loop", [ASYNCIO.create, UVLOOP.create])


class Lasting(Mocked):
    """Each session makes one model call, which takes as many seconds as are named."""

    def __init__(self, *latencies_s: float) -> None:
        self.clock = VirtualClock()
        self.meter = Meter(self.clock)
        self.traffic = Traffic(self.meter)
        self.model = ScriptedModel(
            {
                number: SessionScript(
                    number, (ModelCallScript(round(latency_s * SECOND_NS), 1, 2, ()),)
                )
                for number, latency_s in enumerate(latencies_s)
            }
        )
        self.world = World(self.model, Services((), "any"), self.clock, self.traffic)

    def connection_waits_s(self) -> list[tuple[float, float]]:
        """Return the waits for a connection: how long none was free, and how long after."""
        return [
            (wait.waited_ns / 1e9, wait.ready_ns / 1e9)
            for wait in self.traffic.waits
            if wait.kind is WaitKind.CONNECTION
        ]


def body(session: int = 0, *, stream: bool = False) -> dict[str, Any]:
    content = task_of(session, "any")
    return {"model": "m", "stream": stream, "messages": [{"role": "user", "content": content}]}


async def ask_pool(core: Any, pool: Any) -> None:
    content = httpx.Request("POST", URL, json=body()).content
    answer = await pool.handle_async_request(core.Request("POST", URL, content=content))
    await answer.stream.aclose()


@LOOPS
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("stream", [False, True])
def test_no_more_async_requests_are_in_flight_than_the_pool_has_connections(
    library: Any, new_loop: Any, *, stream: bool
) -> None:
    world = Lasting(*[1.0] * 20)

    async def ask_all() -> None:
        limits = library.Limits(max_connections=5)
        async with library.AsyncClient(limits=limits, timeout=60) as client:
            posts = [client.post(URL, json=body(each, stream=stream)) for each in range(20)]
            answers = await asyncio.gather(*posts)
        assert {answer.status_code for answer in answers} == {200}

    world.run_async(ask_all, new_loop)

    assert world.now_s == 4
    assert world.traffic.peak_in_flight == 5
    assert sorted(world.connection_waits_s()) == [
        (after, 0) for after in (1, 2, 3) for _ in "12345"
    ]
    assert world.meter.pool_uses == (PoolUse(client=library.__name__, most=5, waits=15),)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("stream", [False, True])
def test_nor_requests_of_threads_that_share_a_client(library: Any, *, stream: bool) -> None:
    world = Lasting(*[1.0] * 20)

    def ask_all() -> None:
        limits = library.Limits(max_connections=5)
        with (
            library.Client(limits=limits, timeout=60) as client,
            ThreadPoolExecutor(20) as threads,
        ):
            list(
                threads.map(
                    lambda each: client.post(URL, json=body(each, stream=stream)), range(20)
                )
            )

    world.run(ask_all)

    assert world.now_s == 4
    assert world.traffic.peak_in_flight == 5
    assert len(world.connection_waits_s()) == 15


@pytest.mark.parametrize("core", CORES)
def test_nor_those_of_a_pool_that_is_used_by_itself(core: Any) -> None:
    world = Lasting(1.0, 1.0)

    async def ask_all() -> None:
        async with core.AsyncConnectionPool(max_connections=1) as pool:
            await asyncio.gather(*(ask_pool(core, pool) for _ in range(2)))

    world.run_async(ask_all)

    assert world.now_s == 2


def test_the_openai_clients_setting_is_its_http_clients() -> None:
    world = Lasting(*[1.0] * 4)

    async def ask_all() -> None:
        small = openai.DefaultAsyncHttpxClient(limits=sdk_http.Limits(max_connections=2))
        client = openai.AsyncOpenAI(api_key="none", http_client=small)
        asks = [client.chat.completions.create(**body(each)) for each in range(4)]
        await asyncio.gather(*asks)

    world.run_async(ask_all)

    assert world.now_s == 2


def test_a_pool_without_a_limit_holds_nobody_up() -> None:
    world = Lasting(*[1.0] * 150)

    async def ask_all() -> None:
        limits = sdk_http.Limits(max_connections=None)
        async with sdk_http.AsyncClient(limits=limits) as client:
            await asyncio.gather(*(client.post(URL, json=body(each)) for each in range(150)))

    world.run_async(ask_all)

    assert world.now_s == 1


def test_nor_does_one_whose_connections_carry_many_requests_each() -> None:
    world = Lasting(*[1.0] * 4)

    async def ask_all() -> None:
        async with sdk_httpcore.AsyncConnectionPool(max_connections=1, http2=True) as pool:
            await asyncio.gather(*(ask_pool(sdk_httpcore, pool) for _ in range(4)))

    world.run_async(ask_all)

    assert world.now_s == 1


@LOOPS
@pytest.mark.parametrize("library", LIBRARIES)
def test_who_waits_longer_than_the_pools_timeout_fails_by_it(library: Any, new_loop: Any) -> None:
    world = Lasting(3.0)

    async def ask_all() -> list[Any]:
        timeout = library.Timeout(60, pool=2)
        limits = library.Limits(max_connections=1)
        async with library.AsyncClient(limits=limits, timeout=timeout) as client:
            first = asyncio.create_task(client.post(URL, json=body()))
            await asyncio.sleep(0)
            with pytest.raises(library.PoolTimeout, match="pool, which may have 1, was free"):
                await client.post(URL, json=body())
            assert world.now_s == 2
            # What gave up waits no more: the connection is free for others.
            return [await first, await client.post(URL, json=body())]

    assert [answer.status_code for answer in world.run_async(ask_all, new_loop)] == [200, 200]
    assert world.meter.pool_uses == (PoolUse(client=library.__name__, most=1, waits=1, timeouts=1),)
    (wait,) = [wait for wait in world.traffic.waits if wait.kind is WaitKind.CONNECTION]
    assert (wait.ending, wait.waited_ns) == (WaitEnding.FAILED, 2 * SECOND_NS)


def test_so_does_a_thread_that_waits_longer() -> None:
    world = Lasting(3.0)

    def ask_all() -> None:
        timeout = sdk_http.Timeout(60, pool=2)
        limits = sdk_http.Limits(max_connections=1)
        with sdk_http.Client(limits=limits, timeout=timeout) as client:
            with client.stream("POST", URL, json=body()):
                with pytest.raises(sdk_http.PoolTimeout):
                    client.post(URL, json=body())
                assert world.now_s == 5
            client.post(URL, json=body())

    world.run(ask_all)


@LOOPS
def test_a_connection_that_is_free_after_exactly_the_timeout_is_in_time(new_loop: Any) -> None:
    world = Lasting(2.0)

    async def ask_all() -> None:
        timeout = sdk_http.Timeout(60, pool=2)
        limits = sdk_http.Limits(max_connections=1)
        async with sdk_http.AsyncClient(limits=limits, timeout=timeout) as client:
            await asyncio.gather(*(client.post(URL, json=body()) for _ in range(2)))

    world.run_async(ask_all, new_loop)

    assert world.now_s == 4


def test_a_stream_keeps_its_connection_until_it_is_closed() -> None:
    world = Lasting(1.0)

    async def ask_all() -> None:
        limits = sdk_http.Limits(max_connections=1)
        async with sdk_http.AsyncClient(limits=limits, timeout=60) as client:
            async with client.stream("POST", URL, json=body(stream=True)):
                waiting = asyncio.create_task(client.post(URL, json=body()))
                await asyncio.sleep(30)
                assert not waiting.done()
            await waiting

    world.run_async(ask_all)

    assert world.now_s == 31
    assert world.connection_waits_s() == [(30, 0)]


def test_an_answer_that_is_whole_does_so_too() -> None:
    world = Lasting(1.0)

    async def ask_all() -> None:
        limits = sdk_http.Limits(max_connections=1)
        async with sdk_http.AsyncClient(limits=limits, timeout=60) as client:
            async with client.stream("POST", URL, json=body()):
                waiting = asyncio.create_task(client.post(URL, json=body()))
                await asyncio.sleep(30)
                assert not waiting.done()
            await waiting

    world.run_async(ask_all)

    assert world.now_s == 32


@pytest.mark.parametrize("after_s", [0.5, 1.0])
def test_who_is_cancelled_keeps_no_connection(after_s: float) -> None:
    world = Lasting(1.0)

    async def ask_all() -> None:
        limits = sdk_http.Limits(max_connections=1)
        async with sdk_http.AsyncClient(limits=limits, timeout=60) as client:
            first = asyncio.create_task(client.post(URL, json=body()))
            await asyncio.sleep(0)
            second = asyncio.create_task(client.post(URL, json=body()))
            third = asyncio.create_task(client.post(URL, json=body()))
            await asyncio.sleep(after_s)
            second.cancel()
            await asyncio.gather(first, third)

    world.run_async(ask_all)

    assert world.now_s == 2


def test_a_call_that_fails_gives_its_connection_back() -> None:
    world = Lasting(1.0)

    async def ask_all() -> None:
        limits = sdk_http.Limits(max_connections=1)
        async with sdk_http.AsyncClient(limits=limits, timeout=0.5) as client:
            for _ in range(3):
                with pytest.raises(sdk_http.ReadTimeout):
                    await client.post(URL, json=body())

    world.run_async(ask_all)

    assert world.now_s == 1.5


def test_a_loop_is_woken_by_whatever_thread_gives_back() -> None:
    world = Lasting(1.0)
    left: list[Any] = []

    async def ask_all() -> None:
        limits = sdk_http.Limits(max_connections=1)
        async with sdk_http.AsyncClient(limits=limits, timeout=60) as client:
            left.append(
                await client.send(client.build_request("POST", URL, json=body()), stream=True)
            )
            waiting = asyncio.create_task(client.post(URL, json=body()))
            await asyncio.sleep(1)
            # As a collector of garbage may, in any thread.
            closing = left.pop().stream._stream.aclose()
            other = threading.Thread(target=_run_out, args=[closing])
            other.start()
            other.join()
            await waiting

    world.run_async(ask_all)

    assert world.now_s == 3


def _run_out(coroutine: Any) -> None:
    with pytest.raises(StopIteration):
        coroutine.send(None)


@settings(max_examples=30)
@given(
    latencies=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    most=st.integers(1, 4),
    in_threads=st.booleans(),
)
def test_the_connections_are_given_in_the_order_in_which_they_are_asked_for(
    latencies: list[int], most: int, *, in_threads: bool
) -> None:
    ended: dict[int, float] = {}
    world = Lasting(*latencies)

    def note(session: int) -> None:
        ended[session] = world.now_s

    limits = sdk_http.Limits(max_connections=most)

    async def ask_async() -> None:
        async with sdk_http.AsyncClient(limits=limits, timeout=None) as client:

            async def ask(session: int) -> None:
                await client.post(URL, json=body(session))
                note(session)

            await asyncio.gather(*map(ask, range(len(latencies))))

    def ask_in_threads() -> None:
        with (
            sdk_http.Client(limits=limits, timeout=None) as client,
            ThreadPoolExecutor(len(latencies)) as threads,
        ):

            def ask(session: int) -> None:
                client.post(URL, json=body(session))
                note(session)

            list(threads.map(ask, range(len(latencies))))

    work: Callable[[], None] = ask_in_threads if in_threads else lambda: None
    if in_threads:
        world.run(work)
    else:
        world.run_async(ask_async)

    assert ended == first_come_first_served(latencies, most)


def first_come_first_served(latencies: list[int], most: int) -> dict[int, float]:
    free = [0.0] * most
    ended = {}
    for session, latency in enumerate(latencies):
        first = min(range(most), key=lambda each: free[each])
        free[first] += latency
        ended[session] = free[first]
    return ended
