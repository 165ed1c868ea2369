"""Counts the time limits of asyncio that expire: ``timeout``, ``wait_for`` and ``wait``."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ...mocks.clock.patching import patched


class ExpiredTimers:
    """How many time limits have expired.

    Attributes:
        count: How many.
    """

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count those that expire in this scope."""
        on_timeout: Callable[[Any], None] = asyncio.Timeout._on_timeout  # type: ignore[attr-defined]
        release: Callable[..., None] = asyncio.tasks._release_waiter  # type: ignore[attr-defined]

        def counted_on_timeout(timeout: object) -> None:
            self.count += 1
            on_timeout(timeout)

        def counted_release(waiter: "asyncio.Future[object]", *arguments: object) -> None:
            self.count += not waiter.done() and not arguments
            release(waiter, *arguments)

        with (
            patched(asyncio.Timeout, "_on_timeout", counted_on_timeout),
            patched(asyncio.tasks, "_release_waiter", counted_release),
        ):
            yield
