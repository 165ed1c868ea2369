"""Who waits for a thread of a full pool waits for *admission*: in every mode, whosever the pool."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import pytest
from openai import AsyncOpenAI
from warpbench.bench.results.time_parts import TimeParts, mean_parts
from warpbench.bench.targets.loading import Lab
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of
from warpbench.mocks.scenario import Scenario, parse_scenario

TWO_TOOLS = parse_scenario("""
    name = "two-tools"
    description = "A tool that is awaited, beside one that blocks and takes longer."
    sessions = 3
    [model]
    latency_s = 1.0
    [tools.search]
    description = "Searches."
    kind = "async"
    latency_s = 0.1
    [tools.look_up]
    description = "Looks something up."
    kind = "blocking"
    latency_s = 0.5
    [[rounds]]
    tools = [{ tool = "search" }, { tool = "look_up" }]
    [[rounds]]
""")

InThread = Callable[[Callable[[], str]], Awaitable[str]]


def own_pool() -> InThread:
    pool = ThreadPoolExecutor(1)
    return lambda function: asyncio.get_running_loop().run_in_executor(pool, function)


def default_executor() -> InThread:
    executor = ThreadPoolExecutor(1)

    async def in_thread(function: Callable[[], str]) -> str:
        asyncio.get_running_loop().set_default_executor(executor)
        return await asyncio.to_thread(function)

    return in_thread


def anyios_limiter() -> InThread:
    made: list[anyio.CapacityLimiter] = []

    async def in_thread(function: Callable[[], str]) -> str:
        if not made:
            made.append(anyio.CapacityLimiter(1))
        return await anyio.to_thread.run_sync(function, limiter=made[0])

    return in_thread


OLDER = ThreadPoolExecutor(1)


def older_pool() -> InThread:
    return lambda function: asyncio.get_running_loop().run_in_executor(OLDER, function)


POOLS = pytest.mark.parametrize("pool", [own_pool, default_executor, anyios_limiter, older_pool])


def target(pool: Callable[[], InThread]) -> Callable[[Lab], Any]:
    @asynccontextmanager
    async def build(lab: Lab) -> AsyncIterator[Any]:
        in_thread, tools = pool(), {tool.name: tool for tool in lab.tools}
        declared: Any = [
            {"type": "function", "function": {"name": name, "parameters": dict(tool.parameters)}}
            for name, tool in tools.items()
        ]

        async def called(call: Any) -> Any:
            tool, arguments = tools[call.function.name], json.loads(call.function.arguments)
            if asyncio.iscoroutinefunction(tool.function):
                content = await tool.function(**arguments)
            else:
                content = await in_thread(partial(tool.sync_function, **arguments))
            return {"role": "tool", "tool_call_id": call.id, "content": content}

        async with AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url) as client:

            async def session(task: str) -> str:
                messages: list[Any] = [{"role": "user", "content": task}]
                while True:
                    answer = await client.chat.completions.create(
                        model="m", messages=messages, tools=declared
                    )
                    message = answer.choices[0].message
                    if not message.tool_calls:
                        return "done"
                    results = await asyncio.gather(*map(called, message.tool_calls))
                    messages += [message, *results]

            yield session

    return build


def ran(pool: Callable[[], InThread], clock: str, scenario: Scenario = TWO_TOOLS) -> LabResult:
    build = target(pool)
    OLDER.submit(bool).result()  # its thread is there before the scope
    spec = spec_of(build, scenario=scenario, sessions=3, concurrency=3, clock=clock)
    result = run_cell(spec, build)
    assert result.errors == ()
    return result


@POOLS
def test_it_is_exact_in_virtual(pool: Callable[[], InThread]) -> None:
    assert ran(pool, "virtual").time_parts == tuple(
        # The other tool takes 0.1 s of each wait; with a thread, both would have run meanwhile.
        TimeParts(llm=2.0, tool=0.5, admission=waited_s)
        for waited_s in (0.0, 0.5, 1.0)
    )


@POOLS
def test_it_is_told_in_warp(pool: Callable[[], InThread]) -> None:
    parts = mean_parts(ran(pool, "warp").time_parts)

    # Of 1.3 s; the rest is what a busy machine adds to a session's own way.
    assert parts.admission * 3 > 1.0
    assert parts.remainder < 0.1
