"""Agents in which one user's text reaches another, each with its repaired twin."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from openai import AsyncOpenAI, OpenAI
from warpbench.bench.targets.loading import Lab

Session = Callable[[str], Any]
Build = Callable[[Lab], Session]


class Case(NamedTuple):
    """A mistake, and how it is repaired.

    Attributes:
        buggy: The agent with the mistake.
        repaired: The same without it.
        strategy: A strategy under which the mistake shows.
        in_answer: Whether it shows in the answer of a session, and not in a request.
    """

    buggy: Build
    repaired: Build
    strategy: str
    in_answer: bool


async def asked(client: AsyncOpenAI, messages: list[Any]) -> str:
    answer = await client.chat.completions.create(model="m", messages=messages)
    return answer.choices[0].message.content or ""


def asked_plainly(client: OpenAI, messages: list[Any]) -> str:
    answer = client.chat.completions.create(model="m", messages=messages)
    return answer.choices[0].message.content or ""


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def asynchronous(lab: Lab) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url)


def plain(lab: Lab) -> OpenAI:
    return OpenAI(api_key=lab.api_key, base_url=lab.base_url)


def shared_history(lab: Lab) -> Session:
    client = asynchronous(lab)
    history: list[Any] = []

    async def session(task: str) -> str:
        history.append(user(task))
        history.append(assistant(await asked(client, list(history))))
        return str(history[-1]["content"])

    return session


def own_history(lab: Lab) -> Session:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        history = [user(task)]
        history.append(assistant(await asked(client, history)))
        return history[-1]["content"]

    return session


class Manager:
    """A process-wide object whose task each call overwrites."""

    task = ""


def overwritten_singleton(lab: Lab) -> Session:
    client = asynchronous(lab)
    manager = Manager()

    async def session(task: str) -> str:
        manager.task = task
        await asyncio.sleep(0.01)
        return await asked(client, [user(manager.task)])

    return session


def own_object(lab: Lab) -> Session:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        manager = Manager()
        manager.task = task
        await asyncio.sleep(0.01)
        return await asked(client, [user(manager.task)])

    return session


def cache_with_the_wrong_key(lab: Lab) -> Session:
    client = asynchronous(lab)
    kept: dict[str, str] = {}

    async def session(task: str) -> str:
        about = "the task"
        if about not in kept:
            kept[about] = await asked(client, [user(task)])
        return kept[about]

    return session


def cache_by_task(lab: Lab) -> Session:
    client = asynchronous(lab)
    kept: dict[str, str] = {}

    async def session(task: str) -> str:
        if task not in kept:
            kept[task] = await asked(client, [user(task)])
        return kept[task]

    return session


def notes_of_all(lab: Lab) -> Session:
    """A second question with the notes of whoever wrote last."""
    client = asynchronous(lab)
    notes: dict[str, str] = {}

    async def session(task: str) -> str:
        notes["last"] = await asked(client, [user(task)])
        await asyncio.sleep(0.5)
        return await asked(client, [user(f"{task} Notes: {notes['last']}")])

    return session


def own_notes(lab: Lab) -> Session:
    client = asynchronous(lab)
    notes: dict[str, str] = {}

    async def session(task: str) -> str:
        notes[task] = await asked(client, [user(task)])
        await asyncio.sleep(0.5)
        return await asked(client, [user(f"{task} Notes: {notes[task]}")])

    return session


CURRENT: contextvars.ContextVar[str] = contextvars.ContextVar("current")


def context_lost_in_a_pool(lab: Lab) -> Session:
    """A pool's thread keeps the context, here a thread's own value, of whom it served first."""
    client = plain(lab)
    pool = ThreadPoolExecutor(2)
    kept: dict[int, str] = {}

    def work(task: str) -> str:
        import threading  # noqa: PLC0415 - as such code does

        mine = kept.setdefault(threading.get_ident(), task)
        return asked_plainly(client, [user(f"{task} For: {mine}")])

    async def session(task: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(pool, work, task)

    return session


def context_carried_to_a_pool(lab: Lab) -> Session:
    client = plain(lab)
    pool = ThreadPoolExecutor(2)

    def work() -> str:
        return asked_plainly(client, [user(f"{CURRENT.get()} For: {CURRENT.get()}")])

    async def session(task: str) -> str:
        CURRENT.set(task)
        carried = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(pool, carried, work)

    return session


def plain_shared_history(lab: Lab) -> Session:
    client = plain(lab)
    history: list[Any] = []

    def session(task: str) -> str:
        history.append(user(task))
        return asked_plainly(client, list(history))

    return session


def plain_own_history(lab: Lab) -> Session:
    client = plain(lab)

    def session(task: str) -> str:
        return asked_plainly(client, [user(task)])

    return session


def answers_by_order(lab: Lab) -> Session:
    """A batcher whose answers go to who waits longest, not to who asked."""
    client = asynchronous(lab)
    waiting: list[asyncio.Future[str]] = []

    async def work(task: str) -> None:
        answer = await asked(client, [user(task)])
        waiting.pop().set_result(answer)

    async def session(task: str) -> str:
        answer = asyncio.get_running_loop().create_future()
        waiting.append(answer)
        _, found = await asyncio.gather(work(task), answer)
        return str(found)

    return session


def answers_by_task(lab: Lab) -> Session:
    client = asynchronous(lab)
    waiting: dict[str, asyncio.Future[str]] = {}

    async def work(task: str) -> None:
        waiting.pop(task).set_result(await asked(client, [user(task)]))

    async def session(task: str) -> str:
        answer = waiting[task] = asyncio.get_running_loop().create_future()
        _, found = await asyncio.gather(work(task), answer)
        return str(found)

    return session


CASES = {
    "shared history": Case(shared_history, own_history, "gather", in_answer=False),
    "singleton": Case(overwritten_singleton, own_object, "gather", in_answer=True),
    "wrong key": Case(cache_with_the_wrong_key, cache_by_task, "gather", in_answer=True),
    "notes of all": Case(notes_of_all, own_notes, "taskgroup", in_answer=False),
    "pool": Case(context_lost_in_a_pool, context_carried_to_a_pool, "gather", in_answer=False),
    "plain history": Case(plain_shared_history, plain_own_history, "threads", in_answer=False),
    "order": Case(answers_by_order, answers_by_task, "workers", in_answer=True),
}
