"""Agents that share on purpose, and mix nobody's text."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from warpbench.bench.targets.loading import Lab

from .leaking import Session, asked, asynchronous, user

Build = Callable[[Lab], Session]


def tool_cache(lab: Lab) -> Session:
    """One result of a tool for all who ask the same."""
    client = asynchronous(lab)
    tool = {each.name: each for each in lab.offered}["weather"]
    function: dict[str, Any] = {"name": tool.name, "parameters": dict(tool.parameters)}
    kept: dict[str, str] = {}

    async def session(task: str) -> str:
        messages: list[Any] = [user(task)]
        tools: Any = [{"type": "function", "function": function}]
        answer = await client.chat.completions.create(model="m", messages=messages, tools=tools)
        message: Any = answer.choices[0].message
        messages.append(message)
        for call in message.tool_calls:
            arguments = json.loads(call.function.arguments)
            if "Vienna" not in kept:
                kept["Vienna"] = await tool.function(**arguments)  # type: ignore[misc]
            result = {"role": "tool", "tool_call_id": call.id, "content": kept["Vienna"]}
            messages.append(result)
        return await asked(client, messages)

    return session


def single_flight(lab: Lab) -> Session:
    """One request with a public question under way, for all who need its answer."""
    client = asynchronous(lab)
    flights: dict[str, asyncio.Task[str]] = {}

    async def session(task: str) -> str:
        question = "What is new in Vienna?"
        if question not in flights:
            flights[question] = asyncio.create_task(asked(client, [user(question)]))
        news = await asyncio.shield(flights[question])
        return await asked(client, [user(f"{task} News: {news}")])

    return session


def embedding_batcher(lab: Lab) -> Session:
    """Embeds the texts of several sessions in one request."""
    client = asynchronous(lab)
    batch: list[tuple[str, asyncio.Future[list[float]]]] = []

    async def flush() -> None:
        await asyncio.sleep(0.01)
        taken, batch[:] = list(batch), []
        texts = [text for text, _ in taken]
        found = await client.embeddings.create(model="e", input=texts)
        for (_, vector), each in zip(taken, found.data, strict=True):
            if not vector.done():
                vector.set_result(each.embedding)

    async def session(task: str) -> str:
        vector: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        batch.append((task, vector))
        flushing = asyncio.create_task(flush()) if len(batch) == 1 else None
        await vector
        if flushing is not None:
            await flushing
        return await asked(client, [user(task)])

    return session


def queue_worker(lab: Lab) -> Session:
    """A worker that the first session starts, and that asks for all, one by one."""
    client = asynchronous(lab)
    work: asyncio.Queue[tuple[str, asyncio.Future[str]]] = asyncio.Queue()
    workers: list[asyncio.Task[None]] = []

    async def serve() -> None:
        while True:
            task, answer = await work.get()
            found = await asked(client, [user(task)])
            if not answer.done():
                answer.set_result(found)

    async def session(task: str) -> str:
        if not workers:
            workers.append(asyncio.create_task(serve()))
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await work.put((task, answer))
        return await answer

    return session


def lazy_refresher(lab: Lab) -> Session:
    """A task that the first session starts, and that renews what all read."""
    client = asynchronous(lab)
    news = [""]
    refreshers: list[asyncio.Task[None]] = []

    async def refresh() -> None:
        while True:
            news[0] = await asked(client, [user("What is new?")])
            await asyncio.sleep(0.3)

    async def session(task: str) -> str:
        if not refreshers:
            refreshers.append(asyncio.create_task(refresh()))
        answer = await asked(client, [user(task)])
        return await asked(client, [user(f"{task} {answer} News: {news[0]}")])

    return session


def knowledge_store(lab: Lab) -> Session:
    """A store that each session adds a public fact to, and reads."""
    client = asynchronous(lab)
    facts: list[str] = []

    async def session(task: str) -> str:
        facts.append(await asked(client, [user(f"Tell fact {len(facts)} of Vienna.")]))
        return await asked(client, [user(f"{task} Known: {' '.join(facts)}")])

    return session


SHARERS: dict[str, Build] = {
    each.__name__: each
    for each in (
        tool_cache,
        single_flight,
        embedding_batcher,
        queue_worker,
        lazy_refresher,
        knowledge_store,
    )
}
