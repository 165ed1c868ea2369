"""Small agents with a mistake around a call: a pool, a callback, a retry, a clean-up.

Each stands before its repaired twin. ``corpus`` says what each mistake shows as.
"""

import asyncio
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import anyio
from warpbench.bench.targets.loading import Lab

from ..isolation.leaking import asked, asked_plainly, asynchronous, plain, user
from .tasks import number_of, team_of

USER: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="")


def context_of_the_thread(lab: Lab) -> Any:
    """``run_in_executor`` does not carry the context: a thread keeps what was set in it first."""
    client = plain(lab)
    pool = ThreadPoolExecutor(2)

    def ask(task: str) -> str:
        if not USER.get():
            USER.set(task)
        return asked_plainly(client, [user(f"{task} For {USER.get()}")])

    async def session(task: str) -> str:
        USER.set(task)
        return await asyncio.get_running_loop().run_in_executor(pool, ask, task)

    return session


def context_of_the_session(lab: Lab) -> Any:
    client = plain(lab)
    pool = ThreadPoolExecutor(2)

    def ask(task: str) -> str:
        if not USER.get():
            USER.set(task)
        return asked_plainly(client, [user(f"{task} For {USER.get()}")])

    async def session(task: str) -> str:
        USER.set(task)
        work = partial(contextvars.copy_context().run, ask, task)
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    return session


def lock_of_another_loop(lab: Lab) -> Any:
    """Each thread runs a loop of its own, and all of them share a lock that is one loop's."""
    lock = asyncio.Lock()

    async def work(task: str) -> str:
        async with asynchronous(lab) as client:
            async with lock:
                return await asked(client, [user(task)])

    return SimpleNamespace(sync_session=lambda task: asyncio.run(work(task)))


def lock_of_each_loop(lab: Lab) -> Any:
    lock = threading.Lock()

    async def work(task: str) -> str:
        async with asynchronous(lab) as client:
            with lock:  # nobody else waits on this loop
                return await asked(client, [user(task)])

    return SimpleNamespace(sync_session=lambda task: asyncio.run(work(task)))


def queue_of_another_loop(lab: Lab) -> Any:
    """A pool of clients is a queue that belongs to whichever loop waited for it first."""
    free: asyncio.Queue[int] = asyncio.Queue()
    for number in range(2):
        free.put_nowait(number)

    async def work(task: str) -> str:
        number = await free.get()
        try:
            async with asynchronous(lab) as client:
                return await asked(client, [user(task)])
        finally:
            free.put_nowait(number)

    return SimpleNamespace(sync_session=lambda task: asyncio.run(work(task)))


def queue_of_all_threads(lab: Lab) -> Any:
    free = threading.Semaphore(2)

    async def work(task: str) -> str:
        async with asynchronous(lab) as client:
            return await asked(client, [user(task)])

    def session(task: str) -> str:
        with free:
            return asyncio.run(work(task))

    return SimpleNamespace(sync_session=session)


def tool_messages(task: str, result: str) -> list[Any]:
    function = {"name": "look_up", "arguments": "{}"}
    call = {"id": "call_1", "type": "function", "function": function}
    return [
        user(task),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": result},
    ]


def results_by_completion(lab: Lab) -> Any:
    """Tools put their results into one queue, where the next one to wait takes the first."""
    client = asynchronous(lab)
    results: asyncio.Queue[str] = asyncio.Queue()

    async def look_up(task: str) -> None:
        results.put_nowait(await asked(client, [user(f"{task} Look it up.")]))

    async def session(task: str) -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(look_up(task))
            result = await results.get()
        return await asked(client, tool_messages(task, result))

    return session


def results_by_id(lab: Lab) -> Any:
    client = asynchronous(lab)
    results: dict[str, str] = {}

    async def look_up(task: str) -> None:
        results[task] = await asked(client, [user(f"{task} Look it up.")])

    async def session(task: str) -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(look_up(task))
        return await asked(client, tool_messages(task, results.pop(task)))

    return session


