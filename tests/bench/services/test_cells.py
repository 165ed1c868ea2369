"""A service as the target of a cell: exact in virtual time, and each request is its session's."""

import asyncio
import contextvars
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from warpbench.bench.results.data_flow import FlowKind
from warpbench.bench.testing.lab import LabResult, spec_of
from warpbench.bench.testing.pytest_plugin import LabInTests
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.errors import TargetError, TrialError
from warpbench.mocks.scenario import Scenario, parse_scenario

Message = dict[str, Any]
Serves = Callable[..., str]

POOL_S = 0.1
MODEL_S = 0.5


def scenario(request: str = "", model: str = f"latency_s = {MODEL_S}") -> Scenario:
    return parse_scenario(
        f'name = "service"\ndescription = "A service."\nsessions = 10\n'
        f"[model]\n{model}\ncompletion_tokens = 4\n[[rounds]]\n[request]\n{request}\n"
    )


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Serves:
    """Give an application a name that is a target's."""

    def name(app: object, kind: str = "asgi") -> str:
        module = ModuleType("served")
        module.app = app  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "served", module)
        return f"{kind}:served:app"

    return name


def of(**kwargs: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", **kwargs}]}


class Service:
    """A small ASGI application: a pool of connections, the model, and work after the response."""

    def __init__(self, permits: int = 5) -> None:
        self.permits = permits

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(scope["state"], receive, send)
            return
        text = json.loads((await receive())["body"])["message"]
        await getattr(self, scope["path"][1:])(scope["state"], text, send)

    async def lifespan(self, state: Message, receive: Any, send: Any) -> None:
        await receive()
        async with AsyncOpenAI() as state["client"]:
            state["sync"] = OpenAI()
            state["pool"] = asyncio.Semaphore(self.permits)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def ask(self, state: Message, text: str) -> str:
        answer = await state["client"].chat.completions.create(**of(content=text))
        return str(answer.choices[0].message.content)

    async def respond(self, send: Any, body: bytes, media_type: bytes = b"text/plain") -> None:
        headers = [(b"content-type", media_type)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def chat(self, state: Message, text: str, send: Any) -> None:
        async with state["pool"]:
            await asyncio.sleep(POOL_S)
        await self.respond(send, (await self.ask(state, text)).encode())

    async def stream(self, state: Message, text: str, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        stream = await state["client"].chat.completions.create(**of(content=text), stream=True)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for chunk in stream:
            piece = chunk.choices[0].delta.content if chunk.choices else None
            if piece:
                data = f"data: {piece}\n\n".encode()
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body"})

    async def thread(self, state: Message, _text: str, send: Any) -> None:
        def ask() -> str:
            answer = state["sync"].chat.completions.create(**of(content="of nobody"))
            return str(answer.choices[0].message.content)

        context = contextvars.copy_context()  # as anyio does
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(None, context.run, ask)
        await self.respond(send, answer.encode())

    async def background(self, state: Message, _text: str, send: Any) -> None:
        await self.respond(send, (await self.ask(state, "of nobody")).encode())
        await self.ask(state, "of nobody, in the background")
        state.setdefault("done", []).append(time.monotonic())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_pool_of_five_is_what_limits_and_its_place_is_told(
    lab: LabInTests, named: Serves, loop: str
) -> None:
    target = named(Service())

    first, again = (lab.run(target, scenario=scenario(), sessions=25, loop=loop) for _ in range(2))

    assert first.sessions.succeeded == 25
    # Five at a time have a connection, and then wait for the model: the last of five such groups.
    assert first.makespan == pytest.approx(5 * POOL_S + MODEL_S, abs=1e-9)
    assert sorted(first.latencies)[::5] == pytest.approx(
        [group * POOL_S + MODEL_S for group in range(1, 6)], abs=1e-9
    )
    (pool, query) = first.own_waits[:2]
    assert (pool.awaits, pool.sessions) == ("asyncio.Semaphore.acquire", 20)
    assert "test_cells.py:Service.chat:" in pool.place
    assert pool.lost_s == pytest.approx(5 * POOL_S * sum(range(5)), abs=1e-9)
    assert query.awaits == "asyncio.sleep"
    assert structure(first) == structure(again)


def structure(result: LabResult) -> tuple[object, ...]:
    return (
        result.makespan,
        result.latencies,
        result.first_outputs,
        result.own_waits,
        result.time_parts,
        result.model_requests,
        result.waits,
    )


def test_the_first_output_and_the_gaps_are_those_of_the_stream(
    lab: LabInTests, named: Serves
) -> None:
    streamed = scenario('path = "/stream"', "ttft_s = 0.2\ngap_s = 0.1")

    result = lab.run(named(Service()), scenario=streamed, sessions=3)

    assert result.sessions.succeeded == 3
    assert set(result.latencies) == {0.5}
    assert set(result.first_outputs) == {0.2}
    assert result.itl.max == 0.1


@pytest.mark.parametrize("path", ["thread", "background"])
def test_each_request_is_booked_to_its_session_by_context(
    lab: LabInTests, named: Serves, path: str
) -> None:
    calls = {"thread": 1, "background": 2}[path]

    result = lab.run(named(Service()), scenario=scenario(f'path = "/{path}"'), sessions=4)

    assert (result.sessions.succeeded, result.errors) == (4, ())
    assert result.latencies == (MODEL_S,) * 4  # what runs after the response is not waited for
    assert result.llm_calls == 4 * calls
    assert result.model_requests.by_context == 4 * calls


def test_an_open_loop_and_a_limit_hold_for_services_too(lab: LabInTests, named: Serves) -> None:
    result = lab.run(named(Service()), scenario=scenario(), sessions=10, concurrency=2)

    assert result.makespan == pytest.approx(5 * (POOL_S + MODEL_S), abs=1e-9)


def test_the_event_loop_is_seen_to_be_blocked_in_a_handler(lab: LabInTests, named: Serves) -> None:
    class Blocks(Service):
        async def chat(self, state: Message, text: str, send: Any) -> None:
            time.sleep(0.3)  # noqa: ASYNC251 - the mistake
            await super().chat(state, text, send)

    result = lab.run(named(Blocks()), scenario=scenario(), sessions=2)

    assert [round(each.duration, 3) for each in result.blocked_loop] == [0.3, 0.3]
    assert "Blocks.chat" in result.blocked_loop[0].place


def wsgi(environ: Message, start_response: Any) -> Iterator[bytes]:
    text = json.loads(environ["wsgi.input"].read())["message"]
    stream = OpenAI().chat.completions.create(**of(content=text), stream=True)
    start_response("200 OK", [("Content-Type", "text/plain")])
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content.encode()


def test_a_wsgi_application_runs_on_threads(lab: LabInTests, named: Serves) -> None:
    streamed = scenario("", "ttft_s = 0.2\ngap_s = 0.1")

    result = lab.run(named(wsgi, "wsgi"), scenario=streamed, sessions=4, strategy="threads")

    assert result.sessions.succeeded == 4
    assert result.makespan == 0.5
    assert set(result.first_outputs) == {0.2}
    assert result.model_requests.by_context == 4


def test_a_strategy_that_cannot_drive_a_service_is_not_applicable(
    lab: LabInTests, named: Serves
) -> None:
    for app, kind, strategy, reason in (
        (Service(), "asgi", "threads", "runs on an event loop"),
        (wsgi, "wsgi", "gather", "is plain code"),
    ):
        with pytest.raises(TrialError, match=reason):
            lab.run(named(app, kind), scenario=scenario(), sessions=1, strategy=strategy)


def test_a_startup_that_fails_ends_the_trial_with_its_message(
    lab: LabInTests, named: Serves
) -> None:
    class Fails(Service):
        async def lifespan(self, state: Message, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "OSError: no database"})

    with pytest.raises(TargetError, match="startup failed: OSError: no database"):
        lab.run(named(Fails()), scenario=scenario())

    # And the process is as it was: the next cell runs.
    assert lab.run(named(Service()), scenario=scenario(), sessions=1).sessions.succeeded == 1


def test_explored_no_order_of_events_breaks_a_service_that_is_right(
    lab: LabInTests, named: Serves
) -> None:
    found = lab.explore(named(Service()), schedules=2, scenario=scenario(), sessions=3)

    assert found.schedules == 2


def test_an_exploration_finds_what_requests_share(lab: LabInTests, named: Serves) -> None:
    class Shares(Service):
        async def chat(self, state: Message, text: str, send: Any) -> None:
            self.text = text
            await asyncio.sleep(POOL_S)
            await self.respond(send, (await self.ask(state, self.text)).encode())

    with pytest.raises(AssertionError, match="leak: text of one session"):
        lab.explore(named(Shares()), schedules=1, scenario=scenario(), sessions=2)


def test_what_runs_after_the_response_is_no_part_of_the_data_flow(named: Serves) -> None:
    background = scenario('path = "/background"')
    target = named(Service())
    spec = replace(spec_of(target, scenario=background, sessions=1), finds_data_flow=True)

    with prepared_here(spec, target) as measure:
        assert not isinstance(measure, NotApplicable)
        flow = measure().data_flow

    assert flow is not None
    assert [(node.kind, node.begin_ns) for node in flow.nodes] == [(FlowKind.MODEL, 0)]
