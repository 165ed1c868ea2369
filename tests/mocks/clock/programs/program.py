"""What a random program is, and how one is drawn."""

import asyncio
import concurrent.futures
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import uvloop
from hypothesis import strategies as st

Step = tuple[str, int, int]
"""What to do, and two small numbers: how long, and with whom or how patiently."""

Ending = tuple[str, int, str, str, int]
"""Actor, number of its step, what that was, how it ended, and when, in units."""


@dataclass(frozen=True)
class Program:
    """What runs, and where.

    Attributes:
        threads: The steps of each thread.
        tasks: The steps of each task of the main thread's event loop.
        loop: Its kind.
        older: Which parts are made before the scope.
    """

    threads: tuple[tuple[Step, ...], ...]
    tasks: tuple[tuple[Step, ...], ...] = ()
    loop: str = "asyncio"
    older: frozenset[str] = frozenset()


LOOPS: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}


def _pool_with_idle_threads() -> ThreadPoolExecutor:
    pool = ThreadPoolExecutor(2)
    concurrent.futures.wait([pool.submit(time.sleep, 0.001) for _ in range(2)])
    return pool


PARTS: Mapping[str, Callable[[], Any]] = {
    "lock": threading.Lock,
    "rlock": threading.RLock,
    "slots": lambda: threading.Semaphore(2),
    "place": lambda: threading.BoundedSemaphore(1),
    "event": threading.Event,
    "condition": threading.Condition,
    "barrier": lambda: threading.Barrier(2),
    "queue": lambda: queue.Queue(1),
    "lifo": queue.LifoQueue,
    "priority": queue.PriorityQueue,
    "simple": lambda: queue.SimpleQueue(),  # noqa: PLW0108 - the class is another in a scope
    "future": concurrent.futures.Future,
    "pool": lambda: ThreadPoolExecutor(2),
    "idle pool": _pool_with_idle_threads,
    "async lock": asyncio.Lock,
    "async slots": lambda: asyncio.Semaphore(2),
    "async event": asyncio.Event,
    "async condition": asyncio.Condition,
    "async queue": lambda: asyncio.Queue(1),
}

THREAD_STEPS = (
    "sleep", "lock", "try lock", "rlock", "slots", "place", "event set", "event clear",
    "event wait", "event wait for ever", "condition", "notify", "condition wait", "barrier",
    "put", "get", "put lifo", "get lifo", "get lifo for ever", "put priority", "get priority",
    "put simple", "get simple", "get simple for ever", "future set", "future result",
    "future result for ever", "pool", "pool map", "pool later", "later result", "timer",
    "spawn", "join", "own loop", "to loop", "wake loop", "idle pool", "wait first", "own pool",
)  # fmt: skip
TASK_STEPS = (
    "sleep", "lock", "slots", "event set", "event clear", "event wait", "event wait for ever",
    "condition", "notify", "condition wait", "put", "get", "thread", "pool", "idle pool",
    "timeout", "wait for", "call later", "block", "thread event set", "thread event wait",
    "cancel", "gather", "as completed", "put simple", "get simple", "future set",
    "future result", "take thread lock",
)  # fmt: skip


def programs() -> st.SearchStrategy[Program]:
    """Return programs of a few actors."""
    number = st.integers(0, 4)

    def steps(kinds: tuple[str, ...]) -> st.SearchStrategy[tuple[Step, ...]]:
        step = st.tuples(st.sampled_from(kinds), number, number)
        return st.lists(step, min_size=1, max_size=4).map(tuple)

    def actors(kinds: tuple[str, ...]) -> st.SearchStrategy[tuple[tuple[Step, ...], ...]]:
        return st.lists(steps(kinds), max_size=3).map(tuple)

    return st.builds(
        Program,
        threads=actors(THREAD_STEPS),
        tasks=actors(TASK_STEPS),
        loop=st.sampled_from(sorted(LOOPS)),
        older=st.frozensets(st.sampled_from(sorted(PARTS)), max_size=len(PARTS)),
    )
