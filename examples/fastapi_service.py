"""A FastAPI service as many are written: streamed answers, a pool of five connections, work behind.

The lab drives it in-process, in skipped time; `service.toml` says what a user asks:

    warpbench run service.toml --target asgi:fastapi_service:app --strategy gather
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Request
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from starlette.background import BackgroundTask

MODEL = "gpt-4o-mini"
CONNECTIONS = 5


class Database:
    """A database behind a pool of connections; here it is asked over HTTP, so that it is mocked."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.connections = asyncio.Semaphore(CONNECTIONS)

    async def query(self, statement: str) -> Any:
        async with self.connections:
            response = await self.http.post("https://database.example.com/", json=statement)
        return response.raise_for_status().json()


class ChatRequest(BaseModel):
    message: str
    user: str


class Summary(BaseModel):
    answer: str


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    async with AsyncOpenAI() as model, httpx.AsyncClient() as http:
        yield {"model": model, "database": Database(http), "sync_model": OpenAI()}


app = FastAPI(lifespan=lifespan)


async def history_of(chat: ChatRequest, request: Request) -> Any:
    return await request.state.database.query(f"select … where user = {chat.user}")


@app.post("/chat")
async def chat(
    chat: ChatRequest, request: Request, history: Annotated[Any, Depends(history_of)]
) -> StreamingResponse:
    state = request.state

    async def events() -> AsyncIterator[str]:
        messages = [*history, {"role": "user", "content": chat.message}]
        stream = await state.model.chat.completions.create(
            model=MODEL, messages=messages, stream=True
        )
        async for chunk in stream:
            text = chunk.choices[0].delta.content if chunk.choices else None
            if text:
                yield f"data: {text}\n\n"

    async def save_with_title() -> None:
        title = await state.model.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": f"A title for: {chat.message}"}]
        )
        await state.database.query(f"insert … {title.choices[0].message.content}")

    return StreamingResponse(
        events(), media_type="text/event-stream", background=BackgroundTask(save_with_title)
    )


@app.post("/summary")
def summary(chat: ChatRequest, request: Request) -> Summary:
    """Runs in one of the forty threads that FastAPI has for plain functions."""
    answer = request.state.sync_model.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": chat.message}]
    )
    return Summary(answer=answer.choices[0].message.content)
