"""The agent in a Starlette app: uvicorn agent_in_starlette:app

One agent for all requests; it is made and closed with the app, in the app's own event loop.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from warpbench.agent import Agent, TextDelta


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Agent]]:
    async with Agent(instructions="Answer in one sentence.") as agent:
        yield {"agent": agent}


async def ask(request: Request) -> PlainTextResponse:
    answer = await request.state.agent.chat_async(request.query_params["question"])
    return PlainTextResponse(answer.text)


async def tell(request: Request) -> StreamingResponse:
    async def texts() -> AsyncIterator[str]:
        # Should the reader go, Starlette cancels this, and the connection to the model closes.
        async with request.state.agent.stream_async(request.query_params["about"]) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    yield event.text

    return StreamingResponse(texts(), media_type="text/plain")


app = Starlette(routes=[Route("/ask", ask), Route("/tell", tell)], lifespan=lifespan)
