"""The openai SDK in a loop."""

import asyncio
from typing import Any

from lab_tools import async_tools, both, declared, run_async, run_plain, sync_tools
from openai import AsyncOpenAI, OpenAI

MODEL = "gpt-4o-mini"


def build(lab: Any) -> Any:
    client = OpenAI()
    plain = sync_tools(lab)
    schemas: list[Any] = [declared(each) for each in plain.all]

    def sync_session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            completion = client.chat.completions.create(
                model=MODEL, messages=messages, tools=schemas
            )
            message = completion.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return message.content or ""
            calls: list[Any] = message.tool_calls
            for call in calls:
                result = run_plain(plain, call.function.name, call.function.arguments)
                messages.append(_result(call, result))

    return both(_session(lab, _whole), sync_session)


def build_stream(lab: Any) -> Any:
    return _session(lab, _streamed)


def _session(lab: Any, answer: Any) -> Any:
    client = AsyncOpenAI()
    tools = async_tools(lab)
    schemas = [declared(each) for each in tools.all]

    async def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            message = await answer(client, model=MODEL, messages=messages, tools=schemas)
            messages.append(message)
            if not message.tool_calls:
                return message.content or ""
            calls: list[Any] = message.tool_calls
            results = await asyncio.gather(
                *(run_async(tools, call.function.name, call.function.arguments) for call in calls)
            )
            messages += [_result(*each) for each in zip(calls, results, strict=True)]

    return session


async def _whole(client: AsyncOpenAI, **asked: Any) -> Any:
    return (await client.chat.completions.create(**asked)).choices[0].message


async def _streamed(client: AsyncOpenAI, **asked: Any) -> Any:
    async with client.chat.completions.stream(**asked) as stream:
        async for _event in stream:
            pass
        return (await stream.get_final_completion()).choices[0].message


def _result(call: Any, content: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": call.id, "content": content}
