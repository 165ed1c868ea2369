"""An agent that knows nothing of the lab: the openai SDK in a loop, tools of its own."""

import asyncio
import json
from typing import Any

from openai import AsyncOpenAI, OpenAI


def function(name: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS: list[Any] = [function("forecast"), function("population")]


async def forecast(city: str) -> str:
    await asyncio.sleep(0.1)
    return f"sun over {city}"


def population(city: str) -> str:
    return f"{len(city)} million"


def build() -> Any:
    client = AsyncOpenAI()

    async def call(name: str, arguments: dict[str, Any]) -> str:
        return await forecast(**arguments) if name == "forecast" else population(**arguments)

    async def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            completion = await client.chat.completions.create(
                model="gpt-4o-mini", messages=messages, tools=TOOLS
            )
            message = completion.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return message.content or ""
            calls = [one.function for one in message.tool_calls if one.type == "function"]
            results = await asyncio.gather(
                *(call(one.name, json.loads(one.arguments)) for one in calls)
            )
            for one, result in zip(message.tool_calls, results, strict=True):
                messages.append({"role": "tool", "tool_call_id": one.id, "content": result})

    return session


def build_without_tools() -> Any:
    """A plain function, and no tools declared: the first answer is final."""
    client = OpenAI()

    def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        completion = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        return completion.choices[0].message.content or ""

    return session
