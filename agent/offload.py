"""Waiting in an event loop for what runs in a thread or a process."""

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def until_ended(
    submitted: "Future[T]", timeout_s: float | None = None
) -> "asyncio.Future[T] | None":
    """Wait until a submitted call has ended, however it ended.

    A call that runs cannot be stopped. So if this is cancelled it leaves nothing behind: it
    takes the call back or, if it runs already, stays until it ends.

    Returns:
        The call, ended; or ``None`` if it had not ended after ``timeout_s``. Then it was
        taken back, or runs on.
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
