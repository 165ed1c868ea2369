"""The openai SDK in a loop."""

import asyncio
from typing import Any

from lab_tools import async_tools, both, declared, run_async, run_plain, sync_tools
from openai import AsyncOpenAI, OpenAI

MODEL = "gpt-4o-mini"


def build(lab: Any) -> Any:
    client, async_client = OpenAI(), AsyncOpenAI()
    tools, plain = async_tools(lab), sync_tools(lab)
    schemas: list[Any] = [declared(each) for each in tools.all]

    async def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            completion = await async_client.chat.completions.create(
                model=MODEL, messages=messages, tools=schemas
            )
            message = completion.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return message.content or ""
            calls: list[Any] = message.tool_calls
            results = await asyncio.gather(
                *(run_async(tools, call.function.name, call.function.arguments) for call in calls)
            )
            messages += [_result(*each) for each in zip(calls, results, strict=True)]

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

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    client = AsyncOpenAI()
    tools = async_tools(lab)
    schemas: list[Any] = [declared(each) for each in tools.all]

    async def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            async with client.chat.completions.stream(
                model=MODEL, messages=messages, tools=schemas
            ) as stream:
                async for _event in stream:
                    pass
                message = (await stream.get_final_completion()).choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return message.content or ""
            calls: list[Any] = message.tool_calls
            results = await asyncio.gather(
                *(run_async(tools, call.function.name, call.function.arguments) for call in calls)
            )
            messages += [_result(*each) for each in zip(calls, results, strict=True)]

    return session


def _result(call: Any, content: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": call.id, "content": content}
