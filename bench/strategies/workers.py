"""``workers``: N tasks that pull sessions from a queue."""

import asyncio

from .protocol import AsyncSession, Drives, Strategy, Tasks


async def run(session: AsyncSession, tasks: Tasks, concurrency: int) -> None:
    """Let ``concurrency`` workers empty a queue of sessions."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    for task in tasks:
        queue.put_nowait(task)

    async def work() -> None:
        while not queue.empty():
            await session(queue.get_nowait())

    async with asyncio.TaskGroup() as group:
        for _ in range(min(concurrency, len(tasks))):
            group.create_task(work())


STRATEGY = Strategy("workers", "N tasks pulling from a queue", Drives.ASYNC, run)
