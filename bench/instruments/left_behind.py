"""Finds what the sessions of a trial leave behind: what goes on, is held, or was never taken up.

Some of it can be asked for at the end: tasks, threads, streams. The rest is noted as it comes:
which objects are made, and what Python says of exceptions and coroutines when it collects them. The
heap is not looked through: that would take longer than the trial.

What is left once may be there on purpose: a pool, a client, a task that refreshes something. Only
who compares runs of few and of many sessions can tell (``exploration.left_behind``).

What is not seen: tasks of other event loops than the cell's, permits of semaphores that were made
before the trial and are not variables of the target's modules, plain locks, an exception of a task
or a coroutine that somebody still refers to.
"""

import asyncio
import gc
import re
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import thread as pool_threads
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from types import CodeType, MappingProxyType, ModuleType
from typing import Any

import uvloop

from ...mocks.clock import SkippingClock
from ...mocks.clock.patching import patched
from ...mocks.observe.meter import Meter
from ...mocks.observe.waits import WaitEnding, WaitKind
from ...mocks.transports.http_libraries import INSTALLED
from ..results.left_behind import LeftBehind, LeftKind
from .code_origin import Origin, name_of_file, origin_of, place_of
from .makings import Made, Makings, Noted

_SEMAPHORES = (asyncio.Semaphore, threading.Semaphore)
_CLIENTS: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {library.client: (("Client", "AsyncClient"), "is_closed") for library in INSTALLED}
    | {"aiohttp": (("ClientSession",), "closed")}
)
"""Of each library its clients, and the attribute that says whether one was closed."""

_NEVER_RETRIEVED = "exception was never retrieved"

_Left = tuple[LeftKind, str, str]
"""Kind, name and place, as ``LeftBehind`` has them."""


@dataclass(frozen=True, slots=True)
class MadeBefore:
    """What was made in the scope of one tracker, for another one to know as well."""

    permits: Noted
    threads: Noted
    pools: Noted


class LeftBehindTracker:
    """Notes what may be left of a trial, in the scope of ``tracking``.

    Args:
        clock: Keeps the trial's time.
        package: Name of the package with the target, or empty. Semaphores that are variables of its
            modules are known, also if they were made before the scope.
        made_before: What was made in the scope of an earlier tracker.
    """

    def __init__(
        self, clock: SkippingClock, package: str = "", made_before: MadeBefore | None = None
    ) -> None:
        self._clock = clock
        self._package = package
        self._permits = Makings(size_of=_permits_of)
        self._threads = Makings()
        # The threads of a pool may live longer than the pool, but not than its queue.
        self._pools = Makings(part=lambda pool: pool._work_queue)
        self._clients = Makings()
        if made_before is not None:
            self._permits.know(made_before.permits)
            self._threads.know(made_before.threads)
            self._pools.know(made_before.pools)
        self._older: list[Made] = []
        self._told: list[_Left] = []

    def made(self) -> MadeBefore:
        """Return what was made so far in the scope of ``tracking``."""
        return MadeBefore(
            self._permits.noted_so_far, self._threads.noted_so_far, self._pools.noted_so_far
        )

    @contextmanager
    def tracking(self) -> Iterator[None]:
        """Note in this scope what is made, and what Python complains of."""
        with ExitStack() as scope:
            scope.enter_context(self._permits.noted(*_SEMAPHORES, asyncio.Lock))
            scope.enter_context(self._threads.noted(threading.Thread))
            scope.enter_context(self._pools.noted(ThreadPoolExecutor))
            for loop in (asyncio.BaseEventLoop, uvloop.Loop):
                scope.enter_context(
                    patched(
                        loop,
                        "call_exception_handler",
                        self._noting_exceptions(loop.call_exception_handler),
                    )
                )
            name = "_warn_unawaited_coroutine"
            noting = self._noting_coroutines(getattr(warnings, name))
            scope.enter_context(patched(warnings, name, noting))
            yield

    @contextmanager
    def sessions(self) -> Iterator[None]:
        """Count from here on: what was made and told before is not of the sessions of this scope.

        Tasks, threads and pools from before are counted, since they are the same however many
        sessions there are.
        """
        self._clients.forget()
        known = {id(each.object) for each in self._permits.alive()}
        self._older = list(_semaphores_of(self._package, known)) if self._package else []
        self._told.clear()
        with ExitStack() as scope:
            for package, (names, _) in _CLIENTS.items():
                library = sys.modules.get(package)
                if library is not None:
                    classes = [getattr(library, name) for name in names]
                    scope.enter_context(self._clients.noted(*classes))
            yield

    def found(
        self, loop: asyncio.AbstractEventLoop | None, meter: Meter | None
    ) -> tuple[LeftBehind, ...]:
        """Return what is left now.

        Args:
            loop: The event loop that the sessions ran on, if they did.
            meter: Notes the trial's calls; without it no streams are found.
        """
        gc.collect()
        counts: Counter[_Left] = Counter(self._told)
        counts.update(_tasks_of(loop))
        counts.update(self._live_threads())
        for each in (*self._permits.alive(), *self._older):
            missing = each.size - _permits_of(each.object)
            if missing > 0:
                counts[LeftKind.PERMIT, _named(type(each.object)), each.place] += missing
        counts.update(
            (LeftKind.CLIENT, _named(type(client)), place)
            for client, place, _ in self._clients.alive()
            if not _is_closed(client)
        )
        counts.update(_open_streams(meter))
        return tuple(sorted(LeftBehind(*left, count) for left, count in counts.items()))

    def _live_threads(self) -> Iterator[_Left]:
        """Yield the threads that the clock takes to run, and each pool that has some, once."""
        places = {id(each.object): each.place for each in self._threads.alive()}
        pools = {id(each.object): each.place for each in self._pools.alive()}
        for thread in threading.enumerate():
            # One that has ended for the clock may take the system a moment to tear down.
            if self._clock.participant_of(thread) is None or id(thread) not in places:
                continue
            queue = pool_threads._threads_queues.get(thread)
            if queue is not None:
                place = pools.pop(id(queue), None)
                if place is not None:  # or it is the lab's, or was seen
                    yield LeftKind.THREAD, ThreadPoolExecutor.__name__, place
            elif not _is_idle_at_anyio(thread):
                yield LeftKind.THREAD, _name_of_thread(thread), places[id(thread)]

    def _noting_exceptions(self, real: Callable[..., None]) -> Callable[..., None]:
        @wraps(real)
        def call_exception_handler(loop: Any, context: dict[str, Any]) -> None:
            error = context.get("exception")
            if error is not None and _NEVER_RETRIEVED in str(context.get("message")):
                future = context.get("task") or context.get("future")
                self._note_exception(future, type(error))
            real(loop, context)

        return call_exception_handler

    def _note_exception(self, future: object, error: type[BaseException]) -> None:
        get_coroutine = getattr(future, "get_coro", None)
        if get_coroutine is None:
            self._told.append((LeftKind.EXCEPTION, f"Future: {error.__qualname__}", ""))
            return
        named = _named_coroutine(get_coroutine())
        if named is not None:
            self._told.append((LeftKind.EXCEPTION, f"{named[0]}: {error.__qualname__}", named[1]))

    def _noting_coroutines(self, real: Callable[[Any], None]) -> Callable[[Any], None]:
        @wraps(real)
        def warn_unawaited_coroutine(coroutine: Any) -> None:
            named = _named_coroutine(coroutine)
            if named is not None:
                self._told.append((LeftKind.COROUTINE, *named))
            real(coroutine)

        return warn_unawaited_coroutine


