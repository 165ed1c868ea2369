"""``threads``: a pool of N threads, each running plain sessions."""

from concurrent.futures import ThreadPoolExecutor

from .protocol import Drives, Strategy, SyncSession, Tasks


def run(session: SyncSession, tasks: Tasks, concurrency: int) -> list[str]:
    """Hand the sessions to a pool of ``concurrency`` threads."""
    with ThreadPoolExecutor(concurrency) as pool:
        return list(pool.map(session, tasks))


STRATEGY = Strategy(
    "threads", "a pool of N threads, without a loop", Drives.SYNC, run, is_default=True
)
