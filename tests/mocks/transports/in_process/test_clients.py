"""Every HTTP client is answered in-process, and what it raises is its own."""

import asyncio
import http.client
import io
import json
import os
import re
import subprocess
import sys
import threading
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import botocore.exceptions  # type: ignore[import-untyped]
import openai
import pytest
import requests
import urllib3
from warpbench.bench.trial.loops import ASYNCIO, UVLOOP
from warpbench.mocks.clock import Clock, VirtualClock, WallClock, WarpClock, keeping_time
from warpbench.mocks.errors import ClockHangError, UnmockedRequestError
from warpbench.mocks.model import ScriptedModel, task_of
from warpbench.mocks.observe.meter import Meter
from warpbench.mocks.observe.pools import PoolUse
from warpbench.mocks.observe.session import SESSION, SessionScope
from warpbench.mocks.observe.traffic import Traffic
from warpbench.mocks.observe.waits import WaitEnding, WaitKind
from warpbench.mocks.scenario import ServiceSpec
from warpbench.mocks.scenario.distributions import Constant
from warpbench.mocks.scenario.faults import Fault, FaultKind
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.workload.script import SessionScript
from warpbench.mocks.world.services import Services
from warpbench.mocks.world.world import World

from ...mocked import MS, Mocked, call
from ..clients_matrix import ASYNC, CASES, CLIENTS, SITUATIONS, Asked, meet, spec

URL = "https://api.openai.com/v1/chat/completions"
ELSEWHERE = "https://prices.example.com/list.json"
DOCS = Path(__file__).resolve().parents[4] / "docs" / "http-clients.md"
TABLE = re.compile(
    r"(?<=<!-- table: what each client raises -->\n).*?(?=<!-- end of table -->)", re.DOTALL
)
SHOWN = {
    "whole": "whole answer",
    "streamed": "streamed answer",
    "timeout": "no answer within the read time-out (`read_timeout`)",
    "stalled": "a stream that stops (`stalled`)",
    "reset": "reset in a whole answer (`reset`)",
    "reset-stream": "reset in a stream (`reset`)",
    "429": "status 429 (`status`)",
    "truncated": "a body that is cut short (`truncated`)",
    "no-answer": "closed before an answer (`connect_error`)",
}
COLUMNS = ("httpx", "aiohttp", "requests", "urllib3", "http.client", "botocore")
LOOPS = pytest.mark.parametrize("new_loop", [ASYNCIO.create, UVLOOP.create])
SYNC = [name for name in CLIENTS if name not in ASYNC and name != "botocore"]


def payload(*, stream: bool = False, session: int = 0) -> dict[str, Any]:
    message = {"role": "user", "content": task_of(session, "any")}
    return {"model": "m", "messages": [message], "stream": stream}


def seen(client: str, situation: str, clock: Clock) -> tuple[str, float]:
    """Return what the user of a client sees, as the table shows it, and when."""
    world = spec().world(clock)
    begin_ns = clock.now_ns()
    with keeping_time(clock), mocked_http(world):
        outcome = meet(client, situation, lambda url: url, lambda: ASYNCIO.create(clock))
    after_s = (clock.now_ns() - begin_ns) / 1e9
    assert world.traffic.in_flight == 0
    if outcome.raised:
        return f"`{outcome.raised[0].rpartition('.')[2]}`", after_s
    return str(outcome.status), after_s


