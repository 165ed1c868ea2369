"""Which threads may run anybody's finalisers at the moment.

A collection runs in whichever thread makes the one object too many, and the finalisers of what it
finds run there, too: that of a ``ThreadPoolExecutor`` wakes the pool's threads. So a thread that
nobody manages may wake one that is, and has not meant to: it is no influence from outside.

The interpreter lets signal handlers run when a Python function begins, and what they raise in one
that the collector calls is lost: Ctrl-C during a collection would do nothing. So what it calls here
is written in C.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import get_ident, local


class Collecting:
    """The threads in which a collection is under way, and those that look at frames."""

    def __init__(self) -> None:
        self._lookers: set[int] = set()
        # What the collector has told of each phase, the latest phase last.
        self._told: dict[str, object] = {}
        self._told_here = local()

    def add_looker(self, ident: int) -> None:
        """Count a thread among those that look at the frames of others, from now on."""
        self._lookers.add(ident)

    def is_here(self) -> bool:
        """Say whether what the calling thread does may be a finaliser's doing."""
        return get_ident() in self._lookers or self._collects_here()

    def callbacks(self) -> tuple[Callable[[str, dict[str, int]], object], ...]:
        """Return what takes note of what the collector says, in the thread in which it runs."""
        return self._told.pop, self._told.__setitem__, partial(setattr, self._told_here)

    def _collects_here(self) -> bool:
        for phase, details in list(self._told.items())[-1:]:  # in one step for other threads
            return phase == "start" and details is getattr(self._told_here, "start", None)
        return False


@contextmanager
def collections_noted(collecting: Collecting) -> Iterator[None]:
    """Tell ``collecting`` of each collection in this scope."""
    with ExitStack() as scope:
        for each in collecting.callbacks():
            gc.callbacks.append(each)
            scope.callback(gc.callbacks.remove, each)
        yield
