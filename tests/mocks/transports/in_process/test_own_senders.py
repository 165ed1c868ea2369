"""Clients that send by themselves: refused, with the address, the reason and the way out."""

import asyncio
import sys
from types import ModuleType
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from warpbench.mocks.errors import UnmockedRequestError
from warpbench.mocks.transports.in_process.clients import mocked_http

from ...mocked import Mocked

MODEL = "https://api.openai.com/v1/chat/completions"


def require_way_out(error: BaseException | None, client: str, address: str) -> None:
    while error is not None and not isinstance(error, UnmockedRequestError):
        error = error.__cause__
    text = str(error)
    assert text.startswith(f"{address} was not asked: {client} sends by itself")
    assert "--transport loopback" in text
    assert "OPENAI_BASE_URL" in text


@pytest.mark.parametrize("request_of", [str, lambda url: HTTPRequest(url, method="GET")])
def test_tornado_meets_a_connection_that_is_refused(request_of: Any) -> None:
    world = Mocked()

    async def ask() -> None:
        await AsyncHTTPClient().fetch(request_of(f"{MODEL}?key=secret"))

    with pytest.raises(ConnectionRefusedError) as caught:
        world.run_async(ask)

    require_way_out(caught.value, "tornado", MODEL)
    assert [(each.host, each.path) for each in world.traffic.refusals] == [
        ("api.openai.com", "/v1/chat/completions")
    ]


def test_grpc_meets_a_server_that_is_unavailable() -> None:
    world = Mocked()

    def ask() -> None:
        with grpc.insecure_channel("models.example.com:443") as channel:
            channel.unary_unary("/models.Models/Ask")(b"")

    with pytest.raises(grpc.RpcError) as caught:
        world.run(ask)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    require_way_out(caught.value, "gRPC", "grpc://models.example.com:443/models.Models/Ask")


@pytest.mark.parametrize("form", ["unary_unary", "unary_stream"])
def test_grpc_on_a_loop_meets_it_too(form: str) -> None:
    world = Mocked()

    async def ask() -> None:
        async with grpc.aio.insecure_channel("models.example.com:443") as channel:
            answer = getattr(channel, form)("/models.Models/Ask")(b"")
            if form == "unary_unary":
                await answer
            else:
                async for _ in answer:
                    pass

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        asyncio.run(_inside(world, ask))  # in real time: its loop is its own

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    require_way_out(caught.value, "gRPC", "grpc://models.example.com:443/models.Models/Ask")


async def _inside(world: Mocked, ask: Any) -> None:
    with mocked_http(world.world):
        await ask()


class Curl:
    """As pycurl has it."""

    def setopt(self, option: int, value: object) -> None: ...

    def perform(self) -> str:
        return "sent"


@pytest.fixture
def pycurl(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the lab uses of pycurl, which is not installed everywhere."""
    module: Any = ModuleType("pycurl")
    module.Curl, module.CurlMulti, module.URL = Curl, type("CurlMulti", (), {}), 10002
    module.error = type("error", (Exception,), {})
    monkeypatch.setitem(sys.modules, "pycurl", module)
    return module


def test_pycurl_meets_a_connection_that_is_refused(pycurl: Any) -> None:
    def ask() -> str:
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, MODEL)
        sent: str = handle.perform()
        return sent

    with pytest.raises(pycurl.error, match="Connection refused") as caught:
        Mocked().run(ask)

    assert caught.value.args[0] == 7
    require_way_out(caught.value, "pycurl", MODEL)


def test_pycurl_asks_this_machine_itself(pycurl: Any) -> None:
    def ask() -> str:
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, b"http://127.0.0.1:8000/")
        sent: str = handle.perform()
        return sent

    assert Mocked().run(ask) == "sent"
