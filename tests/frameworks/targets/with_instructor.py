"""instructor: an answer in the shape of a model of pydantic, by a tool that is forced."""

from typing import Any

import instructor
from lab_tools import both
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

MODEL = "gpt-4o-mini"


class Report(BaseModel):
    """What the model is to answer with."""

    title: str
    score: int


def build() -> Any:
    client, async_client = instructor.from_openai(OpenAI()), instructor.from_openai(AsyncOpenAI())

    async def session(task: str) -> str:
        messages: Any = [{"role": "user", "content": task}]
        return str(
            await async_client.chat.completions.create(
                model=MODEL, response_model=Report, messages=messages
            )
        )

    def sync_session(task: str) -> str:
        messages: Any = [{"role": "user", "content": task}]
        return str(
            client.chat.completions.create(model=MODEL, response_model=Report, messages=messages)
        )

    return both(session, sync_session)


def build_stream() -> Any:
    client = instructor.from_openai(AsyncOpenAI())

    async def session(task: str) -> str:
        messages: Any = [{"role": "user", "content": task}]
        last: object = None
        async for partial in client.chat.completions.create_partial(
            model=MODEL, response_model=Report, messages=messages
        ):
            last = partial
        return str(last)

    return session
