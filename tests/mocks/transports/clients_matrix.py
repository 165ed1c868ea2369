"""Each HTTP client in each situation: what its user sees of it, over whatever transport.

Bedrock's and Ollama's own APIs are not spoken, so botocore asks a service of the scenario.
"""

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import botocore.session  # type: ignore[import-untyped]
import httpx
import httpx2
import requests
import urllib3
from botocore.config import Config  # type: ignore[import-untyped]
from warpbench.mocks.model import task_of
from warpbench.mocks.scenario import ModelLimits, ServiceSpec
from warpbench.mocks.scenario.distributions import Constant
from warpbench.mocks.scenario.faults import Fault, FaultKind, FaultSpec
from warpbench.mocks.workload.script import ModelCallScript, SessionScript
from warpbench.mocks.world.world import WorldSpec

MS = 1_000_000
TIMEOUT_S = 0.4
CANCELLED_AFTER_S = 0.05
ANSWER_MS, FIRST_MS = 100, 20
MODEL = "https://api.openai.com"
SERVICE = "https://{}.example.com"


@dataclass(frozen=True)
class Situation:
    """What a client meets.

    Attributes:
        kind: The fault; ``None`` for none.
        is_streamed: Whether it asks for a stream.
        leaves: Whether it stops reading after the first piece.
        is_cancelled: Whether its task is cancelled while it waits.
    """

    kind: FaultKind | None = None
    is_streamed: bool = False
    leaves: bool = False
    is_cancelled: bool = False


SITUATIONS = {
    "whole": Situation(),
    "streamed": Situation(is_streamed=True),
    "timeout": Situation(FaultKind.READ_TIMEOUT),
    "stalled": Situation(FaultKind.STALLED, is_streamed=True),
    "reset": Situation(FaultKind.RESET),
    "reset-stream": Situation(FaultKind.RESET, is_streamed=True),
    "429": Situation(FaultKind.STATUS),
    "truncated": Situation(FaultKind.TRUNCATED),
    "no-answer": Situation(FaultKind.CONNECT_ERROR),
    "left": Situation(is_streamed=True, leaves=True),
    "cancelled": Situation(is_cancelled=True),
}


@dataclass(frozen=True)
class Outcome:
    """What the user of a client sees.

    Attributes:
        status: The status; ``None`` without an answer.
        body: What it has read.
        raised: The class of what was raised, and of what caused it.
    """

    status: int | None
    body: bytes
    raised: tuple[str, ...] = ()


@dataclass
class Asked:
    """A request, and what came of it so far.

    Attributes:
        url: Where to.
        payload: Its body.
        leaves: Whether to stop after the first piece.
        status: The status, once it is there.
        body: What was read.
    """

    url: str
    payload: bytes
    leaves: bool
    status: int | None = None
    body: bytes = b""

    def takes(self, piece: bytes) -> bool:
        """Keep a piece of the body; return whether to stop reading."""
        self.body += piece
        return self.leaves


HEADERS = {"content-type": "application/json"}
Sync = Callable[[Asked], None]


def by_httpx(library: Any) -> Sync:
    def ask(asked: Asked) -> None:
        with (
            library.Client(timeout=TIMEOUT_S) as client,
            client.stream("POST", asked.url, content=asked.payload, headers=HEADERS) as response,
        ):
            asked.status = response.status_code
            any(asked.takes(piece) for piece in response.iter_raw())

    return ask


def by_httpx_async(library: Any) -> Callable[[Asked], Any]:
    async def ask(asked: Asked) -> None:
        async with (
            library.AsyncClient(timeout=TIMEOUT_S) as client,
            client.stream("POST", asked.url, content=asked.payload, headers=HEADERS) as response,
        ):
            asked.status = response.status_code
            async for piece in response.aiter_raw():
                if asked.takes(piece):
                    break

    return ask


async def by_aiohttp(asked: Asked) -> None:
    timeout = aiohttp.ClientTimeout(total=None, sock_read=TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(asked.url, data=asked.payload, headers=HEADERS) as response,
    ):
        asked.status = response.status
        async for piece in response.content.iter_any():
            if asked.takes(piece):
                break


async def by_aiohttp_in_total(asked: Asked) -> None:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(asked.url, data=asked.payload, headers=HEADERS) as response,
    ):
        asked.status = response.status
        async for piece in response.content.iter_any():
            if asked.takes(piece):
                break


def by_requests(asked: Asked) -> None:
    with (
        requests.Session() as session,
        session.post(
            asked.url, data=asked.payload, headers=HEADERS, timeout=TIMEOUT_S, stream=True
        ) as response,
    ):
        asked.status = response.status_code
        any(asked.takes(piece) for piece in response.iter_content(None))


def by_urllib3(asked: Asked) -> None:
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT_S) as pools:
        response = pools.request(
            "POST", asked.url, body=asked.payload, headers=HEADERS, preload_content=False
        )
        asked.status = response.status
        try:
            any(asked.takes(piece) for piece in response.stream())
        finally:
            response.close()


