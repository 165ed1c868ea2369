"""The mistralai SDK in a loop."""

import asyncio
from typing import Any

from lab_tools import async_tools, both, declared, run_async, run_plain, sync_tools
from mistralai.client import Mistral

MODEL = "mistral-small-latest"


def build(lab: Any) -> Any:
    client = Mistral(api_key=lab.api_key)
    tools, plain = async_tools(lab), sync_tools(lab)
    schemas: Any = [declared(each) for each in tools.all]

    async def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            completion = await client.chat.complete_async(
                model=MODEL, messages=messages, tools=schemas
            )
            message = completion.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return str(message.content)
            calls = message.tool_calls
            results = await asyncio.gather(
                *(run_async(tools, call.function.name, call.function.arguments) for call in calls)
            )
            messages += [_result(*each) for each in zip(calls, results, strict=True)]

    def sync_session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            completion = client.chat.complete(model=MODEL, messages=messages, tools=schemas)
            message = completion.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return str(message.content)
            for call in message.tool_calls:
                result = run_plain(plain, call.function.name, call.function.arguments)
                messages.append(_result(call, result))

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    client = Mistral(api_key=lab.api_key)

    async def session(task: str) -> str:
        text = ""
        messages: Any = [{"role": "user", "content": task}]
        async for event in await client.chat.stream_async(model=MODEL, messages=messages):
            text += str(event.data.choices[0].delta.content or "")
        return text

    return session


def _result(call: Any, content: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": call.id, "content": content}
