"""The lifespan of an ASGI application: startup before the sessions, shutdown after them."""

import asyncio
from typing import Any

import pytest
from warpbench.bench.services.asgi import AsgiService
from warpbench.mocks.errors import TargetError
from warpbench.mocks.scenario.request import USUAL_REQUEST

App = Any


async def respond(send: Any, body: bytes = b"ok") -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def open_and_ask(app: App) -> list[str]:
    async def run() -> list[str]:
        async with AsgiService("asgi:m:app", app, USUAL_REQUEST) as service:
            texts = [text async for text in service.session("t")]
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left
        return texts

    return asyncio.run(run())


def test_startup_comes_before_the_sessions_and_shutdown_after_them() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        if scope["type"] == "http":
            await respond(send)
            return
        assert scope["asgi"] == {"version": "3.0", "spec_version": "2.0"}
        for phase in ("startup", "shutdown"):
            assert await receive() == {"type": f"lifespan.{phase}"}
            await asyncio.sleep(0)
            seen.append(phase)
            await send({"type": f"lifespan.{phase}.complete"})

    assert open_and_ask(app) == ["ok"]
    assert seen == ["lifespan", "startup", "http", "shutdown"]


def test_each_request_gets_a_copy_of_the_state() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            scope["state"]["shared"] = []
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        scope["state"]["shared"].append("seen")
        own = "own" in scope["state"]
        scope["state"]["own"] = True
        await respond(send, f"{own} {len(scope['state']['shared'])}".encode())

    async def run() -> list[str]:
        async with AsgiService("asgi:m:app", app, USUAL_REQUEST) as service:
            return [text for _ in range(2) async for text in service.session("t")]

    assert asyncio.run(run()) == ["False 1", "False 2"]


async def raises(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise AssertionError("no such protocol")
    await respond(send)


async def returns(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await respond(send)


async def reads_and_raises(scope: Any, receive: Any, send: Any) -> None:
    if "body" not in await receive():
        raise KeyError("body")
    await respond(send)


@pytest.mark.parametrize("app", [raises, returns, reads_and_raises])
def test_an_application_without_a_lifespan_works(app: App) -> None:
    assert open_and_ask(app) == ["ok"]


def failing(phase: str, message: str | None) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await respond(send)
            return
        if phase == "shutdown":
            await receive()
            await send({"type": "lifespan.startup.complete"})
        await receive()
        said = {} if message is None else {"message": message}
        await send({"type": f"lifespan.{phase}.failed", **said})
        raise OSError("no such database")  # as frameworks do

    return app


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Traceback (most recent call last):\n  …\nOSError: no database\n", "OSError: no database"),
        (None, "without saying why"),
    ],
)
def test_a_phase_that_fails_says_why(phase: str, message: str | None, said: str) -> None:
    with pytest.raises(TargetError) as caught:
        open_and_ask(failing(phase, message))

    assert str(caught.value) == f"target 'asgi:m:app': the application's {phase} failed: {said}"


def test_a_shutdown_that_raises_says_why() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await respond(send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise OSError("not closed")

    with pytest.raises(TargetError, match="shutdown failed: OSError: not closed"):
        open_and_ask(app)
