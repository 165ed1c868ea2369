"""Which threads may run anybody's finalisers at the moment.

A collection runs in whichever thread makes the one object too many, and the finalisers of what it
finds run there, too: that of a ``ThreadPoolExecutor`` wakes the pool's threads. So a thread that
nobody manages may wake one that is, and has not meant to: it is no influence from outside.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident


class Collecting:
    """The threads in which a collection is under way, and those that look at frames."""

    def __init__(self) -> None:
        self._idents: set[int] = set()
        self._lookers: set[int] = set()

    def add_looker(self, ident: int) -> None:
        """Count a thread among those that look at the frames of others, from now on."""
        self._lookers.add(ident)

    def is_here(self) -> bool:
        """Say whether what the calling thread does may be a finaliser's doing."""
        ident = get_ident()
        return ident in self._idents or ident in self._lookers

    def note(self, phase: str, _info: object) -> None:
        """Take note of what the collector says, in the thread in which it runs."""
        if phase == "start":
            self._idents.add(get_ident())
        else:
            self._idents.discard(get_ident())


@contextmanager
def collections_noted(collecting: Collecting) -> Iterator[None]:
    """Tell ``collecting`` of each collection in this scope."""
    note = collecting.note  # one object: `remove` looks for it
    gc.callbacks.append(note)
    try:
        yield
    finally:
        gc.callbacks.remove(note)
