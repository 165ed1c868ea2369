"""``executor``: one event loop that hands plain sessions to a pool of N threads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from .protocol import Drives, Strategy, SyncSession, Tasks


async def run(session: SyncSession, tasks: Tasks, concurrency: int) -> list[str]:
    """Await each session in an executor of ``concurrency`` threads."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(concurrency) as pool:
        return await asyncio.gather(*(loop.run_in_executor(pool, session, task) for task in tasks))


STRATEGY = Strategy(
    "executor", "one loop, sync sessions offloaded to N threads", Drives.SYNC, run, is_default=True
)
