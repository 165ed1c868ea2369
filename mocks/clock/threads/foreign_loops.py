"""Names the event loops that no clock keeps time for, by what a thread runs."""

import threading
from types import FrameType

from .frames import frames_by_thread

_FOREIGN = frozenset({"trio", "curio", "gevent", "eventlet"})
"""Packages with an event loop that is neither asyncio's nor uvloop's."""


def foreign_loop_of(thread: threading.Thread) -> str | None:
    """Return the package whose event loop ``thread`` runs, if it is one that no clock knows."""
    frame: FrameType | None = frames_by_thread().get(thread.ident or 0)
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in _FOREIGN:
            return package
        frame = frame.f_back
    return None
