"""Says where a thread or a task stands in the code, for the errors of the clock."""

import asyncio
import concurrent.futures
import queue
import threading
from pathlib import Path
from types import CodeType, FrameType

from .frames import frames_by_thread

# Frames of these are how a wait is built, not where somebody decided to wait.
_MACHINERY = (
    str(Path(__file__).parents[1]),
    str(Path(asyncio.__file__).parent),
    str(Path(concurrent.futures.__file__).parent),
    queue.__file__,
    threading.__file__,
)
_TASKS_NAMED = 5


def of_thread(thread: threading.Thread) -> str:
    """Return where ``thread`` stands, as ``function (file:line)``."""
    # The only way to another thread's frames.
    innermost = frames_by_thread().get(thread.ident or 0)
    frame = innermost
    while frame is not None and _is_machinery(frame.f_code):
        frame = frame.f_back
    return _place(frame or innermost)


def of_tasks(loop: asyncio.AbstractEventLoop) -> str:
    """Return what the unfinished tasks of ``loop`` wait in."""
    tasks = sorted(
        (task for task in asyncio.all_tasks(loop) if not task.done()),
        key=lambda task: (len(task.get_name()), task.get_name()),
    )
    named = [f"{task.get_name()} in {_of_task(task)}" for task in tasks[:_TASKS_NAMED]]
    if len(tasks) > _TASKS_NAMED:
        named.append(f"and {len(tasks) - _TASKS_NAMED} more")
    return ", ".join(named) or "no task"


def _of_task(task: asyncio.Task[object]) -> str:
    awaiting: object = task.get_coro()
    place = outermost = None
    while awaiting is not None:
        frame = getattr(awaiting, "cr_frame", None) or getattr(awaiting, "gi_frame", None)
        if not isinstance(frame, FrameType):
            break
        outermost = outermost or frame
        if not _is_machinery(frame.f_code):
            place = frame
        awaiting = getattr(awaiting, "cr_await", None) or getattr(awaiting, "gi_yieldfrom", None)
    return _place(place or outermost)


def _is_machinery(code: CodeType) -> bool:
    return code.co_filename.startswith(_MACHINERY)


def _place(frame: FrameType | None) -> str:
    if frame is None:
        return "unknown code"
    code = frame.f_code
    return f"{code.co_qualname} ({Path(code.co_filename).name}:{frame.f_lineno})"
