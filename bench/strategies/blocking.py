"""``blocking``: the blunder. Sync sessions called inside coroutines, so nothing overlaps."""

import asyncio

from .protocol import Drives, Strategy, SyncSession, Tasks


async def run(session: SyncSession, tasks: Tasks, _concurrency: int) -> list[str]:
    """Gather coroutines that never give way: each blocks the loop until its session ends."""

    async def blunder(task: str) -> str:
        return session(task)

    return await asyncio.gather(*(blunder(task) for task in tasks))


STRATEGY = Strategy(
    "blocking",
    "the blunder: sync calls inside coroutines",
    Drives.SYNC,
    run,
    one_at_a_time=True,
)
