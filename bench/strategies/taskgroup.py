"""``taskgroup``: every session a task of one ``TaskGroup``, a semaphore letting N of them in."""

import asyncio

from .protocol import AsyncSession, Drives, Strategy, Tasks


async def run(session: AsyncSession, tasks: Tasks, concurrency: int) -> list[str]:
    """Start all sessions in a task group; at most ``concurrency`` hold the semaphore."""
    semaphore = asyncio.Semaphore(concurrency)

    async def admitted(task: str) -> str:
        async with semaphore:
            return await session(task)

    async with asyncio.TaskGroup() as group:
        started = [group.create_task(admitted(task)) for task in tasks]
    return [task.result() for task in started]


STRATEGY = Strategy(
    "taskgroup", "a TaskGroup behind a semaphore of N", Drives.ASYNC, run, is_default=True
)
