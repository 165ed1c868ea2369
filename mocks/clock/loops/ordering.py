"""Takes addresses in memory, the number of cores and entropy out of a virtual run.

Two runs of one program differ in where its objects lie. A task's hash is its address, and
asyncio, anyio and ``concurrent.futures`` keep tasks and futures in sets: so the order in
which a failing ``TaskGroup`` cancels its tasks, or in which ``as_completed`` starts
coroutines, differs from process to process (with 50 tasks it was seen in every fourth). In
``virtual`` the order is that of creation:

- tasks and futures made by a loop hash to numbers given in the order in which they are first
  asked for, and so do the futures of ``concurrent.futures``;
- ``asyncio.as_completed`` starts coroutines in the order in which they were given;
- a thread pool joins its threads in the order in which it started them.

The default thread pool grows with the number of cores. In ``virtual`` there are
``VIRTUAL_CORES``, and ``asyncio.to_thread`` runs equally many calls concurrently on each machine.

A ``random.Random()`` without a seed takes one from the system: an agent that draws the jitter
of its back-off so would be another in each run. In ``virtual`` it is seeded by how many were
made before it. ``random.SystemRandom``, ``secrets`` and ``uuid`` are left alone.

Left as they are: sets that the program itself makes of other objects, finalisers that run
when the cyclic garbage collector gets to them, and tasks of a custom task factory.
"""

import asyncio
import concurrent.futures
import concurrent.futures.thread
import os
import random
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..patching import patched
from ..skipping import SkippingClock

VIRTUAL_CORES = 2
"""What ``os.cpu_count()`` says: with it, the default thread pool has six workers."""


class _InOrderOfCreation:
    """Gives a task or future of a skipping loop a number for its hash."""

    _creation_number: int

    def __hash__(self) -> int:
        try:
            return self._creation_number
        except AttributeError:
            loop: Any = self.get_loop()  # type: ignore[attr-defined]  # of asyncio's classes
            self._creation_number = next(loop.creation_numbers)
            return self._creation_number


class OrderedTask(_InOrderOfCreation, asyncio.Task[Any]):
    """A task whose place in a set does not depend on its address."""

    def set_name(self, value: object) -> None:
        """Set the task's name; Python 3.13.0 gives ``None`` to the tasks of each factory."""
        if value is not None:
            super().set_name(value)


class OrderedFuture(_InOrderOfCreation, asyncio.Future[Any]):
    """A future whose place in a set does not depend on its address."""


def order_by_creation(loop: Any, clock: SkippingClock) -> None:
    """Let ``loop`` make ordered tasks and futures, if computing is free on its clock.

    In ``warp`` the loop's own cost is measured, and nothing is changed. That is why these are
    attributes of the one loop, and not methods of its class, which an annotation could name.
    """
    if clock.mode.charges_cpu:
        return
    set_task_factory = loop.set_task_factory

    def set_ordered_task_factory(factory: Callable[..., object] | None) -> None:
        if factory is None:
            factory = ordered_task
        elif sys.version_info >= (3, 12) and factory is asyncio.eager_task_factory:
            # anyio knows eager factories by this function's code, and starts no task eagerly.
            factory = asyncio.create_eager_task_factory(OrderedTask)
        set_task_factory(factory)

    loop.creation_numbers = clock.creation_numbers
    loop.create_future = lambda: OrderedFuture(loop=loop)
    loop.set_task_factory = set_ordered_task_factory
    loop.set_task_factory(None)


@contextmanager
def same_on_every_machine(clock: SkippingClock) -> Iterator[None]:
    """Take addresses and the number of cores out of what happens in a virtual scope."""
    if clock.mode.charges_cpu:
        yield
        return
    with ExitStack() as patches:
        for owner, name, replacement in (
            (concurrent.futures.Future, "__hash__", _hash_of_future(clock)),
            (concurrent.futures.thread, "set", _InsertionOrderedSet),
            (asyncio, "as_completed", _as_completed_in_order),
            (random.Random, "seed", _seed_by_creation(clock)),
            (os, "cpu_count", _virtual_cores),
            (os, "process_cpu_count", _virtual_cores),  # from Python 3.13
        ):
            if owner is not os or hasattr(os, name):
                patches.enter_context(patched(owner, name, replacement))
        yield


def ordered_task(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, object],
    **options: Any,
) -> OrderedTask:
    """Make a task, as loops do in virtual time."""
    return OrderedTask(coro, loop=loop, **options)


def _hash_of_future(clock: SkippingClock) -> Callable[[concurrent.futures.Future[Any]], int]:
    def hash_of(future: concurrent.futures.Future[Any]) -> int:
        # setdefault would draw a number at each call, and numbers must not depend on that.
        attributes = vars(future)
        if "_creation_number" not in attributes:
            attributes["_creation_number"] = next(clock.creation_numbers)
        number: int = attributes["_creation_number"]
        return number

    return hash_of


class _InsertionOrderedSet(dict[Any, None]):
    """As much of a set as ``ThreadPoolExecutor`` needs for its threads."""

    def add(self, item: object) -> None:
        self[item] = None


class _TasksInOrder:
    """Makes tasks of awaitables in their order, when ``as_completed`` asks for them."""

    def __init__(self, awaitables: Iterable[Any]) -> None:
        self._awaitables = awaitables

    def __iter__(self) -> Iterator[asyncio.Future[Any]]:
        # Each once, as in the set that the original makes of them.
        return (asyncio.ensure_future(awaitable) for awaitable in dict.fromkeys(self._awaitables))


_real_as_completed: Callable[..., Any] = asyncio.as_completed


def _as_completed_in_order(fs: Any, *, timeout: float | None = None) -> Any:
    if not asyncio.isfuture(fs) and not asyncio.iscoroutine(fs):
        fs = _TasksInOrder(fs)
    return _real_as_completed(fs, timeout=timeout)


_real_seed: Callable[..., None] = random.Random.seed


def _seed_by_creation(clock: SkippingClock) -> Callable[..., None]:
    def seed(generator: random.Random, a: Any = None, version: int = 2) -> None:
        _real_seed(generator, f"warpbench {next(clock.seed_numbers)}" if a is None else a, version)

    return seed


def _virtual_cores() -> int:
    return VIRTUAL_CORES
