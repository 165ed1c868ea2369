"""litellm in a loop."""

import asyncio
from typing import Any

import litellm
from lab_tools import async_tools, both, declared, run_async, run_plain, sync_tools

MODEL = "gpt-4o-mini"


def build(lab: Any) -> Any:
    tools, plain = async_tools(lab), sync_tools(lab)
    schemas = [declared(each) for each in tools.all]

    async def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            completion: Any = await litellm.acompletion(
                model=MODEL, messages=messages, tools=schemas
            )
            message = completion.choices[0].message
            messages.append(message.model_dump())
            if not message.tool_calls:
                return str(message.content)
            results = await asyncio.gather(
                *(
                    run_async(tools, call.function.name, call.function.arguments)
                    for call in message.tool_calls
                )
            )
            messages += [_result(*each) for each in zip(message.tool_calls, results, strict=True)]

    def sync_session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            completion: Any = litellm.completion(model=MODEL, messages=messages, tools=schemas)
            message = completion.choices[0].message
            messages.append(message.model_dump())
            if not message.tool_calls:
                return str(message.content)
            for call in message.tool_calls:
                result = run_plain(plain, call.function.name, call.function.arguments)
                messages.append(_result(call, result))

    return both(session, sync_session)


def build_stream(lab: Any) -> Any:
    tools = async_tools(lab)
    schemas = [declared(each) for each in tools.all]

    async def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            stream: Any = await litellm.acompletion(
                model=MODEL, messages=messages, tools=schemas, stream=True
            )
            chunks = [chunk async for chunk in stream]
            completion: Any = litellm.stream_chunk_builder(chunks, messages=messages)
            message = completion.choices[0].message
            messages.append(message.model_dump())
            if not message.tool_calls:
                return str(message.content)
            results = await asyncio.gather(
                *(
                    run_async(tools, call.function.name, call.function.arguments)
                    for call in message.tool_calls
                )
            )
            messages += [_result(*each) for each in zip(message.tool_calls, results, strict=True)]

    return session


def _result(call: Any, content: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": call.id, "content": content}
