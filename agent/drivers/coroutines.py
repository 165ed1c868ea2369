"""Turns any awaitable into a coroutine, since tasks and loops accept nothing else."""

from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def as_coroutine(awaitable: Awaitable[T]) -> T:
    """Await an awaitable."""
    return await awaitable
