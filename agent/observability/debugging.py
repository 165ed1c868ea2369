"""Finds what blocks an event loop, and shows what its tasks are waiting for.

    async with debugging() as debug:
        await agent.chat_async("…")
        print(debug.task_tree())

A thread sends heartbeats to the loop. If the loop does not answer one in time, the thread takes
the stack of the loop's thread, which shows the blocking code. This is meant for finding a fault:
each heartbeat wakes the loop, and each task records which task created it.
"""

import asyncio
import gc
import logging
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import CoroutineType, FrameType
from typing import Any
from weakref import WeakKeyDictionary

from ..errors import SettingsError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BlockedLoop:
    """An event loop that ran nothing else for a while; as a string, a message.

    Attributes:
        task: Name of the blocking task; empty if a callback blocked.
        blocked_s: Seconds that the loop was blocked: in a report until the report, which does not
            wait for the end; in ``Debugger.blocked`` until the loop continued.
        stack: Where the loop's thread was, the innermost call last.
    """

    task: str
    blocked_s: float
    stack: str

    def __str__(self) -> str:
        by = f"by task {self.task!r} " if self.task else ""
        return f"the event loop was blocked {by}for {self.blocked_s:.3f} s, here:\n{self.stack}"


class Debugger:
    """The result of ``debugging``: the blocks found so far, and the tree of tasks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._makers: WeakKeyDictionary[asyncio.Task[Any], asyncio.Task[Any]] = WeakKeyDictionary()
        self.blocked: list[BlockedLoop] = []

    def task_tree(self) -> str:
        """Show the live tasks of the loop, each below the task that created it.

        A line shows a task's name and the innermost line of code at which the task waits. Tasks
        that are older than the debugging stand at the top.
        """
        made = {task: number for number, task in enumerate(self._makers)}
        tasks = sorted(
            asyncio.all_tasks(self._loop), key=lambda task: (made.get(task, -1), task.get_name())
        )
        children: dict[asyncio.Task[Any] | None, list[asyncio.Task[Any]]] = {}
        for task in tasks:
            maker = self._makers.get(task)
            children.setdefault(maker if maker in tasks else None, []).append(task)
        lines: list[str] = []

        def show(task: asyncio.Task[Any], indent: str) -> None:
            lines.append(f"{indent}{_name(task)}: {_where(task)}")
            for child in children.get(task, ()):
                show(child, indent + "    ")

        for task in children.get(None, ()):
            show(task, "")
        return "\n".join(lines)

    def noting_makers(self) -> Callable[..., asyncio.Future[Any]]:
        """Return a task factory that records which task created which."""
        make = self._loop.get_task_factory()

        def factory(
            loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
        ) -> asyncio.Future[Any]:
            made: asyncio.Future[Any] = (
                asyncio.Task(coroutine, loop=loop, **options)
                if make is None
                else make(loop, coroutine, **options)
            )
            try:
                maker = asyncio.current_task(loop)
            except RuntimeError:
                maker = None
            if maker is not None and isinstance(made, asyncio.Task):
                self._makers[made] = maker
            return made

        return factory


@asynccontextmanager
async def debugging(
    blocked_after_s: float = 0.1, report: Callable[[BlockedLoop], None] | None = None
) -> AsyncIterator[Debugger]:
    """Watch the running event loop for as long as the block lasts.

    Args:
        blocked_after_s: Seconds without a sign of life after which the loop counts as blocked.
        report: Called with each block, in a thread of its own; by default logs a warning.

    Raises:
        SettingsError: ``blocked_after_s`` is not above 0.
    """
    if not blocked_after_s > 0:
        raise SettingsError(f"blocked_after_s is {blocked_after_s}; expected more than 0 seconds")
    loop = asyncio.get_running_loop()
    debugger = Debugger(loop)
    watch = _Watch(loop, blocked_after_s, debugger.blocked, report or _log)
    factory = loop.get_task_factory()
    loop.set_task_factory(debugger.noting_makers())
    watch.start()
    try:
        yield debugger
    finally:
        loop.set_task_factory(factory)
        watch.stop()


def _log(blocked: BlockedLoop) -> None:
    _LOG.warning("%s", blocked)


class _Watch:
    """The thread that looks at the loop's heart."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        blocked_after_s: float,
        found: list[BlockedLoop],
        report: Callable[[BlockedLoop], None],
    ) -> None:
        self._loop = loop
        self._loop_thread = threading.get_ident()
        self._blocked_after_s = blocked_after_s
        self._found = found
        self._report = report
        self._over = threading.Event()
        self._alive = threading.Event()
        self._thread = threading.Thread(target=self._run, name="debugging", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._alive.set()  # or it would wait for a sign of life that cannot come meanwhile
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            alive = self._alive = threading.Event()
            asked_s = time.monotonic()
            self._loop.call_soon_threadsafe(alive.set)
            if self._over.is_set():
                return  # stopped just before: nobody would set the new one
            if not self._in_time(alive):
                self._note(alive, asked_s)
            # As often again: a shorter pause would find no shorter block.
            self._over.wait(self._blocked_after_s)

    def _in_time(self, alive: threading.Event) -> bool:
        return alive.wait(self._blocked_after_s) or self._over.is_set()

    def _note(self, alive: threading.Event, asked_s: float) -> None:
        frame = _frame_of(self._loop_thread)
        task = asyncio.current_task(self._loop)
        if frame is None or alive.is_set():
            return
        name = _name(task) if task is not None else ""
        blocked = BlockedLoop(name, time.monotonic() - asked_s, _stack(frame))
        self._found.append(blocked)
        self._report(blocked)
        while not self._in_time(alive):
            pass
        self._found[-1] = replace(blocked, blocked_s=time.monotonic() - asked_s)


def _frame_of(thread: int) -> FrameType | None:
    # Before Python 3.11.9 a garbage collection in there may deadlock (python/cpython#106883).
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames().get(thread)
    finally:
        if was_enabled:
            gc.enable()


def _stack(frame: FrameType) -> str:
    # From the task inwards; the event loop's own frames do not matter.
    frames = traceback.extract_stack(frame)
    starts = [
        i for i, each in enumerate(frames) if each.name == "_run" and "asyncio" in each.filename
    ]
    return "".join(traceback.format_list(frames[starts[-1] + 1 if starts else 0 :]))


def _name(task: asyncio.Task[Any]) -> str:
    name = task.get_name()
    # Python 3.13.0 sets a name even on tasks of a task factory that were given none.
    return name if name != "None" else getattr(task.get_coro(), "__qualname__", name)


def _where(task: asyncio.Task[Any]) -> str:
    """Return the line at which a task waits, in the innermost coroutine that it awaits."""
    waiting: Any = task.get_coro()
    line = "not a coroutine"
    while isinstance(waiting, CoroutineType) and waiting.cr_frame is not None:
        code, number = waiting.cr_frame.f_code, waiting.cr_frame.f_lineno
        line = f"{code.co_qualname} ({code.co_filename}:{number})"
        waiting = waiting.cr_await
    return line
