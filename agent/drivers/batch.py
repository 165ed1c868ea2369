"""Many independent chats, run concurrently."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from ..errors import SettingsError
from ..messages import Answer

Outcome = Answer | Exception
"""The outcome of one chat: its answer, or the exception that ended it."""


async def batch_async(
    messages: Iterable[str], chat: Callable[[str], Awaitable[Answer]], max_concurrency: int
) -> list[Outcome]:
    """Chat about each message, ``max_concurrency`` at a time; outcomes are in the messages' order.

    Raises:
        SettingsError: ``max_concurrency`` is below 1.
    """
    pending = list(enumerate(messages))
    pending.reverse()
    outcomes: dict[int, Outcome] = {}

    async def work() -> None:
        while pending:
            index, message = pending.pop()
            try:
                outcomes[index] = await chat(message)
            except Exception as error:  # noqa: BLE001 - the caller gets it in its place
                outcomes[index] = error

    async with asyncio.TaskGroup() as group:
        for _ in range(min(_checked(max_concurrency), len(pending))):
            group.create_task(work())
    return [outcomes[index] for index in sorted(outcomes)]


def batch(
    messages: Iterable[str], chat: Callable[[str], Answer], max_concurrency: int
) -> list[Outcome]:
    """Chat about each message, in ``max_concurrency`` threads, in the messages' order.

    Raises:
        SettingsError: ``max_concurrency`` is below 1.
    """

    def work(message: str) -> Outcome:
        try:
            return chat(message)
        except Exception as error:  # noqa: BLE001 - the caller gets it in its place
            return error

    with ThreadPoolExecutor(_checked(max_concurrency), "chat") as threads:
        chats = [threads.submit(copy_context().run, work, message) for message in messages]
        try:
            return [chat.result() for chat in chats]
        finally:
            # Only an interrupt reaches this early: start no more chats.
            for each in chats:
                each.cancel()


def _checked(max_concurrency: int) -> int:
    if max_concurrency < 1:
        raise SettingsError(f"max_concurrency is {max_concurrency}; expected at least 1")
    return max_concurrency
