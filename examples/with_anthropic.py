"""The anthropic SDK in a loop: an agent on another API, which knows nothing of the lab."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from anthropic import AsyncAnthropic

Tools = dict[str, tuple[dict[str, Any], Callable[..., Awaitable[str]]]]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


async def forecast(city: str) -> str:
    await asyncio.sleep(0.1)
    return f"sun over {city}"


async def population(city: str) -> str:
    return f"{len(city)} million"


def build() -> Any:
    return _session({"forecast": (CITY, forecast), "population": (CITY, population)})


def build_with_lab(lab: Any) -> Any:
    """Build the same agent over the lab's mocked tools."""
    return _session({tool.name: (dict(tool.parameters), _called(tool)) for tool in lab.tools})


def _called(tool: Any) -> Callable[..., Awaitable[str]]:
    async def call(**arguments: Any) -> str:
        if tool.kind == "async":
            return await tool.function(**arguments)
        return await asyncio.to_thread(tool.sync_function, **arguments)

    return call


def _session(tools: Tools) -> Any:
    client = AsyncAnthropic()
    declared: list[Any] = [
        {"name": name, "description": name, "input_schema": schema}
        for name, (schema, _) in tools.items()
    ]

    async def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            message = await client.messages.create(
                model="claude-sonnet-4-5", max_tokens=1024, messages=messages, tools=declared
            )
            calls = [block for block in message.content if block.type == "tool_use"]
            if not calls:
                return "".join(block.text for block in message.content if block.type == "text")
            results = await asyncio.gather(*(tools[call.name][1](**call.input) for call in calls))
            messages.append({"role": "assistant", "content": message.content})
            answers = [
                {"type": "tool_result", "tool_use_id": call.id, "content": result}
                for call, result in zip(calls, results, strict=True)
            ]
            messages.append({"role": "user", "content": answers})

    return session
