"""The loop that people write without an agent: the yardstick for what ours costs."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from openai import AsyncOpenAI

ToolFunctions = Mapping[str, Callable[..., Awaitable[str]]]


async def run(
    client: AsyncOpenAI, task: str, tools: Sequence[Any], functions: ToolFunctions
) -> str:
    messages: list[Any] = [{"role": "user", "content": task}]
    while True:
        completion = await client.chat.completions.create(
            model="gpt-4o-mini", messages=messages, tools=tools
        )
        message = completion.choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message)
        results = await asyncio.gather(
            *(
                functions[call.function.name](**json.loads(call.function.arguments))
                for call in message.tool_calls
                if call.type == "function"
            )
        )
        for call, result in zip(message.tool_calls, results, strict=True):
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
