"""Notes, over sockets, what only the clients see: waits for a free connection, and requests.

A wait for a connection is seen by nobody but the client: the server meets the request when it is
over. Each library tells of it in its own way:

- httpcore, below httpx, and httpcore2, below httpx2, trace what they do with a connection, but not
  the wait for one. The first trace event is no end of it: before that, each request gives the event
  loop a turn, and if the loop is busy that takes as long as a wait for a connection. So the two
  methods by which a request of the pool waits, and is given its connection, are followed. They are
  not public: of a version that has others nothing is noted, and a test says so.
- aiohttp traces it (``aiohttp_waits``). It is looked for where it is imported already, as by the
  transport that uses it: to import it would cost everybody else 150 ms and its memory.
- urllib3, below requests, is asked in its pools (``urllib3_waits``), as soon as it is imported.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ...clock import Clock
from ...clock.patching import patched
from ...observe.meter import Meter
from ...observe.traffic import Traffic
from ..http_libraries import INSTALLED
from ..when_imported import when_imported
from .refused_answers import Begun, begun, note_end, noting_refused_answers, refusal_in

if TYPE_CHECKING:
    from ...observe.calls import ConnectionWait


@dataclass(slots=True)
class _Sending:
    """A request that is being sent.

    Attributes:
        pool: Through which pool.
        begun: Whose it is, and since when it is.
        has_waited: Whether it has waited for a connection.
        refusal: Number of the server's refusal, if that is its answer.
    """

    pool: Any
    begun: Begun
    has_waited: bool = False
    refusal: int | None = None


_SENDING: ContextVar[_Sending] = ContextVar("warpbench_sending")
"""The request that the running code sends."""


@contextmanager
def noting_connection_waits(meter: Meter, clock: Clock) -> Iterator[None]:
    """Note each wait for a connection in this scope, of clients in this process.

    And each request, from when it is to be sent until its answer is read: what a session waits
    between its requests it does not wait for the network.

    Args:
        meter: What they are noted in.
        clock: Keeps the trial's time.
    """
    traffic = Traffic(meter)
    with ExitStack() as patches:
        for library in INSTALLED:
            noting = _Noting(library.core_module(), library.client, meter, clock)
            patches.enter_context(noting.installed())
        if "aiohttp" in sys.modules:
            from ..aiohttp_waits import noting_aiohttp_waits  # noqa: PLC0415

            patches.enter_context(noting_aiohttp_waits(traffic, clock))
        patches.enter_context(noting_refused_answers(meter, clock))

        def note_urllib3() -> None:
            from ..urllib3_waits import noting_urllib3_waits  # noqa: PLC0415

            patches.enter_context(noting_urllib3_waits(traffic, clock))

        patches.enter_context(when_imported({"urllib3": note_urllib3}))
        yield


class _Noting:
    """Notes the waits and the requests in the pools of one package.

    Args:
        core: The package.
        client: The library that uses it, as it is told.
        meter: What they are noted in.
        clock: Keeps the trial's time.
    """

    def __init__(self, core: ModuleType, client: str, meter: Meter, clock: Clock) -> None:
        self._timeout: type[Exception] = core.PoolTimeout
        self._core = core
        self._client = client
        self._meter = meter
        self._traffic = Traffic(meter)
        self._clock = clock
        # By the pool's own object of a request that waits.
        self._waiting: dict[object, ConnectionWait] = {}
        # By the stream of an answer that is not read yet.
        self._reading: WeakKeyDictionary[object, _Sending] = WeakKeyDictionary()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Follow the methods in this scope, of async clients and of sync ones."""
        core = self._core
        with ExitStack() as patches:
            for pool, handle, requests, close in (
                (core.AsyncConnectionPool, "handle_async_request", "AsyncPoolRequest", "aclose"),
                (core.ConnectionPool, "handle_request", "PoolRequest", "close"),
            ):
                # Beside the method, in a module that is not public.
                beside = getattr(pool, handle).__globals__
                request, stream = beside.get(requests), beside.get("PoolByteStream")
                if not can_be_followed(request) or not hasattr(stream, close):
                    continue
                for owner, name, wrapper in (
                    (pool, handle, self._noting_the_request),
                    (stream, close, self._noting_the_answer),
                    (request, "wait_for_connection", self._noting_the_wait),
                    (request, "assign_to_connection", self._noting_the_end),
                ):
                    replacement = wrapper(getattr(owner, name))
                    patches.enter_context(patched(owner, name, replacement))
            yield

    def _noting_the_request(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        async def handle_async(pool: Any, request: Any) -> Any:
            with self._sent(pool) as sending:
                response = await original(pool, request)
                sending.refusal = refusal_in(response.headers)
            self._reading[response.stream] = sending
            return response

        @wraps(original)
        def handle(pool: Any, request: Any) -> Any:
            with self._sent(pool) as sending:
                response = original(pool, request)
                sending.refusal = refusal_in(response.headers)
            self._reading[response.stream] = sending
            return response

        return handle_async if inspect.iscoroutinefunction(original) else handle

    @contextmanager
    def _sent(self, pool: object) -> "Iterator[_Sending]":
        sending = _Sending(pool, begun(self._clock))
        before = _SENDING.set(sending)
        try:
            yield sending
        except BaseException:
            self._ends(sending)
            raise
        finally:
            _SENDING.reset(before)

    def _noting_the_answer(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        async def aclose(stream: object) -> None:
            sending = self._reading.pop(stream, None)
            await original(stream)
            self._ends(sending)

        @wraps(original)
        def close(stream: object) -> None:
            sending = self._reading.pop(stream, None)
            original(stream)
            self._ends(sending)

        return aclose if inspect.iscoroutinefunction(original) else close

    def _ends(self, sending: "_Sending | None") -> None:
        if sending is None:  # closed twice
            return
        note_end(self._meter, self._clock, sending.begun, sending.refusal)

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