class Desk:
    """Books, one at a time, what it was asked to, whether or not anybody still waits for it.

    Args:
        lab: Where it asks.
        patience_s: How long a client waits before it asks once more.
        books_once: Whether it knows a request that it was sent before.
    """

    def __init__(self, lab: Lab, patience_s: float, *, books_once: bool) -> None:
        self._client = asynchronous(lab)
        self._patience_s = patience_s
        self._books_once = books_once
        self._turn = asyncio.Lock()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self.bookings: list[str] = []

    async def _book(self, task: str) -> None:
        async with self._turn:
            await asked(self._client, [user(f"{task} Book it.")])
            self.bookings.append(number_of(task))

    async def booked(self, task: str) -> None:
        if task not in self._under_way or not self._books_once:
            self._under_way[task] = asyncio.create_task(self._book(task))
        booking = asyncio.shield(self._under_way[task])
        try:
            async with asyncio.timeout(self._patience_s):
                await booking
        except TimeoutError:
            await self.booked(task)

    def agent(self) -> Any:
        async def session(task: str) -> str:
            await self.booked(task)
            return number_of(task)

        return SimpleNamespace(
            session=session, check=lambda _, answer: self.bookings.count(answer) == 1
        )


def booked_twice(lab: Lab) -> Any:
    """A client that waits for its turn too long asks again, and its first request is done too."""
    return Desk(lab, 2.4, books_once=False).agent()


def booked_once(lab: Lab) -> Any:
    return Desk(lab, 2.4, books_once=True).agent()


class Line:
    """A connection on which a streamed answer arrives piece by piece."""

    def __init__(self, lab: Lab) -> None:
        self._client = asynchronous(lab)
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._reading: asyncio.Task[None] | None = None

    async def _read(self, task: str) -> None:
        stream = await self._client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": task}], stream=True
        )
        async for chunk in stream:
            self._pieces.put_nowait(chunk.choices[0].delta.content or "")
        self._pieces.put_nowait(None)

    async def answered(self, task: str) -> str:
        self._reading = asyncio.create_task(self._read(task))
        answer = ""
        while (piece := await self._pieces.get()) is not None:
            answer += piece
        return answer

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        await self._client.close()


def half_read_stream(lab: Lab) -> Any:
    """Who is cancelled gives its connection back: the rest of its answer is the next one's."""
    lines: asyncio.Queue[Line] = asyncio.Queue()
    lines.put_nowait(Line(lab))

    async def session(task: str) -> str:
        line = await lines.get()
        try:
            return await line.answered(task)
        finally:
            lines.put_nowait(line)

    return session


def dropped_stream(lab: Lab) -> Any:
    lines: asyncio.Queue[Line] = asyncio.Queue()
    lines.put_nowait(Line(lab))

    async def session(task: str) -> str:
        line = await lines.get()
        try:
            return await line.answered(task)
        except asyncio.CancelledError:
            await line.close()
            line = Line(lab)
            raise
        finally:
            lines.put_nowait(line)

    return session


async def unknown_to_some(task: str) -> None:
    """Look up a user: those with an even number are not known."""
    await asyncio.sleep(0.1)
    if int(number_of(task)) % 2 == 0:
        raise LookupError(task)


def siblings_go_on(lab: Lab) -> Any:
    """``gather`` ends with the first that fails, and the other still writes into the slot."""
    client = asynchronous(lab)
    slots: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    slots.put_nowait({})

    async def prepare(slot: dict[str, str], task: str) -> None:
        slot["plan"] = await asked(client, [user(f"{task} Make a plan.")])

    async def session(task: str) -> str:
        slot = await slots.get()
        try:
            with suppress(LookupError):
                await asyncio.gather(unknown_to_some(task), prepare(slot, task))
                await asyncio.sleep(0.2)
                return await asked(client, [user(f"{task} {slot['plan']}")])
        finally:
            slots.put_nowait(slot)
        return await asked(client, [user(task)])

    return session


def siblings_are_awaited(lab: Lab) -> Any:
    client = asynchronous(lab)
    slots: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    slots.put_nowait({})

    async def prepare(slot: dict[str, str], task: str) -> None:
        slot["plan"] = await asked(client, [user(f"{task} Make a plan.")])

    async def session(task: str) -> str:
        slot = await slots.get()
        try:
            known, _ = await asyncio.gather(
                unknown_to_some(task), prepare(slot, task), return_exceptions=True
            )
            await asyncio.sleep(0.2)
            if known is None:
                return await asked(client, [user(f"{task} {slot['plan']}")])
        finally:
            slots.put_nowait(slot)
        return await asked(client, [user(task)])

    return session


