"""FastAPI as the target: each request of all that serves a request is its session's."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("fastapi")

import sys

from fastapi import BackgroundTasks, Depends, FastAPI, Request, Response
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from warpbench.bench.testing.pytest_plugin import LabInTests
from warpbench.mocks.scenario import Scenario, parse_scenario

MODEL_S = 0.5
OF_NOBODY = [{"role": "user", "content": "A text that names no session."}]


class Asked(BaseModel):
    message: str


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    async with AsyncOpenAI() as model:
        yield {"model": model, "sync_model": OpenAI()}


async def ask(request: Request) -> str:
    answer = await request.state.model.chat.completions.create(model="m", messages=OF_NOBODY)
    return str(answer.choices[0].message.content)


def ask_plainly(request: Request) -> str:
    create = request.state.sync_model.chat.completions.create
    return str(create(model="m", messages=OF_NOBODY).choices[0].message.content)


app = FastAPI(lifespan=lifespan)


@app.middleware("http")
async def timed(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    await asyncio.sleep(0.1)
    return await go_on(request)


@app.post("/handler")
async def handler(request: Request, asked: Asked) -> dict[str, str]:
    return {"answer": await ask(request) + asked.message}


@app.post("/dependency")
async def dependency(asked: Asked, answer: str = Depends(ask)) -> dict[str, str]:
    return {"answer": answer}


@app.post("/thread")
def thread(request: Request, asked: Asked) -> dict[str, str]:
    time.sleep(0.2)
    return {"answer": ask_plainly(request)}


@app.post("/plain-dependency")
async def plain_dependency(asked: Asked, answer: str = Depends(ask_plainly)) -> dict[str, str]:
    return {"answer": answer}


@app.post("/background")
async def background(asked: Asked, request: Request, tasks: BackgroundTasks) -> dict[str, str]:
    tasks.add_task(ask, request)
    tasks.add_task(ask_plainly, request)
    return {"answer": await ask(request)}


@app.post("/stream")
async def stream(asked: Asked, request: Request) -> StreamingResponse:
    async def texts() -> AsyncIterator[str]:
        yield "first "
        yield await ask(request)

    return StreamingResponse(texts(), media_type="text/plain")


@app.post("/plain-stream")
async def plain_stream(asked: Asked, request: Request) -> StreamingResponse:
    def texts() -> Iterator[str]:
        yield "first "
        yield ask_plainly(request)

    return StreamingResponse(texts(), media_type="text/plain")


@app.post("/raises")
async def raises(asked: Asked) -> dict[str, str]:
    raise OSError("no such database")


def scenario(path: str) -> Scenario:
    return parse_scenario(
        'name = "service"\ndescription = "A service."\nsessions = 10\n'
        f'[model]\nlatency_s = {MODEL_S}\n[[rounds]]\n[request]\npath = "{path}"\n'
    )


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> str:
    module = ModuleType("served")
    module.app = app  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "served", module)
    return "asgi:served:app"


@pytest.mark.parametrize(
    ("path", "calls", "first_output_s", "latency_s"),
    [
        ("/handler", 1, 0.6, 0.6),
        ("/dependency", 1, 0.6, 0.6),
        ("/thread", 1, 0.8, 0.8),
        ("/plain-dependency", 1, 0.6, 0.6),
        ("/background", 3, 0.6, 0.6),
        ("/stream", 1, 0.1, 0.6),
        ("/plain-stream", 1, 0.1, 0.6),
    ],
)
def test_each_request_is_booked_to_its_session_by_context(
    lab: LabInTests,
    target: str,
    path: str,
    calls: int,
    first_output_s: float,
    latency_s: float,
) -> None:
    result = lab.run(target, scenario=scenario(path), sessions=3)

    assert (result.errors, result.sessions.succeeded) == ((), 3)
    assert result.llm_calls == result.model_requests.by_context == 3 * calls
    assert [round(each, 9) for each in result.latencies] == [latency_s] * 3
    assert [round(each or 0, 9) for each in result.first_outputs] == [first_output_s] * 3


def test_an_error_of_a_handler_is_the_cause_of_the_failed_session(
    lab: LabInTests, target: str
) -> None:
    result = lab.run(target, scenario=scenario("/raises"), sessions=1)

    (error,) = result.errors
    assert "status 500" in error
    assert "OSError: no such database" in error


def test_a_request_that_the_application_refuses_fails_with_what_it_says(
    lab: LabInTests, target: str
) -> None:
    result = lab.run(target, scenario=scenario("/nowhere"), sessions=1)

    assert "status 404" in result.errors[0]
    assert "Not Found" in result.errors[0]
