"""A coroutine of whatever can be awaited: tasks and loops take nothing else."""

from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def as_coroutine(awaitable: Awaitable[T]) -> T:
    """Await it."""
    return await awaitable