def unfinished_clean_up(lab: Lab) -> Any:
    """A time limit strikes again at the first await of the clean-up: the permit is never back."""
    client = asynchronous(lab)
    permits: asyncio.Queue[int] = asyncio.Queue()
    permits.put_nowait(1)

    async def session(task: str) -> str:
        permit = await permits.get()
        with anyio.move_on_after(0.55):
            try:
                return await asked(client, [user(task)])
            finally:
                await asyncio.sleep(0.001)  # tells a service, say
                permits.put_nowait(permit)
        return await asked(client, [user(task)])

    return session


def finished_clean_up(lab: Lab) -> Any:
    client = asynchronous(lab)
    permits: asyncio.Queue[int] = asyncio.Queue()
    permits.put_nowait(1)

    async def session(task: str) -> str:
        permit = await permits.get()
        with anyio.move_on_after(0.55):
            try:
                return await asked(client, [user(task)])
            finally:
                permits.put_nowait(permit)
                await asyncio.sleep(0.001)
        return await asked(client, [user(task)])

    return session


def released_twice(lab: Lab) -> Any:
    """Who is cancelled gives two permits back: from then on two are at the board together."""
    client = asynchronous(lab)
    board: list[str] = []
    permits = asyncio.Semaphore(1)

    async def session(task: str) -> str:
        await permits.acquire()
        try:
            board[:] = [task]
            await asyncio.sleep(0.1)
            return await asked(client, [user(f"{task} Board: {board[0]}")])
        except asyncio.CancelledError:
            permits.release()
            raise
        finally:
            permits.release()

    return session


def released_once(lab: Lab) -> Any:
    client = asynchronous(lab)
    board: list[str] = []
    permits = asyncio.Semaphore(1)

    async def session(task: str) -> str:
        async with permits:
            board[:] = [task]
            await asyncio.sleep(0.1)
            return await asked(client, [user(f"{task} Board: {board[0]}")])

    return session


def store_of_two(lab: Lab) -> Any:
    """Two threads find no history of their team, and the one overwrites that of the other."""
    client = plain(lab)
    histories: dict[int, list[str]] = {}

    def session(task: str) -> str:
        team = team_of(task)
        history = histories.get(team)
        if history is None:
            time.sleep(0.01)  # looks for it in a database
            history = histories[team] = []
        history.append(number_of(task))
        asked_plainly(client, [user(task)])
        return number_of(task)

    return SimpleNamespace(
        sync_session=session, check=lambda task, answer: answer in histories[team_of(task)]
    )


def store_of_one(lab: Lab) -> Any:
    client = plain(lab)
    histories: dict[int, list[str]] = {}
    lock = threading.Lock()

    def session(task: str) -> str:
        team = team_of(task)
        with lock:
            if team not in histories:
                time.sleep(0.01)
                histories[team] = []
            histories[team].append(number_of(task))
        asked_plainly(client, [user(task)])
        return number_of(task)

    return SimpleNamespace(
        sync_session=session, check=lambda task, answer: answer in histories[team_of(task)]
    )


CURRENT_SESSION: dict[str, list[str]] = {}


def note_in_the_current(answering: asyncio.Task[str]) -> None:
    if not answering.cancelled():
        CURRENT_SESSION["notes"].append(answering.result())


def noted_in(notes: list[str], answering: asyncio.Task[str]) -> None:
    if not answering.cancelled():
        notes.append(answering.result())


def current_session(lab: Lab) -> Any:
    """A callback notes an answer in the session that the module says is the current one."""
    client = asynchronous(lab)

    async def session(task: str) -> str:
        notes = CURRENT_SESSION["notes"] = [""]
        answering = asyncio.create_task(asked(client, [user(task)]))
        answering.add_done_callback(note_in_the_current)
        await answering
        await asyncio.sleep(0.1)
        return await asked(client, [user(f"{task} Notes: {notes[-1]}")])

    return session


def session_of_the_callback(lab: Lab) -> Any:
    client = asynchronous(lab)

    async def session(task: str) -> str:
        notes = [""]
        answering = asyncio.create_task(asked(client, [user(task)]))
        answering.add_done_callback(partial(noted_in, notes))
        await answering
        await asyncio.sleep(0.1)
        return await asked(client, [user(f"{task} Notes: {notes[-1]}")])

    return session
