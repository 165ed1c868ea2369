"""instructor: a round of tools, then a report in the shape of a model of pydantic.

The report is a tool that the model is forced to call.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import instructor
from lab_tools import Tools, async_tools, both, declared, run_async, run_plain, sync_tools
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

MODEL = "gpt-4o-mini"


class Report(BaseModel):
    """What the model is to answer with."""

    title: str
    score: int


def build(lab: Any) -> Any:
    client = instructor.from_openai(OpenAI())
    async_client = instructor.from_openai(AsyncOpenAI())
    tools, plain = async_tools(lab), sync_tools(lab)
    schemas = _declared(plain)

    async def session(task: str) -> str:
        messages = await _looked_up(async_client, tools, task)
        return str(
            await async_client.chat.completions.create(
                model=MODEL, response_model=Report, messages=messages
            )
        )

    def sync_session(task: str) -> str:
        messages: Any = [{"role": "user", "content": task}]
        completion = client.chat.completions.create(
            model=MODEL, response_model=None, messages=messages, tools=schemas
        )
        asked = completion.choices[0].message
        results = [
            run_plain(plain, each.function.name, each.function.arguments)
            for each in asked.tool_calls
        ]
        messages += _answered(asked, results)
        return str(
            client.chat.completions.create(model=MODEL, response_model=Report, messages=messages)
        )

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    client = instructor.from_openai(AsyncOpenAI())
    tools = async_tools(lab)

    async def session(task: str) -> str:
        messages = await _looked_up(client, tools, task)
        last: object = None
        async for partial in client.chat.completions.create_partial(
            model=MODEL, response_model=Report, messages=messages
        ):
            last = partial
        return str(last)

    return session


async def _looked_up(client: Any, tools: Tools, task: str) -> Any:
    """Return the messages up to the results of the tools that the model asked for."""
    messages: Any = [{"role": "user", "content": task}]
    completion = await client.chat.completions.create(
        model=MODEL, response_model=None, messages=messages, tools=_declared(tools)
    )
    asked = completion.choices[0].message
    calls = [each.function for each in asked.tool_calls]
    results = await asyncio.gather(*(run_async(tools, each.name, each.arguments) for each in calls))
    return messages + _answered(asked, results)


def _declared(tools: Tools) -> Any:
    return [declared(each) for each in tools.all]


def _answered(asked: Any, results: Sequence[str]) -> Any:
    """Return a model's message with the results of its tool calls."""
    return [
        asked.model_dump(include={"role", "content", "tool_calls"}),
        *(
            {"role": "tool", "tool_call_id": call.id, "content": result}
            for call, result in zip(asked.tool_calls, results, strict=True)
        ),
    ]
