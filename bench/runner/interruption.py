"""What ends a run early: Ctrl-C, and a SIGTERM, which strikes like one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """A SIGTERM has come; raised in the main thread, where Ctrl-C is."""


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Raise ``Terminated`` on a SIGTERM in this scope, so that what is finished can be kept.

    In any thread but the main one this does nothing: Python handles signals there alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def signal_of(interruption: KeyboardInterrupt) -> signal.Signals:
    """Return the signal that an interruption comes of."""
    return signal.SIGTERM if isinstance(interruption, Terminated) else signal.SIGINT


def _raise_terminated(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
