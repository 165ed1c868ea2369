"""The agent as a web service: tasks, chats that stream, and its health.

    uvicorn --factory warpbench.agent.frontends.web:app_from_environment

Each request is a conversation of its own. When a client disconnects, its work is cancelled.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any, TypeVar

if find_spec("fastapi") is None:
    raise ImportError("the web service needs fastapi: pip install 'warpbench[web]'")

import openai
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field

from ..agent import Agent
from ..drivers.coroutines import as_coroutine
from ..errors import AgentError, SessionTimeoutError
from ..messages import Finished, StreamEvent, TaskResult, TextDelta, ToolStarted

T = TypeVar("T")
_GATEWAY_TIMEOUT = 504
_BAD_GATEWAY = 502
_SERVER_ERROR = 500
_CLIENT_HUNG_UP = 499


class Task(BaseModel):
    """The body of a request to ``/execute_task``."""

    model_config = ConfigDict(extra="forbid")

    task: str = Field(min_length=1, description="What to do.")
    max_iterations: int = Field(10, ge=1, le=100, description="Calls of the model it may take.")


class Message(BaseModel):
    """The body of a request to ``/chat``."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(min_length=1, description="What the user says.")


def create_app(agent: Agent, *, close_agent: bool = False) -> FastAPI:
    """Return the service of an agent.

    ``POST /execute_task`` works on a task and answers with the fields of ``TaskResult``
    (times in seconds). ``POST /chat`` answers as server-sent events: ``text``,
    ``tool_started``, ``tool_ended``, then ``answer`` or ``error``, each with JSON. ``GET
    /health`` returns the agent's counters. An error is ``{"error": …}`` in one line, with 504
    for a timeout, 502 for an error of the model's API, and 422 for bad input.

    Args:
        agent: The agent to serve; its async methods are used.
        close_agent: Whether the service closes the agent at its end.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            if close_agent:
                await agent.aclose()

    app = FastAPI(title="warpbench agent", lifespan=lifespan)

    @app.post("/execute_task")
    async def execute_task(task: Task, request: Request) -> Any:
        work = agent.arun(task.task, max_iterations=task.max_iterations)
        result: TaskResult | None = await _unless_hung_up(request, work)
        # The client has disconnected, so nobody reads this answer.
        return JSONResponse({}, _CLIENT_HUNG_UP) if result is None else asdict(result)

    @app.post("/chat", response_class=EventSourceResponse)
    async def chat(message: Message) -> AsyncIterator[ServerSentEvent]:
        try:
            async with agent.stream_async(message.message) as events:
                async for event in events:
                    yield _encode(event)
        except (AgentError, openai.APIError) as error:
            _, text = _explain(error)
            yield ServerSentEvent(event="error", data={"error": text})

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "counters": asdict(agent.counters)}

    async def failed(_request: Request, error: Exception) -> JSONResponse:
        status, text = _explain(error)
        return JSONResponse({"error": text}, status)

    app.add_exception_handler(AgentError, failed)
    app.add_exception_handler(openai.APIError, failed)
    return app


def app_from_environment() -> FastAPI:
    """Return the service of an agent without tools, with a client made from the environment."""
    return create_app(Agent(), close_agent=True)


async def _unless_hung_up(request: Request, work: Awaitable[T]) -> T | None:
    """Do the work, or cancel it and return ``None`` if the client disconnects."""

    async def hung_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    async with _unwrapped(), asyncio.TaskGroup() as group:
        working = group.create_task(as_coroutine(work))
        watching = group.create_task(hung_up())
        await asyncio.wait([working, watching], return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        watching.cancel()
    return None if working.cancelled() else working.result()


@asynccontextmanager
async def _unwrapped() -> AsyncIterator[None]:
    """Raise the only error of a group of tasks as it is."""
    try:
        yield
    except ExceptionGroup as group:
        raise group.exceptions[0] from group.exceptions[0].__cause__


def _encode(event: StreamEvent) -> ServerSentEvent:
    if isinstance(event, TextDelta):
        return ServerSentEvent(event="text", data={"text": event.text})
    if isinstance(event, ToolStarted):
        return ServerSentEvent(event="tool_started", data=asdict(event.call))
    if isinstance(event, Finished):
        return ServerSentEvent(event="answer", data=asdict(event.answer))
    return ServerSentEvent(event="tool_ended", data=asdict(event.result))


def _explain(error: Exception) -> tuple[int, str]:
    """Return a status and one line, without text of the API, which may contain the key."""
    if isinstance(error, SessionTimeoutError | openai.APITimeoutError):
        return _GATEWAY_TIMEOUT, "the agent took too long"
    if isinstance(error, openai.APIStatusError):
        return _BAD_GATEWAY, f"the model's API refused with status {error.status_code}"
    if isinstance(error, openai.APIError):
        return _BAD_GATEWAY, "the model's API cannot be reached, or does not keep to its protocol"
    return _SERVER_ERROR, f"{type(error).__name__}: {error}"
