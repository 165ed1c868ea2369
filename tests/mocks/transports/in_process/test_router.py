"""The HTTP edge: real SDK clients meet the drawn latency, and nothing else is answered."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import openai
import pytest
import respx
import uvloop
from warpbench.bench.trial.loops import ASYNCIO, UVLOOP
from warpbench.mocks.clock import VirtualClock, keeping_time
from warpbench.mocks.errors import ClockHangError, UnmockedRequestError
from warpbench.mocks.model import ScriptedModel, task_of
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.scenario.faults import Fault, FaultKind
from warpbench.mocks.transports.http_libraries import INSTALLED
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.transports.in_process.router import WorldRouter
from warpbench.mocks.workload.script import ModelCallScript, SessionScript
from warpbench.mocks.world.services import Services
from warpbench.mocks.world.world import World as MockedWorld

from ....http_libraries import LIBRARIES, sdk_http, sdk_httpcore

T = TypeVar("T")
LATENCY_NS = 1_234_567_000
SESSION = SessionScript(0, (ModelCallScript(LATENCY_NS, 1, 2, ()),))
MESSAGES: list[Any] = [{"role": "user", "content": task_of(0, "any")}]
URL = "https://api.openai.com/v1/chat/completions"
LOOPS = pytest.mark.parametrize("new_loop", [ASYNCIO.create, UVLOOP.create])


class World:
    """A virtual clock, a model with one session, and HTTP answered by it."""

    def __init__(self, session: SessionScript = SESSION) -> None:
        self.clock = VirtualClock()
        self.traffic = Traffic()
        self.model = ScriptedModel({0: session})
        self.mocked = MockedWorld(self.model, Services((), "any"), self.clock, self.traffic)

    def run(self, work: Callable[[], T]) -> T:
        with keeping_time(self.clock), mocked_http(self.mocked):
            return work()

    def run_async(self, work: Callable[[], Coroutine[Any, Any, T]], new_loop: Any) -> T:
        def on_loop() -> T:
            with asyncio.Runner(loop_factory=lambda: new_loop(self.clock)) as runner:
                return runner.run(work())

        return self.run(on_loop)


@LOOPS
def test_an_async_client_waits_for_the_drawn_latency_exactly(new_loop: Any) -> None:
    world = World()

    async def ask() -> str | None:
        client = openai.AsyncOpenAI(api_key="none")
        completion = await client.chat.completions.create(model="m", messages=MESSAGES)
        return completion.choices[0].message.content

    assert world.run_async(ask, new_loop)
    assert world.clock.now_ns() == LATENCY_NS
    assert world.traffic.llm_calls == 1


def test_a_sync_client_waits_for_the_drawn_latency_exactly() -> None:
    world = World()

    world.run(
        lambda: openai.OpenAI(api_key="none").chat.completions.create(model="m", messages=MESSAGES)
    )

    assert world.clock.now_ns() == LATENCY_NS


def test_who_waits_for_ever_for_an_answer_hangs_and_the_clock_tells() -> None:
    silent = replace(SESSION.model_calls[0], faults=(Fault(FaultKind.READ_TIMEOUT),))
    world = World(replace(SESSION, model_calls=(silent,)))

    def ask() -> object:
        client = openai.OpenAI(api_key="none", timeout=None, max_retries=0)
        return client.chat.completions.create(model="m", messages=MESSAGES)

    # Before version 3 the SDK makes an error of its own of whatever is raised below.
    with pytest.raises((ClockHangError, openai.APIConnectionError)) as caught:
        world.run(ask)
    assert isinstance(caught.value.__cause__ or caught.value, ClockHangError)
    assert isinstance(world.clock.failure, ClockHangError)
    assert world.clock.now_ns() == 0


@pytest.mark.parametrize("library", LIBRARIES)
def test_clients_of_both_libraries_are_answered(library: Any) -> None:
    world = World()

    response = world.run(lambda: library.post(URL, json={"model": "m", "messages": MESSAGES}))

    assert response.status_code == 200
    assert world.clock.now_ns() == LATENCY_NS


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_a_client_knows_of_a_response_is_there(library: Any) -> None:
    def ask() -> tuple[bool, list[bytes], bool, float]:
        body = {"model": "m", "messages": MESSAGES}
        with library.Client() as client, client.stream("POST", URL, json=body) as response:
            before = response.is_closed
            pieces = list(response.iter_raw())
        return before, pieces, response.is_closed, response.elapsed.total_seconds()

    before, pieces, after, elapsed_s = World().run(ask)

    assert (before, after) == (False, True)
    assert b"".join(pieces).startswith(b"{")
    assert elapsed_s >= 0


@pytest.mark.parametrize(("library", "below"), [(each.module(), each.core) for each in INSTALLED])
@pytest.mark.parametrize("is_inside", [True, False])
def test_somebody_elses_mock_answers_what_it_mocks(
    library: Any, below: str, is_inside: bool
) -> None:
    world = World()
    theirs = respx.mock(using=below, assert_all_mocked=False)
    theirs.get("https://theirs.example.com/").respond(418)

    def ask() -> Any:
        return library.get("https://theirs.example.com/")

    def ask_inside() -> Any:
        with theirs:
            return ask()

    if is_inside:
        response = world.run(ask_inside)
    else:
        with theirs:
            response = world.run(ask)

    assert response.status_code == 418
    assert world.traffic.http_requests == 0


def test_a_pool_of_ones_own_is_asked() -> None:
    class Pool(sdk_httpcore.ConnectionPool):
        def handle_request(self, request: sdk_httpcore.Request) -> sdk_httpcore.Response:
            return sdk_httpcore.Response(418, content=b"")

    def ask() -> sdk_http.Response:
        transport = sdk_http.HTTPTransport()
        transport._pool = Pool()
        with sdk_http.Client(transport=transport) as client:
            return client.get("https://theirs.example.com/")

    assert World().run(ask).status_code == 418


@LOOPS
def test_calls_in_flight_are_counted_at_their_peak(new_loop: Any) -> None:
    world = World()

    async def ask() -> None:
        client = openai.AsyncOpenAI(api_key="none")
        create = client.chat.completions.create
        await asyncio.gather(*(create(model="m", messages=MESSAGES) for _ in range(5)))

    world.run_async(ask, new_loop)

    assert world.traffic.peak_in_flight == world.traffic.llm_calls == 5
    assert world.clock.now_ns() == LATENCY_NS


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "url", ["https://example.com/search", "https://api.openai.com/v1/images/generations"]
)
def test_an_address_that_is_not_mocked_is_a_host_that_refuses_connections(
    library: Any, url: str
) -> None:
    world = World()

    with pytest.raises(library.ConnectError, match="Connection refused") as caught:
        world.run(lambda: library.post(f"{url}?key=secret"))

    assert isinstance(caught.value.__cause__, UnmockedRequestError)
    assert f"POST {url} is not mocked" in str(caught.value.__cause__)
    assert [(each.host, each.path) for each in world.traffic.refusals] == [
        (sdk_http.URL(url).host, sdk_http.URL(url).path)
    ]


def test_the_query_of_an_unmocked_address_may_hold_a_key_and_is_not_shown() -> None:
    with pytest.raises(sdk_http.ConnectError) as caught:
        World().run(lambda: sdk_http.post("https://example.com/?key=secret"))

    assert "secret" not in str(caught.value)
    assert "secret" not in str(caught.value.__cause__)


def test_an_sdk_tries_a_refused_connection_again_as_it_would_without_a_network() -> None:
    world = World()

    def ask() -> None:
        client = openai.OpenAI(api_key="none", max_retries=2)
        client.images.generate(prompt="x")

    with pytest.raises(openai.APIConnectionError):
        world.run(ask)
    assert len(world.traffic.refusals) == 3
    assert world.clock.now_ns() > 0


def test_no_call_is_recorded() -> None:
    world = World()
    router = WorldRouter(world.mocked, transport=sdk_httpcore.__name__)

    def ask() -> None:
        with router:
            for _ in range(3):
                sdk_http.post(URL, json={"model": "m", "messages": MESSAGES})
            assert len(router.calls) == 0

    with keeping_time(world.clock):
        ask()

    assert world.traffic.llm_calls == 3


def test_uvloop_is_what_the_uvloop_factory_gives() -> None:
    loop = UVLOOP.create(VirtualClock())
    try:
        assert isinstance(loop, uvloop.Loop)
    finally:
        loop.close()
