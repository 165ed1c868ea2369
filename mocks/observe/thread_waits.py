"""Notes how long work of a session waits for a thread of a pool, or for a place under a limiter.

A pool takes work at once and starts it when a thread is free. From then on it is up to the
interpreter when the thread runs: what the work waited before is one thing, what after it another.
When a thread is free is known from the thread itself: it takes work up as soon as it has ended what
it did before.

``concurrent.futures`` has the pools of asyncio's ``to_thread`` and ``run_in_executor``, and those
of a target's own. anyio keeps threads of its own, as many as a ``CapacityLimiter`` lets in.
"""

import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

from ..clock.patching import patched
from .meter import SESSION, Meter
from .waits import WaitEnding, WaitKind

_ANYIOS_LIMITER = "anyio._backends._asyncio"
_POOL, _LIMITER = "thread pool", "limiter"


class _Thread(threading.local):
    """The calling thread: when it ended what it did last, on the clock."""

    free_ns: int = 0


class _Place:
    """The wait of a session's code for a place, from now on."""

    __slots__ = ("_idle_ns", "_meter", "_name", "_session", "_start_ns")

    def __init__(self, meter: Meter, session: int, name: str) -> None:
        self._meter = meter
        self._session = session
        self._name = name
        self._start_ns, self._idle_ns = meter.now_ns(), meter.idle_ns()

    def is_taken(self, granted_ns: int) -> None:
        """Note that the code goes on now.

        Args:
            granted_ns: When there was a place; before the start of the wait if there was one then.
        """
        start_ns = self._start_ns
        end_ns, idle_ns = self._meter.now_ns(), self._meter.idle_ns()
        waited_ns = min(max(0, granted_ns - start_ns), end_ns - start_ns)
        self._meter.note_thread(
            (
                WaitKind.THREAD,
                self._session,
                -1,
                None,
                self._name,
                start_ns,
                end_ns,
                waited_ns,
                end_ns - start_ns - waited_ns,
                self._idle_ns,
                idle_ns,
                WaitEnding.WHOLE,
                False,
                "",
            )
        )


class _Work:
    """What a pool is to call; notes when its thread takes it up."""

    __slots__ = ("_function", "_now_ns", "_place", "_session", "_thread")

    def __init__(self, meter: Meter, thread: _Thread, function: Callable[..., Any]) -> None:
        session = self._session = SESSION.get()
        self._place = None if session is None else _Place(meter, session, _POOL)
        self._now_ns = meter.now_ns
        self._thread = thread
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._place is not None:
            self._place.is_taken(self._thread.free_ns)
        # What the work waits for itself is a wait of the session that gave it away.
        token = SESSION.set(self._session)
        try:
            return self._function(*args, **kwargs)
        finally:
            SESSION.reset(token)
            self._thread.free_ns = self._now_ns()


@contextmanager
def noting_thread_waits(meter: Meter) -> Iterator[None]:
    """Note in ``meter`` how long work of sessions waits for a thread, inside this scope."""
    thread = _Thread()
    real_submit: Callable[..., Future[Any]] = ThreadPoolExecutor.submit

    @wraps(real_submit)
    def submit(
        pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        return real_submit(pool, _Work(meter, thread, fn), *args, **kwargs)

    with ExitStack() as patches:
        patches.enter_context(patched(ThreadPoolExecutor, "submit", submit))
        if _ANYIOS_LIMITER in sys.modules:
            patches.enter_context(
                _noting_waits_of(sys.modules[_ANYIOS_LIMITER].CapacityLimiter, meter)
            )
        yield


@contextmanager
def _noting_waits_of(limiter: Any, meter: Meter) -> Iterator[None]:
    """Note the waits for anyio's limiters, a class."""
    real_acquire: Callable[[Any, object], Awaitable[None]] = limiter.acquire_on_behalf_of
    real_release: Callable[[Any, object], None] = limiter.release_on_behalf_of
    released_ns: dict[int, int] = {}

    @wraps(real_acquire)
    async def acquire_on_behalf_of(self: Any, borrower: object) -> None:
        session = SESSION.get()
        if session is None or self.available_tokens > 0:
            await real_acquire(self, borrower)
            return
        place = _Place(meter, session, _LIMITER)
        await real_acquire(self, borrower)
        place.is_taken(released_ns.get(id(self), 0))

    @wraps(real_release)
    def release_on_behalf_of(self: Any, borrower: object) -> None:
        released_ns[id(self)] = meter.now_ns()
        real_release(self, borrower)

    with (
        patched(limiter, "acquire_on_behalf_of", acquire_on_behalf_of),
        patched(limiter, "release_on_behalf_of", release_on_behalf_of),
    ):
        yield