def by_http_client(asked: Asked) -> None:
    parts = urlsplit(asked.url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = kinds[parts.scheme](parts.netloc, timeout=TIMEOUT_S)
    try:
        connection.request("POST", parts.path, asked.payload, HEADERS)
        with connection.getresponse() as response:
            asked.status = response.status
            any(asked.takes(piece) for piece in iter(lambda: response.read1(65536), b""))
    finally:
        connection.close()


def by_botocore(asked: Asked) -> None:
    session = botocore.session.get_session()
    client = session.create_client(
        "s3",
        region_name="eu-central-1",
        endpoint_url=asked.url,
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(
            read_timeout=TIMEOUT_S,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        ),
    )
    answer = client.get_object(Bucket="things", Key="one")
    asked.status = answer["ResponseMetadata"]["HTTPStatusCode"]
    body = answer["Body"]
    try:
        any(asked.takes(piece) for piece in body.iter_chunks(64))
    finally:
        body.close()


CLIENTS: dict[str, Callable[[Asked], Any]] = {
    "httpx": by_httpx(httpx),
    "httpx async": by_httpx_async(httpx),
    "httpx2": by_httpx(httpx2),
    "httpx2 async": by_httpx_async(httpx2),
    "aiohttp": by_aiohttp,
    "aiohttp total": by_aiohttp_in_total,
    "requests": by_requests,
    "urllib3": by_urllib3,
    "http.client": by_http_client,
    "botocore": by_botocore,
}
ASYNC = frozenset({"httpx async", "httpx2 async", "aiohttp", "aiohttp total"})
WITHOUT_SOCKETS_OF_THEIR_OWN = frozenset(name for name in CLIENTS if name.startswith("httpx"))
"""Clients whose errors are mapped from those of a library below, which is not asked in-process."""

CASES = [
    (client, situation)
    for client in CLIENTS
    for situation, each in SITUATIONS.items()
    if not (each.is_cancelled and client not in ASYNC)
]
_NUMBERS = {case: number for number, case in enumerate(CASES)}


def spec() -> WorldSpec:
    """Return the world: a session for each case, a service for each situation."""
    sessions = {
        number: SessionScript(number, (_call(SITUATIONS[situation].kind),))
        for (_, situation), number in _NUMBERS.items()
    }
    services = tuple(_service(name, each) for name, each in SITUATIONS.items())
    return WorldSpec(sessions, ModelLimits(), services, "clients")


def _call(kind: FaultKind | None) -> ModelCallScript:
    faults = () if kind is None else (Fault(kind, status=429, delay_ns=20 * MS),)
    return ModelCallScript(
        *(ANSWER_MS * MS, 11, 5, ()), ttft_ns=FIRST_MS * MS, pieces=5, faults=faults
    )


def _service(name: str, situation: Situation) -> ServiceSpec:
    kind = situation.kind
    if kind is None and situation.is_streamed:
        kind = FaultKind.SLOW_DRIP
    faults = () if kind is None else (FaultSpec(kind, status=429, latency=Constant(0.02)),)
    return ServiceSpec(
        name,
        SERVICE.format(name) + "/*",
        None,
        Constant(ANSWER_MS / 1000),
        200,
        {"content-type": "text/plain"},
        "a thing " * 100,
        faults,
    )


def meet(
    client: str,
    situation: str,
    url_of: Callable[[str], str],
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None,
) -> Outcome:
    """Let a client meet a situation.

    Args:
        client: Its name.
        situation: The name of the situation.
        url_of: Returns what stands for an address of the mocked world's.
        new_loop: Makes an event loop.
    """
    met = SITUATIONS[situation]
    prompt = task_of(_NUMBERS[client, situation], "any")
    payload = {
        "model": "m",
        "messages": [{"role": "user", "content": prompt}],
        "stream": met.is_streamed,
    }
    address = SERVICE.format(situation) if client == "botocore" else f"{MODEL}/v1/chat/completions"
    asked = Asked(url_of(address), json.dumps(payload).encode(), met.leaves)
    raised: tuple[str, ...] = ()
    try:
        _carry_out(client, asked, new_loop, is_cancelled=met.is_cancelled)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - what is raised is the result
        raised = tuple(_chain(error))
    if client in WITHOUT_SOCKETS_OF_THEIR_OWN:
        raised = raised[:1]
    return Outcome(asked.status, asked.body, raised)


def _carry_out(
    client: str,
    asked: Asked,
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None,
    *,
    is_cancelled: bool,
) -> None:
    if client not in ASYNC:
        CLIENTS[client](asked)
        return

    async def ask() -> None:
        task = asyncio.ensure_future(CLIENTS[client](asked))
        if is_cancelled:
            await asyncio.sleep(CANCELLED_AFTER_S)
            task.cancel()
        await task

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(ask())


def _chain(error: BaseException) -> Iterator[str]:
    """Yield the classes of an error and of its causes, those among its arguments included."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield f"{type(following).__module__}.{type(following).__qualname__}"
        given = [each for each in following.args if isinstance(each, BaseException)]
        context = None if following.__suppress_context__ else following.__context__
        following = following.__cause__ or context or (given[0] if given else None)
