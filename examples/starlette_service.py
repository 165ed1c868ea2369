"""A Starlette service whose answers are plain text, as it comes from the model.

warpbench run service.toml --target asgi:starlette_service:app --strategy gather
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from openai import AsyncOpenAI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, AsyncOpenAI]]:
    async with AsyncOpenAI() as model:
        yield {"model": model}


async def chat(request: Request) -> StreamingResponse:
    asked = await request.json()

    async def texts() -> AsyncIterator[str]:
        stream = await request.state.model.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": asked["message"]}],
            stream=True,
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return StreamingResponse(texts(), media_type="text/plain")


app = Starlette(routes=[Route("/chat", chat, methods=["POST"])], lifespan=lifespan)
