"""The bare SDK loop, as people write it: what any agent is compared with."""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from openai import (
    DEFAULT_CONNECTION_LIMITS,
    AsyncOpenAI,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    OpenAI,
)

from .loading import Lab, Target
from .openai_tools import declaration


def build(lab: Lab) -> Target:  # noqa: C901 - both loops in one place, as people write them
    """Return both forms of the loop over the lab's tools."""
    by_name = {tool.name: tool for tool in lab.tools}
    declared: list[Any] = [declaration(tool) for tool in lab.tools]
    pool = ThreadPoolExecutor(lab.tool_workers)
    # The SDK's own client sends at most 1,000 requests at one time.
    make_limits = type(DEFAULT_CONNECTION_LIMITS)  # of httpx, or in later versions of httpx2
    limits = make_limits(max_connections=None, max_keepalive_connections=100)
    client = AsyncOpenAI(
        api_key=lab.api_key,
        base_url=lab.base_url,
        http_client=lab.async_http_client() or DefaultAsyncHttpxClient(limits=limits),
    )
    sync_client = OpenAI(
        api_key=lab.api_key, base_url=lab.base_url, http_client=DefaultHttpxClient(limits=limits)
    )

    async def call_async(call: Any) -> str:
        tool, arguments = by_name[call.function.name], json.loads(call.function.arguments)
        if inspect.iscoroutinefunction(tool.function):
            function = cast("Callable[..., Awaitable[str]]", tool.function)
            return await function(**arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, lambda: tool.sync_function(**arguments))

    async def session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            completion = await client.chat.completions.create(
                model=lab.model, messages=messages, tools=declared
            )
            message = completion.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return message.content or ""
            results = await asyncio.gather(*(call_async(call) for call in message.tool_calls))
            for call, result in zip(message.tool_calls, results, strict=True):
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    def call_sync(call: Any) -> str:
        arguments = json.loads(call.function.arguments)
        return by_name[call.function.name].sync_function(**arguments)

    def sync_session(task: str) -> str:
        messages: list[Any] = [{"role": "user", "content": task}]
        while True:
            completion = sync_client.chat.completions.create(
                model=lab.model, messages=messages, tools=declared
            )
            message = completion.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return message.content or ""
            results = list(pool.map(call_sync, message.tool_calls))
            for call, result in zip(message.tool_calls, results, strict=True):
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    return Target(session=session, sync_session=sync_session)
