"""Tells of the connections that were refused, to whoever counts them.

The guard belongs to the process, and so do its listeners: a refusal in any thread is told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

Told = Callable[[str], None]


class Refusals:
    """The listeners of this process; adding and removing one is atomic."""

    def __init__(self) -> None:
        self._listeners: list[Told] = []

    def tell(self, host: str) -> None:
        """Tell of a host that was not reached.

        Args:
            host: Its name or address, as it was asked for.
        """
        for told in tuple(self._listeners):
            told(host)

    @contextmanager
    def told_to(self, told: Told) -> Iterator[None]:
        """Tell ``told`` of each refusal in this scope, from the thread that is refused."""
        self._listeners.append(told)
        try:
            yield
        finally:
            self._listeners.remove(told)


@cache
def refusals() -> Refusals:
    """Return those of this process."""
    return Refusals()