def table(clock_of: Callable[[], Clock]) -> str:
    rows = [["", *COLUMNS], ["---"] * (len(COLUMNS) + 1)]
    for situation, text in SHOWN.items():
        rows.append([text, *(seen(client, situation, clock_of())[0] for client in COLUMNS)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows).replace("|  |", "| |")


@pytest.mark.once
def test_the_docs_have_what_each_client_raises() -> None:
    text = DOCS.read_text(encoding="utf-8")
    shown = table(VirtualClock)
    if os.environ.get("UPDATE_GOLDEN"):
        text = TABLE.sub(lambda _: shown, text)
        DOCS.write_text(text, encoding="utf-8")

    assert f"-->\n{shown}<!--" in text
    assert f"in {len(CASES)} of {len(CASES)} cases" in text


@pytest.mark.parametrize("client", ["httpx async", "httpx2", "httpx2 async"])
def test_httpx_and_httpx2_raise_errors_of_the_same_names(client: str) -> None:
    for situation in SHOWN:
        assert seen(client, situation, VirtualClock()) == seen("httpx", situation, VirtualClock())


@pytest.mark.parametrize(
    ("situation", "after_s"),
    [
        *(("whole", 0.1), ("streamed", 0.1), ("timeout", 0.4), ("stalled", 0.44)),
        *(("reset", 0.1), ("reset-stream", 0.04), ("429", 0.02), ("truncated", 0.1)),
        *(("no-answer", 0.02), ("left", 0.02), ("cancelled", 0.05)),
    ],
)
def test_each_client_meets_it_at_the_exact_time(situation: str, after_s: float) -> None:
    clients = [client for client, each in CASES if each == situation]

    met_s = {client: seen(client, situation, VirtualClock())[1] for client in clients}

    # It asks a service, which has no time of a first token; a total time-out includes that time.
    other_s = {
        "botocore": {"streamed": 0.12, "stalled": 0.5, "reset-stream": 0.1, "left": 0.1},
        "aiohttp total": {"stalled": 0.4},
    }
    assert {client: round(at_s, 9) for client, at_s in met_s.items()} == {
        client: other_s.get(client, {}).get(situation, after_s) for client in clients
    }


def test_each_situation_is_shown_or_ended_by_the_client() -> None:
    ended_by_client = {
        name for name, each in SITUATIONS.items() if each.leaves or each.is_cancelled
    }
    assert set(SHOWN) | ended_by_client == set(SITUATIONS)


# What is told of a call.


class Observed(Mocked):
    """Each session makes one model call, which takes as many seconds as are named."""

    def __init__(self, *latencies_s: float, ttft_ms: int | None = None) -> None:
        self.clock = VirtualClock()
        self.meter = Meter(self.clock)
        self.traffic = Traffic(self.meter)
        streamed = {} if ttft_ms is None else {"ttft_ns": ttft_ms * MS, "pieces": 5}
        self.model = ScriptedModel(
            {
                number: SessionScript(number, (call(round(latency_s * 1000), **streamed),))
                for number, latency_s in enumerate(latencies_s)
            }
        )
        self.world = World(self.model, Services((), "any"), self.clock, self.traffic)

    def endings(self) -> list[WaitEnding]:
        return [wait.ending for wait in self.traffic.waits if wait.kind is WaitKind.MODEL]

    def connection_waits_s(self) -> list[float]:
        waits = [wait for wait in self.traffic.waits if wait.kind is WaitKind.CONNECTION]
        return [wait.waited_ns / 1e9 for wait in waits]


@pytest.mark.parametrize("client", [*SYNC, *sorted(ASYNC)])
@pytest.mark.parametrize("leaves", [False, True])
def test_a_wait_is_noted_as_for_httpx(client: str, leaves: bool) -> None:
    world = Observed(0.3, ttft_ms=100)
    asked = Asked(URL, json.dumps(payload(stream=True)).encode(), leaves)

    if client in ASYNC:
        world.run_async(lambda: CLIENTS[client](asked))
    else:
        world.run(lambda: CLIENTS[client](asked))

    (wait,) = world.traffic.waits
    assert wait.ending is (WaitEnding.LEFT if leaves else WaitEnding.WHOLE)
    assert (wait.waited_ns, wait.ready_ns) == ((100 if leaves else 300) * MS, 0)
    assert wait.streamed
    assert world.traffic.read_ns == ({} if leaves else {(0, 0): 300 * MS})
    assert world.traffic.asked_ns == {(0, 0): 0}


def test_a_stream_that_nobody_reads_is_left_when_it_is_collected() -> None:
    world = Observed(0.3, ttft_ms=100)

    def ask() -> None:
        connection = http.client.HTTPSConnection("api.openai.com")
        connection.request("POST", "/v1/chat/completions", json.dumps(payload(stream=True)))
        connection.getresponse()

    world.run(ask)

    assert world.endings() == [WaitEnding.LEFT]
    assert world.traffic.in_flight == 0


@pytest.mark.parametrize("client", [*SYNC, *sorted(ASYNC)])
def test_a_stream_that_is_left_has_the_place_where_it_was_opened(client: str) -> None:
    world = Observed(0.3, ttft_ms=100)
    world.meter.caller = lambda: next(
        (
            frame.name
            for frame in traceback.extract_stack()
            if frame.name in {"ask", "by_aiohttp", "by_requests", "by_urllib3", "by_http_client"}
            or frame.name == "by_aiohttp_in_total"
        ),
        "",
    )
    asked = Asked(URL, json.dumps(payload(stream=True)).encode(), leaves=True)

    if client in ASYNC:
        world.run_async(lambda: CLIENTS[client](asked))
    else:
        world.run(lambda: CLIENTS[client](asked))

    assert [wait.place for wait in world.traffic.waits] == [CLIENTS[client].__name__]


def test_a_service_is_asked_by_the_session_that_runs() -> None:
    world = Observed()
    world.world.services = Services((service(),), "any")

    def ask() -> None:
        SESSION.set(SessionScope(7))
        requests.get("https://weather.example.com/today")

    world.run(lambda: copy_context().run(ask))

    assert [(wait.session, wait.name) for wait in world.traffic.waits] == [
        (7, "weather.example.com")
    ]


def service(url: str = "https://weather.example.com/*", **more: Any) -> ServiceSpec:
    fields = {"method": None, "status": 200, "headers": {}, "body": "sunny", **more}
    return ServiceSpec("weather", url, latency=Constant(0.2), **fields)


# Requests and answers of all forms.


def test_urllib_request_is_answered() -> None:
    world = Mocked(call())
    request = urllib.request.Request(URL, json.dumps(payload()).encode())

    answer = world.run(lambda: json.load(urllib.request.urlopen(request)))

    assert answer["choices"]
    assert world.now_s == 1.0


@pytest.mark.parametrize("new_loop", [ASYNCIO.create, UVLOOP.create])
def test_the_openai_sdk_by_aiohttp_is_answered(new_loop: Any) -> None:
    world = Mocked(call())

    async def ask() -> str | None:
        client = openai.AsyncOpenAI(api_key="none", http_client=openai.DefaultAioHttpClient())
        async with client:
            messages: Any = payload()["messages"]
            answer = await client.chat.completions.create(model="m", messages=messages)
            return answer.choices[0].message.content

    assert world.run_async(ask, new_loop)
    assert world.now_s == 1.0


def test_a_body_in_chunks_is_read() -> None:
    world = Mocked(call())
    body = json.dumps(payload()).encode()

    def ask() -> int:
        return requests.post(URL, data=iter((body[:10], body[10:]))).status_code

    assert world.run(ask) == 200


def test_a_body_from_a_file_is_read() -> None:
    world = Mocked(call())
    body = io.BytesIO(json.dumps(payload()).encode())

    assert world.run(lambda: requests.post(URL, data=body).status_code) == 200


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_leaves_the_connection_usable(status: int) -> None:
    world = Mocked(services=(service(status=status, body="none is sent"),))

    def ask() -> list[tuple[int, bytes]]:
        with requests.Session() as session:
            answers = [session.get("https://weather.example.com/now") for _ in range(2)]
            return [(answer.status_code, answer.content) for answer in answers]

    assert world.run(ask) == [(status, b"")] * 2


def test_the_answer_to_head_has_no_body() -> None:
    world = Mocked(services=(service(),))

    def ask() -> tuple[str, bytes, str]:
        with requests.Session() as session:
            head = session.head("https://weather.example.com/now")
            return head.headers["content-length"], head.content, session.get(head.url).text

    assert world.run(ask) == ("5", b"", "sunny")


def test_who_expects_to_be_told_to_go_on_is_told() -> None:
    world = Mocked(services=(service("https://things.example.com/*", body=""),))

    def ask() -> int:
        session = __import__("botocore.session").session.get_session()
        client = session.create_client(
            "s3",
            region_name="eu-central-1",
            endpoint_url="https://things.example.com",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )
        answer = client.put_object(Bucket="things", Key="one", Body=b"a thing")
        status: int = answer["ResponseMetadata"]["HTTPStatusCode"]
        return status

    assert world.run(ask) == 200
    assert world.now_s == 0.2


def test_a_proxy_is_passed_by() -> None:
    world = Mocked(call(), call(), services=(service("http://plain.example.com/*"),))
    proxies = {"https": "http://proxy.example.com:3128", "http": "http://proxy.example.com:3128"}

    def ask() -> tuple[int, str]:
        model = requests.post(URL, json=payload(), proxies=proxies)
        return model.status_code, requests.get("http://plain.example.com/", proxies=proxies).text

    assert world.run(ask) == (200, "sunny")


def test_a_large_stream_waits_for_who_reads_slowly_by_aiohttp() -> None:
    world = Mocked(services=(service(body="x" * 1_000_000),))

    async def ask() -> int:
        async with aiohttp.ClientSession(read_bufsize=1000) as session:
            async with session.get("https://weather.example.com/") as response:
                size = 0
                async for piece in response.content.iter_chunked(10_000):
                    await asyncio.sleep(0.01)
                    size += len(piece)
                return size

    assert world.run_async(ask) == 1_000_000


def test_who_waits_for_ever_hangs_and_the_clock_tells() -> None:
    world = Mocked(call(faults=(Fault(FaultKind.READ_TIMEOUT),)))

    with pytest.raises(ClockHangError):
        world.run(lambda: requests.post(URL, json=payload()))


# Connections that are kept, and pools.


def test_a_connection_of_urllib3_is_kept() -> None:
    world = Mocked(call(), call())

    def ask() -> int:
        with urllib3.PoolManager(maxsize=1) as pools:
            for _ in range(2):
                pools.request("POST", URL, json=payload())
            return pools.connection_from_url(URL).num_connections

    assert world.run(ask) == 1


def test_a_pool_of_urllib3_that_blocks_holds_requests_up() -> None:
    world = Observed(1.0, 1.0, 1.0)

    def ask_all() -> None:
        with (
            urllib3.PoolManager(maxsize=1, block=True) as pools,
            ThreadPoolExecutor(3) as threads,
        ):
            for session in range(3):
                threads.submit(pools.request, "POST", URL, json=payload(session=session))

    world.run(ask_all)

    assert world.now_s == 3.0
    assert sorted(world.connection_waits_s()) == [1.0, 2.0]
    assert world.meter.pool_uses == (PoolUse(client="urllib3", most=1, waits=2),)


@LOOPS
def test_a_pool_of_aiohttp_holds_requests_up(new_loop: Any) -> None:
    world = Observed(1.0, 1.0, 1.0)

    async def ask_all() -> None:
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def ask(number: int) -> None:
                async with session.post(URL, json=payload(session=number)) as response:
                    await response.read()

            await asyncio.gather(*map(ask, range(3)))

    world.run_async(ask_all, new_loop)

    assert world.now_s == 3.0
    assert sorted(world.connection_waits_s()) == [1.0, 2.0]
    assert world.meter.pool_uses == (PoolUse(client="aiohttp", most=1, waits=2),)


def test_a_session_that_is_older_than_the_world_asks_this_one() -> None:
    with requests.Session() as session:
        for _ in range(2):
            world = Mocked(call())
            world.run(lambda: session.post(URL, json=payload()))
            assert world.now_s == 1.0
            assert world.traffic.llm_calls == 1


def test_after_its_scope_each_library_is_as_before() -> None:
    names = ("connect", "_get_conn", "_create_connection", "wait_for_read")
    owners: tuple[Any, ...] = (
        *(http.client.HTTPConnection, http.client.HTTPSConnection, urllib3.connection),
        *(urllib3.connection.HTTPConnection, urllib3.connection.HTTPSConnection, urllib3.util),
        *(urllib3.connectionpool.HTTPConnectionPool, aiohttp.TCPConnector),
    )

    def state() -> list[object]:
        return [vars(owner).get(name) for owner in owners for name in names]

    before = state()
    during = Mocked().run(state)

    assert state() == before != during


# Requests that nothing mocks.


def refused(client: str, world: Mocked) -> BaseException:
    """Return what a client raises where nothing mocks its request."""
    query = "" if client == "botocore" else "?key=secret"
    asked = Asked(f"{ELSEWHERE}{query}", b"{}", leaves=False)
    try:
        if client in ASYNC:
            world.run_async(lambda: CLIENTS[client](asked))
        else:
            world.run(lambda: CLIENTS[client](asked))
    except Exception as error:  # noqa: BLE001 - what is raised is the result
        return error
    raise AssertionError("it was not refused")


@pytest.mark.parametrize(
    ("client", "raised"),
    [
        ("aiohttp", aiohttp.ClientConnectorError),
        ("requests", requests.exceptions.ConnectionError),
        ("urllib3", urllib3.exceptions.NewConnectionError),
        ("http.client", ConnectionRefusedError),
        ("botocore", botocore.exceptions.EndpointConnectionError),
    ],
)
def test_who_asks_for_what_nothing_mocks_meets_a_host_that_refuses_connections(
    client: str, raised: type[Exception]
) -> None:
    world = Mocked()

    error = refused(client, world)

    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    assert type(error) is raised
    assert any(isinstance(each, ConnectionRefusedError) for each in causes)
    assert isinstance(causes[-1], UnmockedRequestError)
    assert "prices.example.com" in str(causes[-1])
    assert "secret" not in str(causes[-1])
    hosts = {(each.host, each.session) for each in world.traffic.refusals}
    assert hosts == {("prices.example.com", -1)}


def test_urllib_meets_a_url_error() -> None:
    with pytest.raises(urllib.error.URLError) as caught:
        Mocked().run(lambda: urllib.request.urlopen(ELSEWHERE))

    assert isinstance(caught.value.reason, ConnectionRefusedError)


def test_urllib3_retries_as_often_as_for_a_host_without_a_server() -> None:
    world = Mocked()

    with pytest.raises(urllib3.exceptions.MaxRetryError):
        world.run(lambda: urllib3.PoolManager(retries=2).request("GET", ELSEWHERE))

    assert len(world.traffic.refusals) == 3


def test_what_is_refused_says_nothing_of_a_request_that_is_mocked_at_the_same_host() -> None:
    world = Mocked(call())

    def ask() -> int:
        with requests.Session() as session:
            with pytest.raises(requests.exceptions.ConnectionError):
                session.get("https://api.openai.com/v1/files")
            return session.post(URL, json=payload()).status_code

    assert world.run(ask) == 200


# This machine, and libraries that come later.


@dataclass
class Served:
    """A server on this machine that the lab knows nothing of.

    Attributes:
        url: Its address.
        requests: How many requests it was sent.
    """

    url: str = ""
    requests: int = 0


@pytest.fixture
def served_here() -> Iterator[Served]:
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            served.requests += 1
            self.send_response(200)
            self.send_header("content-length", "4")
            self.end_headers()
            self.wfile.write(b"here")

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    # At its end a server is waited for as long as it takes to look whether it is to stop.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("client", sorted(set(CLIENTS) - {"botocore"}))
@pytest.mark.parametrize("clock_of", [VirtualClock, WarpClock, WallClock])
def test_whoever_serves_on_this_machine_is_not_asked_by_any_client(
    client: str, clock_of: Callable[[], Clock], served_here: Served
) -> None:
    clock = clock_of()
    world = World(ScriptedModel({}), Services((), "any"), clock, Traffic())
    asked = Asked(f"{served_here.url}/own", b"{}", leaves=False)
    causes: list[BaseException] = []

    with keeping_time(clock), mocked_http(world):
        try:
            if client in ASYNC:
                with asyncio.Runner(loop_factory=lambda: ASYNCIO.create(clock)) as runner:
                    runner.run(CLIENTS[client](asked))
            else:
                CLIENTS[client](asked)
        except Exception as error:  # noqa: BLE001 - each client's own
            causes.append(error)

    assert served_here.requests == 0
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    assert isinstance(causes[-1], UnmockedRequestError)
    hosts = {(each.host, each.path) for each in world.traffic.refusals}
    assert hosts == {(served_here.url.removeprefix("http://"), "/own")}


def test_what_is_mocked_at_an_address_of_this_machine_is_answered() -> None:
    world = Mocked(call())

    def ask() -> int:
        url = "http://localhost:11434/v1/chat/completions"
        return requests.post(url, json=payload()).status_code

    assert world.run(ask) == 200


IMPORTED_INSIDE = """
import sys
from warpbench.mocks.clock import VirtualClock, keeping_time
from warpbench.mocks.transports.in_process.clients import mocked_http
from warpbench.mocks.world.world import WorldSpec
from warpbench.mocks.scenario import ModelLimits

clock = VirtualClock()
world = WorldSpec({}, ModelLimits(), (), "any").world(clock)
assert not {"aiohttp", "urllib3", "requests"} & set(sys.modules)
with keeping_time(clock), mocked_http(world):
    import asyncio, aiohttp, requests, urllib3
    assert urllib3.__spec__.loader is urllib3.__loader__
    assert type(urllib3.__loader__).__name__ == "SourceFileLoader"
    async def get():
        async with aiohttp.ClientSession() as session:
            await session.get("https://elsewhere.example.com/")
    for ask in (lambda: requests.get("https://elsewhere.example.com/"), lambda: asyncio.run(get())):
        try:
            ask()
        except Exception as error:
            print(type(error).__name__)
assert not any("warpbench" in type(finder).__module__ for finder in sys.meta_path)
"""


def test_a_library_that_is_imported_inside_is_answered_from_then_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_INSIDE], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.stdout.split() == ["ConnectionError", "ClientConnectorError"]


def test_the_same_twice_in_virtual() -> None:
    def run() -> list[tuple[int, int]]:
        world = Observed(0.1, 0.2, 0.3, 0.2, 0.1)

        async def ask_all() -> None:
            async with aiohttp.ClientSession() as session:

                async def ask(number: int) -> None:
                    async with session.post(URL, json=payload(session=number)) as response:
                        await response.read()

                await asyncio.gather(*map(ask, range(5)))

        world.run_async(ask_all)
        return [(wait.session, wait.end_ns) for wait in world.traffic.waits]

    assert run() == run()
