"""Agents that send calls of tools and results that do not match, each with its repaired twin.

The real API refuses such a request, and no text of a session reaches another.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from warpbench.bench.targets.loading import Lab

from ..isolation.leaking import asynchronous, user

PATIENCE_S = 0.11
"""Longer than the tool of the scenario usually takes."""

Build = Callable[[Lab], Any]
ResultsOf = Callable[[list[Any]], Awaitable[list[dict[str, str]]]]
"""Runs calls of tools, and returns the messages with what came of them."""


class Pair(NamedTuple):
    """A mistake, and how it is repaired."""

    buggy: Build
    repaired: Build


def result_of(call: Any, output: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": call.id, "content": output}


def agent(lab: Lab, results_of: ResultsOf) -> Any:
    """Ask the model until it asks for no more tools."""
    client = asynchronous(lab)
    (tool,) = (each for each in lab.offered if each.name == "weather")
    function: Any = {"name": tool.name, "parameters": dict(tool.parameters)}
    tools: Any = [{"type": "function", "function": function}]

    async def session(task: str) -> str:
        messages: list[Any] = [user(task)]
        while True:
            answer = await client.chat.completions.create(model="m", messages=messages, tools=tools)
            message: Any = answer.choices[0].message
            if not message.tool_calls:
                return str(message.content)
            messages += [message, *await results_of(message.tool_calls)]

    return session


def run_by(lab: Lab) -> Callable[[Any], Awaitable[dict[str, str]]]:
    (tool,) = (each for each in lab.offered if each.name == "weather")

    async def run(call: Any) -> dict[str, str]:
        output: Any = tool.function(**json.loads(call.function.arguments))
        return result_of(call, await output)

    return run


def results_by_order(lab: Lab) -> Any:
    """One queue brings the results of all sessions, and each takes the next for its own."""
    run = run_by(lab)
    results: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    running: set[asyncio.Task[None]] = set()

    async def work(call: Any) -> None:
        await results.put(await run(call))

    async def results_of(calls: list[Any]) -> list[dict[str, str]]:
        running.update(asyncio.create_task(work(call)) for call in calls)
        return [await results.get() for _ in calls]

    return agent(lab, results_of)


def results_by_id(lab: Lab) -> Any:
    run = run_by(lab)
    results: dict[str, asyncio.Future[dict[str, str]]] = {}
    running: set[asyncio.Task[None]] = set()

    async def work(call: Any) -> None:
        result = await run(call)
        if not results[call.id].done():
            results[call.id].set_result(result)

    async def results_of(calls: list[Any]) -> list[dict[str, str]]:
        for call in calls:
            results[call.id] = asyncio.get_running_loop().create_future()
        running.update(asyncio.create_task(work(call)) for call in calls)
        return [await results[call.id] for call in calls]

    return agent(lab, results_of)


def late_results_left_out(lab: Lab) -> Any:
    """What is not there in time is left out of the history, and its call stays in."""
    run = run_by(lab)

    async def results_of(calls: list[Any]) -> list[dict[str, str]]:
        running = [asyncio.ensure_future(run(call)) for call in calls]
        done, _ = await asyncio.wait(running, timeout=PATIENCE_S)
        return [await each for each in running if each in done]

    return agent(lab, results_of)


def late_results_told(lab: Lab) -> Any:
    run = run_by(lab)

    async def results_of(calls: list[Any]) -> list[dict[str, str]]:
        running = [asyncio.ensure_future(run(call)) for call in calls]
        done, _ = await asyncio.wait(running, timeout=PATIENCE_S)
        return [
            await each if each in done else result_of(call, "There is no result yet.")
            for call, each in zip(calls, running, strict=True)
        ]

    return agent(lab, results_of)


PAIRS = {
    "results by order": Pair(results_by_order, results_by_id),
    "late results": Pair(late_results_left_out, late_results_told),
}
