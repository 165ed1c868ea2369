"""``gather``: every session in one ``asyncio.gather``, a semaphore letting N of them in."""

import asyncio

from .protocol import AsyncSession, Drives, Strategy, Tasks


async def run(session: AsyncSession, tasks: Tasks, concurrency: int) -> list[str]:
    """Gather all sessions; at most ``concurrency`` hold the semaphore."""
    semaphore = asyncio.Semaphore(concurrency)

    async def admitted(task: str) -> str:
        async with semaphore:
            return await session(task)

    return await asyncio.gather(*(admitted(task) for task in tasks))


STRATEGY = Strategy(
    "gather", "asyncio.gather behind a semaphore of N", Drives.ASYNC, run, is_default=True
)
