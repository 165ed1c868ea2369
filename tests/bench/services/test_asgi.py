"""An ASGI application is called as uvicorn calls it, and a session is what one user asks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from warpbench.bench.instruments.own_waits import own_wait_of
from warpbench.bench.services.asgi import AsgiService
from warpbench.mocks.errors import ServiceError, TargetError
from warpbench.mocks.scenario.request import BodyKind, RequestSpec

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Handler = Callable[[Message, Receive, Send], Awaitable[object]]

USUAL = RequestSpec()


def start(status: int = 200, **headers: str) -> Message:
    pairs = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, value in headers.items()
    ]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def http_only(handler: Handler) -> Any:
    async def app(scope: Message, receive: Receive, send: Send) -> object:
        if scope["type"] != "http":
            return None
        return await handler(scope, receive, send)

    return app


def asked(handler: Handler, spec: RequestSpec = USUAL) -> list[str]:
    async def run() -> list[str]:
        async with AsgiService("asgi:m:app", http_only(handler), spec) as service:
            texts = [text async for text in service.session("the task")]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return texts

    return asyncio.run(run())


def test_the_scope_is_that_of_uvicorn() -> None:
    seen: list[Message] = []

    async def handler(scope: Message, receive: Receive, send: Send) -> None:
        seen.append(scope)
        seen.append(await receive())
        await send(start())
        await send(body())

    spec = RequestSpec(path="/chat/{task}?q={task}", headers={"X-User": "u"})

    assert asked(handler, spec) == []
    scope, message = seen
    assert message == {
        "type": "http.request",
        "body": b'{"message":"the task"}',
        "more_body": False,
    }
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 10_000),
        "scheme": "http",
        "method": "POST",
        "root_path": "",
        "path": "/chat/the task",
        "raw_path": b"/chat/the%20task",
        "query_string": b"q=the%20task",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"user-agent", b"warpbench"),
            (b"accept", b"*/*"),
            (b"content-type", b"application/json"),
            (b"content-length", b"22"),
            (b"x-user", b"u"),
        ],
        "state": {},
    }


def test_a_streamed_answer_is_yielded_as_it_comes() -> None:
    async def run() -> list[tuple[str, int]]:
        sent = 0

        async def handler(_scope: Message, _receive: Receive, send: Send) -> None:
            nonlocal sent
            await send(start(content_type="text/event-stream"))
            for part in (b"data: a\n\n", b"data: b\n\nda", b"ta: c\n\n"):
                sent += 1
                await send(body(part, more=True))
                await asyncio.sleep(0.001)
            await send(body())

        service = AsgiService("asgi:m:app", http_only(handler), USUAL)
        return [(text, sent) async for text in service.session("t")]

    assert asyncio.run(run()) == [("a", 1), ("b", 2), ("c", 3)]


def test_each_turn_is_a_request() -> None:
    async def handler(_scope: Message, receive: Receive, send: Send) -> None:
        asked_for = (await receive())["body"]
        await send(start())
        await send(body(asked_for))

    spec = RequestSpec(body_kind=BodyKind.TEXT, body="{turn} ", turns=3)

    assert asked(handler, spec) == ["1 ", "2 ", "3 "]


def test_behind_the_answer_receive_says_that_the_client_is_gone() -> None:
    seen: list[Message] = []

    async def handler(_scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        waits = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not waits.done()
        await send(start())
        await send(body(b"x"))
        seen.append(await waits)
        seen.append(await receive())

    assert asked(handler) == ["x"]
    assert seen == [{"type": "http.disconnect"}] * 2


def test_a_session_ends_with_its_answer_and_what_runs_on_before_the_shutdown() -> None:
    order: list[str] = []

    async def handler(_scope: Message, _receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"x"))
        await asyncio.sleep(0.001)
        order.append("background")

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await handler(scope, receive, send)
            return
        for phase in ("startup", "shutdown"):
            await receive()
            order.append(phase)
            await send({"type": f"lifespan.{phase}.complete"})

    async def run() -> None:
        async with AsgiService("asgi:m:app", app, USUAL) as service:
            async for _ in service.session("t"):
                pass
            order.append("session")

    asyncio.run(run())

    assert order == ["startup", "session", "background", "shutdown"]


def test_when_the_client_goes_the_application_finds_out_and_is_not_cancelled() -> None:
    seen: list[object] = []

    async def handler(_scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        await send(body(b"first", more=True))
        seen.append(await receive())
        await send(body(b"nobody reads it", more=True))  # silent, as in uvicorn
        await asyncio.sleep(0)
        seen.append("went on")

    async def run() -> None:
        async with AsgiService("asgi:m:app", http_only(handler), USUAL) as service:

            async def read() -> None:
                async with contextlib.aclosing(service.session("t")) as texts:
                    seen.append(await anext(texts))
                    reads.set()
                    await anext(texts)

            reads = asyncio.Event()
            client = asyncio.create_task(read())
            await reads.wait()
            client.cancel()
            with pytest.raises(asyncio.CancelledError):
                await client
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())

    assert seen == ["first", {"type": "http.disconnect"}, "went on"]


def test_a_client_that_goes_before_the_answer_leaves_no_error_behind() -> None:
    async def handler(_scope: Message, receive: Receive, _send: Send) -> None:
        await receive()
        await receive()  # until it has gone; and there is nobody to answer

    async def run() -> list[object]:
        errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        async with AsgiService("asgi:m:app", http_only(handler), USUAL) as service:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    async for _ in service.session("t"):
                        pass
        return errors

    assert asyncio.run(run()) == []


def test_what_never_ends_is_cancelled_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warpbench.bench.services.asgi.MOST_AFTER_S", 0.001)

    async def handler(_scope: Message, _receive: Receive, send: Send) -> None:
        await send(start())
        await send(body())
        await asyncio.Event().wait()

    with pytest.raises(TargetError, match="1 requests still ran"):
        asked(handler)


async def raises(_scope: Message, _receive: Receive, _send: Send) -> None:
    raise ValueError("no such model")


async def raises_midway(_scope: Message, _receive: Receive, send: Send) -> None:
    await send(start(content_type="text/plain"))
    await send(body(b"a", more=True))
    raise ValueError("no such model")


async def answers_500_and_raises(_scope: Message, _receive: Receive, send: Send) -> None:
    await send(start(500, content_type="text/plain"))
    await send(body(b"Internal Server Error"))
    raise ValueError("no such model")


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (raises, "the application raised before its response"),
        (raises_midway, "the application raised before the end of its response"),
        (answers_500_and_raises, "the service answered status 500: Internal Server Error"),
    ],
)
def test_an_error_of_the_application_is_the_cause(handler: Handler, said: str) -> None:
    with pytest.raises(ServiceError) as caught:
        asked(handler)

    assert str(caught.value) == said
    assert isinstance(caught.value.__cause__, ValueError)


async def says_nothing(_scope: Message, _receive: Receive, _send: Send) -> None:
    pass


async def stops_midway(_scope: Message, _receive: Receive, send: Send) -> None:
    await send(start())
    await send(body(b"a", more=True))


async def returns_something(_scope: Message, _receive: Receive, _send: Send) -> object:
    return 5


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (says_nothing, "the application returned without a response"),
        (stops_midway, "the application returned without completing its response"),
        (returns_something, "the application returned 5, expected None"),
    ],
)
def test_an_application_that_does_not_answer_fails_the_session(handler: Handler, said: str) -> None:
    with pytest.raises(ServiceError) as caught:
        asked(handler)

    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([body(b"x")], "Expected ASGI message 'http.response.start'"),
        ([start(), start()], "Expected ASGI message 'http.response.body'"),
        ([start(content_length="1"), body(b"xy")], "longer than Content-Length"),
        ([start(content_length="3"), body(b"xy")], "shorter than Content-Length"),
    ],
)
def test_a_wrong_message_is_refused_where_it_is_sent(messages: list[Message], said: str) -> None:
    async def handler(_scope: Message, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(ServiceError) as caught:
        asked(handler)

    assert said in str(caught.value.__cause__)


def test_an_error_after_the_response_is_reported_and_fails_no_session() -> None:
    async def handler(_scope: Message, _receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"x"))
        await asyncio.sleep(0)
        raise ValueError("in the background")

    async def run() -> tuple[list[str], list[Any]]:
        errors: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        async with AsgiService("asgi:m:app", http_only(handler), USUAL) as service:
            texts = [text async for text in service.session("t")]
        return texts, errors

    texts, errors = asyncio.run(run())

    assert texts == ["x"]
    assert [str(each["exception"]) for each in errors] == ["in the background"]
    assert "exception was never retrieved" in errors[0]["message"]


def test_a_head_request_has_no_body_and_need_not_send_its_length() -> None:
    async def handler(_scope: Message, _receive: Receive, send: Send) -> None:
        await send(start(content_length="5", content_type="text/plain"))
        await send(body(b"12345"))

    assert asked(handler, RequestSpec(method="HEAD", body_kind=BodyKind.NONE, body=None)) == []


def test_where_a_handler_waits_is_seen_in_real_time_too() -> None:
    async def run() -> list[tuple[str, str]]:
        limit = asyncio.Semaphore(0)

        async def handler(_scope: Message, _receive: Receive, send: Send) -> None:
            await limit.acquire()
            await send(start())
            await send(body())

        async with AsgiService("asgi:m:app", http_only(handler), USUAL) as service:

            async def read() -> None:
                async for _ in service.session("t"):
                    pass

            client = asyncio.create_task(read())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            seen = [own_wait_of(task) for task in asyncio.all_tasks()]
            limit.release()
            await client
        return [each for each in seen if each is not None]

    ((place, awaits),) = asyncio.run(run())

    assert "handler" in place
    assert awaits == "asyncio.Semaphore.acquire"
