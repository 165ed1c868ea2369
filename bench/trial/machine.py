"""What the machine offers: cores, and the executor that Python sizes by them."""

import os

from ...mocks.clock import ClockMode
from ...mocks.clock.loops.ordering import VIRTUAL_CORES

ANY_WORKERS = 10_000
"""Threads of an executor without a limit: it starts one for what waits, and no more."""

_MOST_DEFAULT_WORKERS = 32
_DEFAULT_WORKERS_BEYOND_CORES = 4


def available_cores() -> int:
    """Return the cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def cores_of(mode: ClockMode) -> int:
    """Return the cores that a trial on such a clock has: the machine's, or the imagined."""
    return available_cores() if mode.charges_cpu else VIRTUAL_CORES


def default_executor_workers(cores: int) -> int:
    """Return the size of asyncio's default executor on so many cores, as Python sets it."""
    return min(_MOST_DEFAULT_WORKERS, cores + _DEFAULT_WORKERS_BEYOND_CORES)
