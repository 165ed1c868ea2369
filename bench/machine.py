"""What the machine offers: cores, and the executor that Python sizes by them."""

import os

REFERENCE_CORES = 2
"""Cores of the machine that the virtual clock imagines, so that it is the same everywhere."""

_MOST_DEFAULT_WORKERS = 32
_DEFAULT_WORKERS_BEYOND_CORES = 4


def available_cores() -> int:
    """Return the cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def default_executor_workers(cores: int) -> int:
    """Return the size of asyncio's default executor on so many cores, as Python sets it."""
    return min(_MOST_DEFAULT_WORKERS, cores + _DEFAULT_WORKERS_BEYOND_CORES)
