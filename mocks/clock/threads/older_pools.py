"""Lets thread pools from before a scope take part in it.

A pool that was made at import waits for work in a queue that is written in C, in threads that
the clock has never met: what it is given inside the scope would be done out of sight. So each such
pool has a *stand-in* for the length of the scope: a pool of the same size, name and initialiser,
whose threads start inside. Its own threads, if it has any, sleep meanwhile; after the scope it goes
on as it was.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

from ..patching import patched
from ..skipping import SkippingClock
from .simple_queue import SeenSimpleQueue

# How its threads begin: the first two until Python 3.13, the third from 3.14 on.
_BEGINNINGS = ("_initializer", "_initargs", "_create_worker_context")


@contextmanager
def older_pools_taking_part(clock: SkippingClock) -> Iterator[None]:
    """Let a pool that was made before this scope work on ``clock`` if it is used inside.

    Enter it once the queues of pools are ones that the clock sees (``conditions``).
    """
    stand_ins: dict[ThreadPoolExecutor, ThreadPoolExecutor] = {}
    real_submit: Callable[..., Future[Any]] = ThreadPoolExecutor.submit
    real_shutdown = ThreadPoolExecutor.shutdown

    def stand_in_of(pool: Any) -> ThreadPoolExecutor:
        made = stand_ins.get(pool)
        if made is None:
            made = ThreadPoolExecutor(pool._max_workers, pool._thread_name_prefix)
            for name in _BEGINNINGS:
                if hasattr(pool, name):
                    setattr(made, name, getattr(pool, name))
            # Two threads may have got here together: both use the first one's.
            made = stand_ins.setdefault(pool, made)
        return made

    @wraps(real_submit)
    def submit(pool: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        is_older = not isinstance(pool._work_queue, SeenSimpleQueue)
        if is_older and not pool._shutdown and clock.current() is not None:
            pool = stand_in_of(pool)
        return real_submit(pool, fn, *args, **kwargs)

    @wraps(real_shutdown)
    def shutdown(pool: ThreadPoolExecutor, *args: Any, **kwargs: Any) -> None:
        stand_in = stand_ins.get(pool)
        if stand_in is not None:
            real_shutdown(stand_in, *args, **kwargs)
        real_shutdown(pool, *args, **kwargs)

    with ExitStack() as patches:
        patches.enter_context(patched(ThreadPoolExecutor, "submit", submit))
        patches.enter_context(patched(ThreadPoolExecutor, "shutdown", shutdown))
        try:
            yield
        finally:
            for stand_in in stand_ins.values():
                real_shutdown(stand_in, wait=False)
