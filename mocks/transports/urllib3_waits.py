"""Notes which requests of urllib3, and so of requests, wait for a free connection of a pool.

A pool that blocks is asked for a connection by ``_get_conn``: so it has been, with the same
argument and the same ``pool`` and ``block``, from urllib3 1 on, and subclasses rely on it.
"""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import urllib3
from urllib3.exceptions import EmptyPoolError

from ..clock import Clock
from ..clock.patching import patched
from ..observe.traffic import Traffic

CLIENT = "urllib3"


@contextmanager
def noting_urllib3_waits(traffic: Traffic, clock: Clock) -> Iterator[None]:
    """Note each wait for a connection of a pool that blocks, in this scope.

    Args:
        traffic: What they are noted in.
        clock: Keeps the trial's time.
    """
    pool = urllib3.connectionpool.HTTPConnectionPool
    with patched(pool, "_get_conn", _noting_the_wait(traffic, clock, pool._get_conn)):
        yield


def _noting_the_wait(
    traffic: Traffic, clock: Clock, original: Callable[..., Any]
) -> Callable[..., Any]:
    @wraps(original)
    def get(pool: Any, timeout: float | None = None) -> Any:
        free: queue.LifoQueue[object] | None = pool.pool
        if not pool.block or free is None or not free.empty():
            return original(pool, timeout)
        with traffic.connection_wait(CLIENT, free.maxsize, clock.now_ns()) as wait:
            try:
                connection = original(pool, timeout)
            except EmptyPoolError:
                wait.times_out()
                raise
            wait.is_granted(clock.now_ns())
            return connection

    return get
