"""Whose code runs: the session, carried along to all that works for it.

A context variable says it. Tasks of asyncio copy it by themselves, as ``asyncio.to_thread`` does.
In the scope of ``carrying_sessions`` threads and thread pools take it along, too. It is the lab's
own variable: no other context changes.

It says nothing in two places. One is what outlives the session that started it. The other is a
*shared worker*: a task or thread that a session started, and that takes its work from a queue into
which others put theirs. What takes its work from elsewhere is known by what it sends: see ``model.
conversations``.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import thread as futures_thread
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import wraps
from multiprocessing.pool import ThreadPool
from typing import Any
from weakref import WeakKeyDictionary

from ..clock.patching import patched

_MANY = object()
# What takes an item out once it is there: the wait for it is left as it is.
_QUEUES: tuple[tuple[Any, str, str], ...] = (
    (asyncio.Queue, "put_nowait", "get_nowait"),
    (queue.Queue, "_put", "_get"),
    (queue.LifoQueue, "_put", "_get"),
    (queue.PriorityQueue, "_put", "_get"),
)
_GIVE_WORK = ("apply_async", "map_async", "starmap_async", "imap", "imap_unordered")


class SessionScope:
    """A session that runs.

    Attributes:
        number: Its number.
        is_over: Whether it has ended.
        task: The task that runs it; ``None`` for plain code.
        thread: Identifier of the thread that runs it.
        kept: What others keep for it as long as it runs.
        follows_up: Whether the requests of what goes on when it has ended are still its own: of
            a service that works on after its response.
    """

    __slots__ = ("follows_up", "is_over", "kept", "number", "task", "thread")

    def __init__(self, number: int, task: object = None) -> None:
        self.number = number
        self.is_over = False
        self.follows_up = False
        self.task = task
        self.thread = threading.get_ident()
        self.kept: dict[object, Any] = {}


SESSION: ContextVar[SessionScope | None] = ContextVar("warpbench_session", default=None)
"""The session whose code runs, where known: in its task, and in what works for it."""


def session_here() -> int | None:
    """Return the number of the session whose code runs; ``None`` if it is nobody's, or unknown."""
    scope = SESSION.get()
    return None if scope is None or scope.is_over else scope.number


@contextmanager
def carrying_sessions() -> Iterator[None]:
    """Let threads and pools of threads work, in this scope, for the session that gives them work.

    Enter it once a clock keeps the time: its own replacements come below.
    """
    with ExitStack() as patches:
        replaced: list[tuple[type, str, Callable[[Any], Any]]] = [
            (threading.Thread, "start", _starting),
            (ThreadPoolExecutor, "submit", _submitting),
            *((ThreadPool, name, _giving) for name in _GIVE_WORK),
        ]
        for owner, name, made in replaced:
            patches.enter_context(patched(owner, name, made(getattr(owner, name))))
        putters: WeakKeyDictionary[Any, object] = WeakKeyDictionary()
        for queues, put, get in _QUEUES:
            putting, getting = _putting(getattr(queues, put), putters), getattr(queues, get)
            patches.enter_context(patched(queues, put, putting))
            patches.enter_context(patched(queues, get, _getting(getting, putters)))
        yield


def _starting(real: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @wraps(real)
    def start(thread: threading.Thread) -> None:
        scope = SESSION.get()
        # A pool's thread works for whoever gives it work, not for whom it was started.
        if scope is not None and getattr(thread, "_target", None) is not futures_thread._worker:
            run = thread.run

            def run_for_session() -> None:
                SESSION.set(scope)
                del thread.run
                run()

            thread.run = run_for_session  # type: ignore[method-assign]
        real(thread)

    return start


def _submitting(real: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    @wraps(real)
    def submit(pool: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        scope = SESSION.get()
        if scope is None:
            return real(pool, fn, *args, **kwargs)
        return real(pool, _run_for, scope, fn, *args, **kwargs)

    return submit


def _giving(real: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(real)
    def give(pool: Any, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        scope = SESSION.get()
        if scope is None:
            return real(pool, func, *args, **kwargs)

        @wraps(func)
        def for_session(*of_func: Any, **named: Any) -> Any:
            return _run_for(scope, func, *of_func, **named)

        return real(pool, for_session, *args, **kwargs)

    return give


def _run_for(scope: SessionScope, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    before = SESSION.set(scope)
    try:
        return fn(*args, **kwargs)
    finally:
        SESSION.reset(before)


def _putting(
    real: Callable[..., Any], putters: "WeakKeyDictionary[Any, object]"
) -> Callable[..., Any]:
    @wraps(real)
    def put(filled: Any, item: Any, *args: Any, **kwargs: Any) -> Any:
        scope = SESSION.get()
        who: object = _MANY if scope is None else scope
        if putters.setdefault(filled, who) is not who:
            putters[filled] = _MANY
        return real(filled, item, *args, **kwargs)

    return put


def _getting(
    real: Callable[..., Any], putters: "WeakKeyDictionary[Any, object]"
) -> Callable[..., Any]:
    @wraps(real)
    def get(filled: Any, *args: Any, **kwargs: Any) -> Any:
        item = real(filled, *args, **kwargs)
        scope = SESSION.get()
        if scope is not None and putters.get(filled) is not scope and not runs_here(scope):
            SESSION.set(None)
        return item

    return get


def runs_here(scope: SessionScope) -> bool:
    """Say whether the session itself runs here, and not something that it started."""
    if scope.task is not None:
        return scope.task is _task_here()
    return scope.thread == threading.get_ident() and _task_here() is None


def _task_here() -> object:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs here
        return None
