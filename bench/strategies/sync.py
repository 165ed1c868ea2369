"""``sync``: one session after another, in plain code."""

from .protocol import Drives, Strategy, SyncSession, Tasks


def run(session: SyncSession, tasks: Tasks, _concurrency: int) -> list[str]:
    """Run each session when the one before it has ended."""
    return [session(task) for task in tasks]


STRATEGY = Strategy(
    "sync", "one session after another", Drives.SYNC, run, one_at_a_time=True, is_default=True
)
