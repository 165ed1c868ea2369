"""Lets each ``multiprocessing.pool.ThreadPool`` take part in a scope, also one from before.

The thread that looks after a pool's workers is told by a pipe when one has ended, though all are
threads of one process: it would wait out of sight. Inside the scope it is told by a queue.

A pool from before the scope has a stand-in, as ``older_pools`` gives one to executors: of the same
size and initialiser, with threads that start inside. What has begun before goes on out of sight.
"""

import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial, wraps
from multiprocessing.pool import Pool, ThreadPool
from typing import Any, cast

from ...errors import ClockError
from ..patching import patched
from ..skipping import SkippingClock
from .simple_queue import SeenSimpleQueue

# All others of its methods that take work call one of these.
_GIVE_WORK = ("apply_async", "_map_async", "imap", "imap_unordered")
_RUNS = "RUN"
_END = ("close", "terminate", "join")


class _Notifier(SeenSimpleQueue[object]):
    """Tells of changes in a pool; as much of a queue of ``multiprocessing`` as a pool needs."""

    _reader = None

    def __init__(self) -> None:
        changes: Any = queue.SimpleQueue()
        super().__init__(changes._allocate_lock)

    def close(self) -> None:
        """Do nothing: there is no pipe."""


class _Context:
    """A context of ``multiprocessing`` whose queues are for threads."""

    SimpleQueue = _Notifier

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _StandIns:
    """The stand-ins of the pools from before one scope."""

    def __init__(self, clock: SkippingClock) -> None:
        self._clock = clock
        self._made: dict[ThreadPool, ThreadPool] = {}

    def of(self, pool: Any) -> ThreadPool:
        """Return who works for ``pool``: itself, if it is of this scope."""
        is_older = not isinstance(pool._taskqueue, SeenSimpleQueue)
        if not is_older or self._clock.current() is None or pool._state != _RUNS:
            return cast("ThreadPool", pool)
        made = self._made.get(pool)
        if made is None:
            made = ThreadPool(pool._processes, pool._initializer, pool._initargs)
            # Two threads may have got here together: both use the first one's.
            made = self._made.setdefault(pool, made)
        return made

    def giving(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method that gives a pool work."""

        @wraps(real)
        def give(pool: Any, *args: Any, **kwargs: Any) -> Any:
            return real(self.of(pool), *args, **kwargs)

        return give

    def ending(self, real: Callable[..., None]) -> Callable[..., None]:
        """Return a method that ends a pool, and its stand-in before it."""

        @wraps(real)
        def end(pool: Any) -> None:
            if pool in self._made:
                real(self._made[pool])
            real(pool)

        return end

    def terminate(self) -> None:
        """The scope ends."""
        for stand_in in self._made.values():
            with suppress(ClockError):  # which the scope raises itself
                stand_in.terminate()


@contextmanager
def thread_pools_taking_part(clock: SkippingClock) -> Iterator[None]:
    """Let pools work on ``clock`` if they are used inside, also those from before.

    Enter it once the queues of pools are ones that the clock sees (``conditions``).
    """
    stand_ins = _StandIns(clock)
    with ExitStack() as patches:
        replaced: list[tuple[type, str, Callable[[Any], Any]]] = [
            (ThreadPool, "_setup_queues", partial(_setting_up, clock)),
            (Pool, "_wait_for_updates", _waiting_for_updates),
            *((ThreadPool, name, stand_ins.giving) for name in _GIVE_WORK),
            *((ThreadPool, name, stand_ins.ending) for name in _END),
        ]
        for owner, name, made in replaced:
            patches.enter_context(patched(owner, name, made(getattr(owner, name))))
        try:
            yield
        finally:
            stand_ins.terminate()


def _setting_up(clock: SkippingClock, real: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(real)
    def set_up_queues(pool: Any) -> None:
        real(pool)
        if clock.current() is not None:
            pool._ctx = _Context(pool._ctx)

    return set_up_queues


def _waiting_for_updates(real: Callable[..., None]) -> Any:
    def wait_for_updates(sentinels: Any, changes: Any, timeout: float | None = None) -> None:
        if not isinstance(changes, _Notifier):
            real(sentinels, changes, timeout)
            return
        with suppress(queue.Empty):
            changes.get(timeout=timeout)
            while True:
                changes.get_nowait()

    return staticmethod(wait_for_updates)
