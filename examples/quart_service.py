"""A Quart service whose answers are plain text, as it comes from the model.

warpbench run service.toml --target asgi:quart_service:app --strategy gather
"""

from collections.abc import AsyncIterator

from openai import AsyncOpenAI
from quart import Quart, Response, request

app = Quart(__name__)
models: list[AsyncOpenAI] = []


@app.while_serving
async def model_is_open() -> AsyncIterator[None]:
    async with AsyncOpenAI() as model:
        models.append(model)
        yield
        models.remove(model)


@app.post("/chat")
async def chat() -> Response:
    asked = await request.get_json()

    async def texts() -> AsyncIterator[str]:
        stream = await models[-1].chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": asked["message"]}],
            stream=True,
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return Response(texts(), mimetype="text/plain")
