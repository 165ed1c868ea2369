"""Targets with a tool of their own, which wait in the ways that people's tools do."""

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
from openai import AsyncOpenAI, OpenAI

TOOL_S = 0.25

_LOOK_UP: Any = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"type": "object"}},
}

Calls = Sequence[Any]
Build = Callable[[], Callable[[str], Any]]


def agent(run_tools: Callable[[Calls], Awaitable[object]]) -> Build:
    """An agent that runs the tools of an answer by a coroutine function."""

    def build() -> Callable[[str], Awaitable[str]]:
        client = AsyncOpenAI()

        async def session(task: str) -> str:
            messages: list[Any] = [{"role": "user", "content": task}]
            while True:
                completion = await client.chat.completions.create(
                    model="m", messages=messages, tools=[_LOOK_UP]
                )
                message = completion.choices[0].message
                if not message.tool_calls:
                    return message.content or ""
                await run_tools(message.tool_calls)
                messages += [message, *map(_result, message.tool_calls)]

        return session

    return build


def plain_agent(run_tools: Callable[[Calls], object]) -> Build:
    """The same in plain code."""

    def build() -> Callable[[str], str]:
        client = OpenAI()

        def session(task: str) -> str:
            messages: list[Any] = [{"role": "user", "content": task}]
            while True:
                completion = client.chat.completions.create(
                    model="m", messages=messages, tools=[_LOOK_UP]
                )
                message = completion.choices[0].message
                if not message.tool_calls:
                    return message.content or ""
                run_tools(message.tool_calls)
                messages += [message, *map(_result, message.tool_calls)]

        return session

    return build


def _result(call: Any) -> object:
    return {"role": "tool", "tool_call_id": call.id, "content": "found"}


async def sleeps() -> None:
    await asyncio.sleep(TOOL_S)


async def sleeps_by_anyio() -> None:
    await anyio.sleep(TOOL_S)


async def asks_for_three_pages() -> None:
    for _ in range(3):
        await sleeps()


def blocks() -> None:
    time.sleep(TOOL_S)


# ---- one after another -----------------------------------------------------------------


@agent
async def in_turn(calls: Calls) -> None:
    for _ in calls:
        await sleeps()


@agent
async def written_out(calls: Calls) -> None:
    for _ in calls:
        await asyncio.sleep(TOOL_S)


@agent
async def by_anyio(calls: Calls) -> None:
    for _ in calls:
        await sleeps_by_anyio()


@agent
async def with_a_timeout(calls: Calls) -> None:
    for _ in calls:
        await asyncio.wait_for(sleeps(), 5)


@agent
async def in_threads_in_turn(calls: Calls) -> None:
    for _ in calls:
        await asyncio.to_thread(blocks)


@agent
async def pages_in_turn(calls: Calls) -> None:
    for _ in calls:
        await asks_for_three_pages()


@plain_agent
def plainly_in_turn(calls: Calls) -> None:
    for _ in calls:
        blocks()


# ---- at once ---------------------------------------------------------------------------


@agent
async def at_once(calls: Calls) -> None:
    await asyncio.gather(*(sleeps() for _ in calls))


@agent
async def in_a_group(calls: Calls) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in calls:
            group.create_task(sleeps())


@agent
async def in_threads_at_once(calls: Calls) -> None:
    await asyncio.gather(*(asyncio.to_thread(blocks) for _ in calls))


@agent
async def pages_at_once(calls: Calls) -> None:
    await asyncio.gather(*(asks_for_three_pages() for _ in calls))


@plain_agent
def plainly_at_once(calls: Calls) -> None:
    with ThreadPoolExecutor(len(calls)) as pool:
        for found in [pool.submit(blocks) for _ in calls]:
            found.result()


@agent
async def one_of_two_tools_asks_for_three_pages(_calls: Calls) -> None:
    await asks_for_three_pages()


# ---- what is no order of tools ---------------------------------------------------------


@agent
async def blocking_the_loop(calls: Calls) -> None:
    for _ in calls:
        blocks()


@agent
async def one_at_a_time(calls: Calls) -> None:
    lock = asyncio.Lock()

    async def guarded() -> None:
        async with lock:
            await sleeps()

    await asyncio.gather(*(guarded() for _ in calls))


@agent
async def for_an_event(_calls: Calls) -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(TOOL_S, event.set)
    await event.wait()


@agent
async def for_a_queue(_calls: Calls) -> None:
    found: asyncio.Queue[str] = asyncio.Queue()
    asyncio.get_running_loop().call_later(TOOL_S, found.put_nowait, "found")
    await found.get()


_ONE_AT_A_TIME = threading.Lock()


@plain_agent
def plainly_for_a_lock(_calls: Calls) -> None:
    with _ONE_AT_A_TIME:
        blocks()


@plain_agent
def plainly_for_an_event(_calls: Calls) -> None:
    event = threading.Event()
    timer = threading.Timer(TOOL_S, event.set)
    timer.start()
    event.wait()
    timer.join()


@plain_agent
def plainly_for_a_queue(_calls: Calls) -> None:
    found: queue.Queue[str] = queue.Queue()
    timer = threading.Timer(TOOL_S, found.put, ("found",))
    timer.start()
    found.get()
    timer.join()
