"""Notes, over sockets, the waits for a free connection of an HTTP client's pool.

A wait for a connection is seen by nobody but the client: the server meets the request when it is
over. Each library tells of it in its own way:

- httpcore, below httpx, and httpcore2, below httpx2, trace what they do with a connection, but not
  the wait for one. The first trace event is no end of it: before that, each request gives the event
  loop a turn, and if the loop is busy that takes as long as a wait for a connection. So the two
  methods by which a request of the pool waits, and is given its connection, are followed. They are
  not public: of a version that has others nothing is noted, and a test says so.
- aiohttp traces it (``aiohttp_waits``). It is looked for where it is imported already, as by the
  transport that uses it: to import it would cost everybody else 150 ms and its memory.
"""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from types import ModuleType
from typing import Any

from ...clock import Clock
from ...clock.patching import patched
from ...observe.traffic import ConnectionWait, Traffic

_CORES = {"httpcore": "httpx", "httpcore2": "httpx2"}
"""The packages with the pools, and the libraries that use them."""


@dataclass(slots=True)
class _Sending:
    """A request that is being sent.

    Attributes:
        pool: Through which pool.
        has_waited: Whether it has waited for a connection.
    """

    pool: Any
    has_waited: bool = False


_SENDING: ContextVar[_Sending] = ContextVar("warpbench_sending")
"""The request that the running code sends."""


@contextmanager
def noting_connection_waits(traffic: Traffic, clock: Clock) -> Iterator[None]:
    """Note each wait for a connection in this scope, of clients in this process.

    Args:
        traffic: What they are noted in.
        clock: Keeps the trial's time.
    """
    with ExitStack() as patches:
        for core, client in _CORES.items():
            if importlib.util.find_spec(core) is not None:
                noting = _Noting(importlib.import_module(core), client, traffic, clock)
                patches.enter_context(noting.installed())
        if "aiohttp" in sys.modules:
            from .aiohttp_waits import noting_aiohttp_waits  # noqa: PLC0415

            patches.enter_context(noting_aiohttp_waits(traffic, clock))
        yield


class _Noting:
    """Notes the waits in the pools of one package.

    Args:
        core: The package.
        client: The library that uses it, as it is told.
        traffic: What they are noted in.
        clock: Keeps the trial's time.
    """

    def __init__(self, core: ModuleType, client: str, traffic: Traffic, clock: Clock) -> None:
        self._timeout: type[Exception] = core.PoolTimeout
        self._core = core
        self._client = client
        self._traffic = traffic
        self._clock = clock
        # By the pool's own object of a request that waits.
        self._waiting: dict[object, ConnectionWait] = {}

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Follow the methods in this scope, of async clients and of sync ones."""
        core = self._core
        with ExitStack() as patches:
            for pool, handle, requests in (
                (core.AsyncConnectionPool, "handle_async_request", "AsyncPoolRequest"),
                (core.ConnectionPool, "handle_request", "PoolRequest"),
            ):
                # Beside the method, in a module that is not public.
                request = getattr(pool, handle).__globals__.get(requests)
                if not can_be_followed(request):
                    continue
                for owner, name, wrapper in (
                    (pool, handle, _knowing_the_pool),
                    (request, "wait_for_connection", self._noting_the_wait),
                    (request, "assign_to_connection", self._noting_the_end),
                ):
                    replacement = wrapper(getattr(owner, name))
                    patches.enter_context(patched(owner, name, replacement))
            yield

    def _noting_the_wait(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        async def wait_async(request: Any, timeout: float | None = None) -> Any:
            if not request.is_queued():
                return await original(request, timeout)
            with self._noted(request):
                return await original(request, timeout)

        @wraps(original)
        def wait(request: Any, timeout: float | None = None) -> Any:
            if not request.is_queued():
                return original(request, timeout)
            with self._noted(request):
                return original(request, timeout)

        return wait_async if inspect.iscoroutinefunction(original) else wait

    @contextmanager
    def _noted(self, request: object) -> Iterator[None]:
        sending = _SENDING.get()
        most: int = getattr(sending.pool, "_max_connections", sys.maxsize)
        is_first, sending.has_waited = not sending.has_waited, True
        with self._traffic.connection_wait(
            self._client, most, self._clock.now_ns(), is_first=is_first
        ) as wait:
            self._waiting[request] = wait
            try:
                yield
            except self._timeout:
                wait.times_out()
                raise
            finally:
                self._waiting.pop(request, None)

    def _noting_the_end(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def assign(request: object, connection: object) -> None:
            wait = self._waiting.get(request)
            if wait is not None:
                wait.is_granted(self._clock.now_ns())
            original(request, connection)

        return assign


def can_be_followed(request: object) -> bool:
    """Return whether a class is a request of a pool as the versions known here have it."""
    names = ("wait_for_connection", "assign_to_connection", "is_queued")
    return all(hasattr(request, name) for name in names)


def _knowing_the_pool(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a pool's method that lets whatever it calls know the pool."""

    @wraps(original)
    async def handle_async(pool: Any, request: Any) -> Any:
        before = _SENDING.set(_Sending(pool))
        try:
            sent: Awaitable[Any] = original(pool, request)
            return await sent
        finally:
            _SENDING.reset(before)

    @wraps(original)
    def handle(pool: Any, request: Any) -> Any:
        before = _SENDING.set(_Sending(pool))
        try:
            return original(pool, request)
        finally:
            _SENDING.reset(before)

    return handle_async if inspect.iscoroutinefunction(original) else handle
