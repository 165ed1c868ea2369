"""Keeps sync methods out of event loops, which they would block."""

import asyncio

from ..errors import RunningLoopError


def refuse_running_loop(called: str, instead: str) -> None:
    """Make sure that no event loop runs in this thread.

    Args:
        called: The sync method.
        instead: The async form of that method.

    Raises:
        RunningLoopError: An event loop runs in this thread.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RunningLoopError(
        f"{called}() was called in a thread that runs an event loop, and would block it; use "
        f"'await {instead}(…)' here, or call it in another thread (asyncio.to_thread)"
    )
