"""The google-genai SDK, which runs tools by itself."""

from typing import Any

from google import genai
from google.genai import types
from lab_tools import async_tools, both, sync_tools

MODEL = "gemini-2.5-flash"


def build(lab: Any) -> Any:
    client = genai.Client(api_key=lab.api_key)

    async def session(task: str) -> str:
        config = types.GenerateContentConfig(tools=async_tools(lab).all)
        answer = await client.aio.models.generate_content(model=MODEL, contents=task, config=config)
        return str(answer.text)

    def sync_session(task: str) -> str:
        config = types.GenerateContentConfig(tools=sync_tools(lab).all)
        return str(client.models.generate_content(model=MODEL, contents=task, config=config).text)

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    client = genai.Client(api_key=lab.api_key)

    async def session(task: str) -> str:
        text = ""
        async for chunk in await client.aio.models.generate_content_stream(
            model=MODEL, contents=task
        ):
            text += chunk.text or ""
        return text

    return session