def _tasks_of(loop: asyncio.AbstractEventLoop | None) -> Iterator[_Left]:
    for task in () if loop is None else asyncio.all_tasks(loop):
        named = _named_coroutine(task.get_coro())
        if named is not None:
            yield LeftKind.TASK, *named


def _named_coroutine(coroutine: Any) -> tuple[str, str] | None:
    """Return the name of a coroutine and where its code begins; ``None`` if it is the lab's.

    Of those that it waits in, the outermost of the user's code has the name; failing that, the
    outermost that is not the lab's.
    """
    outermost: tuple[str, str] | None = None
    while coroutine is not None:
        code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
        if not isinstance(code, CodeType):
            name = getattr(coroutine, "__qualname__", None)
            return outermost or (None if name is None else (name, ""))
        origin = origin_of(code.co_filename)
        if origin is Origin.OWN:
            return code.co_qualname, f"{place_of(code)}:{code.co_firstlineno}"
        if origin is not Origin.LAB and outermost is None:
            outermost = code.co_qualname, ""
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return outermost


def _name_of_thread(thread: Any) -> str:
    """Return what a thread runs; failing that, its own name without what differs by run."""
    runs = getattr(thread, "function" if isinstance(thread, threading.Timer) else "_target", None)
    while isinstance(runs, partial):
        runs = runs.func
    if runs is None and type(thread) is not threading.Thread:
        return _named(type(thread))
    name: str | None = getattr(runs, "__qualname__", None)
    return name or re.sub(r"\d+", "", thread.name)


def _is_idle_at_anyio(thread: Any) -> bool:
    """Say whether it is a thread that anyio keeps for the next call."""
    return thread in getattr(thread, "idle_workers", ())


def _open_streams(meter: Meter | None) -> Iterator[_Left]:
    for call in () if meter is None else list(meter.open_calls):
        kind, *_, ending, is_streamed, place = call.row_so_far()
        if kind is WaitKind.MODEL and ending is WaitEnding.LEAKED and is_streamed:
            yield LeftKind.STREAM, "model call", place


def _semaphores_of(package: str, known: set[int]) -> Iterator[Made]:
    """Yield the semaphores that are variables of a package's modules, with the permits they have.

    Other modules are not looked at: there are thousands.
    """
    for called in [each for each in sys.modules if each.startswith(package)]:
        if called.partition(".")[0] != package:
            continue
        module = sys.modules[called]
        variables: dict[str, Any] = vars(module) if isinstance(module, ModuleType) else {}
        file = variables.get("__file__")
        if not isinstance(file, str) or origin_of(file) is not Origin.OWN:
            continue
        for name, value in list(variables.items()):
            # To ask a stand-in for something else for its class may raise.
            if issubclass(type(value), _SEMAPHORES) and id(value) not in known:
                known.add(id(value))
                yield Made(value, f"{name_of_file(file)}:{name}", _permits_of(value))


def _permits_of(limit: Any) -> int:
    if isinstance(limit, asyncio.Lock):
        return 0 if limit.locked() else 1
    permits: int = limit._value
    return permits


def _is_closed(client: Any) -> bool:
    package = next(
        base.__module__.partition(".")[0]
        for base in type(client).__mro__
        if base.__module__.partition(".")[0] in _CLIENTS
    )
    return bool(getattr(client, _CLIENTS[package][1]))


def _named(cls: type[Any]) -> str:
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"
