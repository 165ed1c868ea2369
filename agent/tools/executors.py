"""Hands calls to threads and processes, and waits for them in an event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import ParamSpec, TypeVar

from ..errors import SettingsError

T = TypeVar("T")
Arguments = ParamSpec("Arguments")


def submit(
    executor: Executor,
    function: Callable[Arguments, T],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> "Future[T]":
    """Submit a call to an executor.

    Raises:
        SettingsError: The executor was shut down.
    """
    try:
        return executor.submit(function, *args, **kwargs)
    except RuntimeError as error:
        raise SettingsError(
            f"the executor of plain functions takes no more ({error}); was the agent closed, or "
            "the executor that it was given shut down?"
        ) from error


async def until_ended(
    submitted: "Future[T]", timeout_s: float | None = None
) -> "asyncio.Future[T] | None":
    """Wait until a submitted call has ended, however it ended.

    A running call cannot be stopped. So a cancelled wait leaves nothing behind: it takes the call
    back or, if the call runs already, waits until the call ends.

    Returns:
        The ended call; or ``None`` if it had not ended after ``timeout_s``. Then it was taken
        back, or continues to run.
    """
    waiter = asyncio.wrap_future(submitted)
    try:
        # Unlike `await waiter`, this leaves it alone when it is itself cancelled.
        await asyncio.wait([waiter], timeout=timeout_s)
    except asyncio.CancelledError:
        if not submitted.cancel():
            while not waiter.done():
                # To be cancelled once more changes nothing; the first time is passed on below.
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([waiter])
        raise
    if waiter.done():
        return waiter
    submitted.cancel()
    waiter.cancel()
    return None
