"""Small agents whose sessions leave something behind, each with its repaired twin."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from warpbench.bench.results.left_behind import LeftKind
from warpbench.bench.targets.loading import Lab

from ..isolation.leaking import asked, asked_plainly, asynchronous, plain, user

Build = Callable[[Lab], Any]
MANY = 1_000
"""So many permits are enough for all; so many seconds are more than any trial takes."""


class Leaving(NamedTuple):
    """What is left behind, and how that is repaired.

    Attributes:
        buggy: The agent that leaves it.
        repaired: The same without it.
        kind: What is left.
        what: Its name.
        function: The function with the place that is told, without what it is nested in; empty if
            no place is known.
        strategies: What drives the sessions.
    """

    buggy: Build
    repaired: Build
    kind: LeftKind
    what: str
    function: str
    strategies: tuple[str, ...] = ("gather",)


async def ticks_for_ever() -> None:
    while True:  # noqa: ASYNC110 - so do refreshers
        await asyncio.sleep(7)


def task_left_running(lab: Lab) -> Any:
    """Each session starts a task, and does not end it."""
    client = asynchronous(lab)
    tasks: list[asyncio.Task[None]] = []

    async def session(task: str) -> str:
        tasks.append(asyncio.create_task(ticks_for_ever()))
        return await asked(client, [user(task)])

    return session


def task_ended(lab: Lab) -> Any:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        ticks = asyncio.create_task(ticks_for_ever())
        try:
            return await asked(client, [user(task)])
        finally:
            ticks.cancel()

    return session


def heartbeat_in_a_thread(lab: Lab) -> Any:
    """Each session starts a thread, and does not tell it to end."""
    client = plain(lab)

    def session(task: str) -> str:
        is_over = threading.Event()

        def beat() -> None:
            is_over.wait(MANY)

        threading.Thread(target=beat, daemon=True).start()
        return asked_plainly(client, [user(task)])

    return session


def heartbeat_ended(lab: Lab) -> Any:
    client = plain(lab)

    def session(task: str) -> str:
        is_over = threading.Event()

        def beat() -> None:
            is_over.wait(MANY)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            return asked_plainly(client, [user(task)])
        finally:
            is_over.set()
            thread.join()

    return session


def pool_of_each(lab: Lab) -> Any:
    """Each session has a pool of threads, and does not shut it down."""
    client = plain(lab)
    pools: list[ThreadPoolExecutor] = []

    def session(task: str) -> str:
        pool = ThreadPoolExecutor(2)
        pools.append(pool)
        answers = [pool.submit(asked_plainly, client, [user(task)]) for _ in range(2)]
        return answers[0].result() and answers[1].result()

    return session


def pool_of_all(lab: Lab) -> Any:
    client = plain(lab)
    pools: list[ThreadPoolExecutor] = []

    def session(task: str) -> str:
        if not pools:
            pools.append(ThreadPoolExecutor(MANY))
        answers = [pools[0].submit(asked_plainly, client, [user(task)]) for _ in range(2)]
        return answers[0].result() and answers[1].result()

    return session


def stuck_in_a_dropped_pool(lab: Lab) -> Any:
    """The pool is dropped, and its thread waits long for something that never comes."""
    client = plain(lab)

    def session(task: str) -> str:
        ThreadPoolExecutor(1).submit(threading.Event().wait, MANY)
        return asked_plainly(client, [user(task)])

    return session


def permit_lost(lab: Lab) -> Any:
    """A permit is taken, and not given back."""
    client = asynchronous(lab)
    permits = asyncio.Semaphore(MANY)

    async def session(task: str) -> str:
        await permits.acquire()
        return await asked(client, [user(task)])

    return session


def permit_given_back(lab: Lab) -> Any:
    client = asynchronous(lab)
    permits = asyncio.BoundedSemaphore(MANY)

    async def session(task: str) -> str:
        async with permits:
            return await asked(client, [user(task)])

    return session


def permit_lost_in_threads(lab: Lab) -> Any:
    client = plain(lab)
    permits = threading.BoundedSemaphore(MANY)

    def session(task: str) -> str:
        permits.acquire()
        return asked_plainly(client, [user(task)])

    return session


def permit_given_back_in_threads(lab: Lab) -> Any:
    client = plain(lab)
    permits = threading.BoundedSemaphore(MANY)

    def session(task: str) -> str:
        with permits:
            return asked_plainly(client, [user(task)])

    return session


PERMITS_OF_THE_MODULE = threading.Semaphore(MANY)


def permit_of_the_module_lost(lab: Lab) -> Any:
    """The permit is one of a semaphore that is there before the trial."""
    client = plain(lab)

    def session(task: str) -> str:
        PERMITS_OF_THE_MODULE.acquire()
        return asked_plainly(client, [user(task)])

    return session


def lock_of_each_user_held(lab: Lab) -> Any:
    """Each user has a lock, which the session takes and keeps."""
    client = asynchronous(lab)
    locks: dict[str, asyncio.Lock] = {}

    async def session(task: str) -> str:
        await locks.setdefault(task, asyncio.Lock()).acquire()
        return await asked(client, [user(task)])

    return session


def lock_of_each_user_freed(lab: Lab) -> Any:
    client = asynchronous(lab)
    locks: dict[str, asyncio.Lock] = {}

    async def session(task: str) -> str:
        async with locks.setdefault(task, asyncio.Lock()):
            return await asked(client, [user(task)])

    return session


def client_of_each(lab: Lab) -> Any:
    """Each session has a client, which is kept and not closed."""
    clients: dict[str, Any] = {}

    async def session(task: str) -> str:
        clients[task] = asynchronous(lab)
        return await asked(clients[task], [user(task)])

    return session


def client_of_each_closed(lab: Lab) -> Any:
    clients: dict[str, Any] = {}

    async def session(task: str) -> str:
        async with asynchronous(lab) as clients[task]:
            return await asked(clients[task], [user(task)])

    return session


def client_of_each_thread_session(lab: Lab) -> Any:
    clients: dict[str, Any] = {}

    def session(task: str) -> str:
        clients[task] = plain(lab)
        return asked_plainly(clients[task], [user(task)])

    return session


def client_of_all_thread_sessions(lab: Lab) -> Any:
    clients: list[Any] = []

    def session(task: str) -> str:
        if not clients:
            clients.append(plain(lab))
        return asked_plainly(clients[0], [user(task)])

    return session


def stream_left_open(lab: Lab) -> Any:
    """Of a streamed answer the first piece is read, and the rest is not."""
    client = asynchronous(lab)
    streams: list[Any] = []

    async def session(task: str) -> str:
        messages: list[Any] = [user(task)]
        stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
        streams.append(stream)
        async for _ in stream:
            break
        return "begun"

    return session


def stream_closed(lab: Lab) -> Any:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        messages: list[Any] = [user(task)]
        stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
        async with stream:
            async for _ in stream:
                break
        return "begun"

    return session


def stream_left_open_in_threads(lab: Lab) -> Any:
    client = plain(lab)
    streams: list[Any] = []

    def session(task: str) -> str:
        messages: list[Any] = [user(task)]
        stream = client.chat.completions.create(model="m", messages=messages, stream=True)
        streams.append(stream)
        next(iter(stream))
        return "begun"

    return session


def stream_closed_in_threads(lab: Lab) -> Any:
    client = plain(lab)

    def session(task: str) -> str:
        messages: list[Any] = [user(task)]
        with client.chat.completions.create(model="m", messages=messages, stream=True) as stream:
            next(iter(stream))
        return "begun"

    return session


async def fails() -> None:
    await asyncio.sleep(0.1)
    raise LookupError("no such customer")


def failure_unseen(lab: Lab) -> Any:
    """A task that nobody awaits fails."""
    client = asynchronous(lab)

    async def session(task: str) -> str:
        audit = asyncio.create_task(fails())
        answer = await asked(client, [user(task)])
        return answer if audit.done() else ""

    return session


def failure_seen(lab: Lab) -> Any:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        audit = asyncio.create_task(fails())
        try:
            return await asked(client, [user(task)])
        finally:  # also of a session that is cancelled on its way
            await asyncio.wait([audit])
            audit.exception()

    return session


async def writes_log(_task: str) -> None:
    await asyncio.sleep(0.1)


def await_forgotten(lab: Lab) -> Any:
    """A coroutine is made, and not awaited."""
    client = asynchronous(lab)

    async def session(task: str) -> str:
        writes_log(task)  # type: ignore[unused-coroutine]
        return await asked(client, [user(task)])

    return session


def awaited(lab: Lab) -> Any:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        await writes_log(task)
        return await asked(client, [user(task)])

    return session


def refresher(lab: Lab) -> Any:
    """One task for all sessions, which the first of them starts."""
    client = asynchronous(lab)
    tasks: list[asyncio.Task[None]] = []

    async def session(task: str) -> str:
        if not tasks:
            tasks.append(asyncio.create_task(ticks_for_ever()))
        return await asked(client, [user(task)])

    return session


def client_of_all(lab: Lab) -> Any:
    """One client for all sessions, which the first of them makes; nobody closes it."""
    clients: list[Any] = []

    async def session(task: str) -> str:
        if not clients:
            clients.append(asynchronous(lab))
        return await asked(clients[0], [user(task)])

    return session


def helpers_of_the_loop(lab: Lab) -> Any:
    """Runs plain code in the threads of the loop."""
    client = plain(lab)

    async def session(task: str) -> str:
        return await asyncio.to_thread(asked_plainly, client, [user(task)])

    return session


TASK, THREAD, PERMIT, CLIENT, STREAM, EXCEPTION, COROUTINE = LeftKind
PLAIN = ("threads", "executor", "sync")
LEAVINGS = {
    "task": Leaving(task_left_running, task_ended, TASK, "ticks_for_ever", "ticks_for_ever"),
    "thread": Leaving(
        heartbeat_in_a_thread,
        heartbeat_ended,
        THREAD,
        "heartbeat_in_a_thread.<locals>.session.<locals>.beat",
        "session",
        PLAIN,
    ),
    "pool": Leaving(pool_of_each, pool_of_all, THREAD, "ThreadPoolExecutor", "session", PLAIN),
    "stuck in a pool": Leaving(
        stuck_in_a_dropped_pool, pool_of_all, THREAD, "ThreadPoolExecutor", "session", PLAIN
    ),
    "permit": Leaving(permit_lost, permit_given_back, PERMIT, "asyncio.Semaphore", "permit_lost"),
    "permit in threads": Leaving(
        permit_lost_in_threads,
        permit_given_back_in_threads,
        PERMIT,
        "threading.BoundedSemaphore",
        "permit_lost_in_threads",
        PLAIN,
    ),
    "permit of the module": Leaving(
        permit_of_the_module_lost,
        permit_given_back_in_threads,
        PERMIT,
        "threading.Semaphore",
        "PERMITS_OF_THE_MODULE",
        PLAIN,
    ),
    "lock": Leaving(
        lock_of_each_user_held, lock_of_each_user_freed, PERMIT, "asyncio.Lock", "session"
    ),
    "client": Leaving(
        client_of_each,
        client_of_each_closed,
        CLIENT,
        "openai.AsyncHttpxClientWrapper",
        "asynchronous",
    ),
    "client in threads": Leaving(
        client_of_each_thread_session,
        client_of_all_thread_sessions,
        CLIENT,
        "openai.SyncHttpxClientWrapper",
        "plain",
        PLAIN,
    ),
    "stream": Leaving(stream_left_open, stream_closed, STREAM, "model call", "session"),
    "stream in threads": Leaving(
        stream_left_open_in_threads,
        stream_closed_in_threads,
        STREAM,
        "model call",
        "session",
        PLAIN,
    ),
    "exception": Leaving(failure_unseen, failure_seen, EXCEPTION, "fails: LookupError", "fails"),
    "coroutine": Leaving(await_forgotten, awaited, COROUTINE, "writes_log", "writes_log"),
}
HEALTHY = {
    "refresher": refresher,
    "client of all": client_of_all,
    "helpers of the loop": helpers_of_the_loop,
}
