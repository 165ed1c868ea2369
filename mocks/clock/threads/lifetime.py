"""Says whether a thread still lives, and what the interpreter calls it, without Python calls.

A thread that has run its course is torn down a moment later. A clock that looks for threads it
does not know asks about such a thread only if it comes upon one, and that is up to the scheduler.
``Thread.is_alive`` and ``Thread.ident`` are Python functions, which a trial whose calls are
counted would be charged with; before Python 3.13 the former also changes what the next ``join``
does. So their fields are read here, which are private: tests compare them with the methods.
"""

import sys
from collections.abc import Callable
from threading import Thread
from typing import Any


def life_of(thread: Thread) -> Callable[[], bool]:
    """Return what says, whenever it is called, whether a thread that has been started lives.

    It does not keep the ``Thread``, whose end runs code: weak references to it may have callbacks.
    """
    fields: Any = thread
    if sys.version_info >= (3, 13):
        is_done = fields._handle.is_done
        return lambda: not is_done()
    held_while_it_lives = fields._tstate_lock
    is_held: Callable[[], bool] = held_while_it_lives.locked
    return is_held


def is_alive(thread: Thread) -> bool:
    """Return what ``Thread.is_alive`` would of a thread that has been started."""
    fields: Any = thread
    if sys.version_info >= (3, 13):
        return not fields._handle.is_done()
    # One that was not started by `threading`, but asked for itself there, has no lock.
    lock = fields._tstate_lock
    return not fields._is_stopped and (lock is None or lock.locked())


def ident_of(thread: Thread) -> int | None:
    """Return ``thread.ident``."""
    ident: int | None = thread._ident  # type: ignore[attr-defined]
    return ident
