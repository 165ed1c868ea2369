"""Finds threads that a clock does not know: time must not be skipped while there is one.

Such a thread may be about to wake somebody, and a skip would race it. Known are

- *managed* threads, the clock's participants;
- *ignored* threads, declared never to wake anybody: those of a test runner, say; and
- threads that have *ended* for the clock, whose end the system has still to finish.

Any other is an *unknown* thread.
"""

import _thread
import threading
from collections.abc import Callable, Collection, Iterable

from .frames import frames_by_thread
from .lifetime import ident_of, is_alive, life_of


class KnownThreads:
    """The threads that a clock ignores, and those that have ended: it looks for any others.

    Attributes:
        ignored_native_ids: What the system calls the ignored threads, as far as that is known.
    """

    __slots__ = ("_ended", "_ignored", "_ignored_idents", "_main_ident", "ignored_native_ids")

    def __init__(self) -> None:
        self.ignored_native_ids: set[int] = set()
        self._ignored: list[threading.Thread] = []
        self._ignored_idents: set[int] = set()
        # By identifier: threads that have ended for the clock, and whether they still live for
        # the system. The threads themselves are let go, or when that happens would be chance.
        self._ended: dict[int, Callable[[], bool]] = {}
        self._main_ident: int | None = None

    def begin(self) -> None:
        """A scope begins: note which thread is the interpreter's main one."""
        self._main_ident = ident_of(threading.main_thread())

    def ignore(self, thread: threading.Thread) -> None:
        """Ignore a live thread."""
        self._ignored.append(thread)
        if thread.native_id is not None:
            self.ignored_native_ids.add(thread.native_id)

    def ignore_idents(self, idents: Iterable[int]) -> None:
        """Ignore threads by their identifiers, also those that ``threading`` knows nothing of."""
        self._ignored_idents.update(idents)
        self.ignored_native_ids.update(
            thread.native_id
            for thread in threading.enumerate()
            if thread.native_id is not None and thread.ident in self._ignored_idents
        )

    def ignore_below_threading(self, ident: int, native_id: int) -> None:
        """Ignore a live thread that ``threading`` knows nothing of."""
        self._ignored_idents.add(ident)
        self.ignored_native_ids.add(native_id)

    def ignored_names(self) -> frozenset[str]:
        """Return the names of the ignored threads that live, as far as ``threading`` knows them."""
        return frozenset(
            thread.name
            for thread in threading.enumerate()
            if thread in self._ignored or thread.ident in self._ignored_idents
        )

    def note_end_here(self, thread: threading.Thread) -> None:
        """Note that the calling thread, which is ``thread``, has ended for the clock."""
        self._ended[threading.get_ident()] = life_of(thread)

    def is_ending_here(self) -> bool:
        """Say whether the calling thread is one that has ended for the clock.

        While it is being torn down it may still run finalisers.
        """
        lives = self._ended.get(threading.get_ident())
        return lives is not None and lives()

    def forget_ended(self) -> None:
        """A scope ends: forget which threads did in it."""
        self._ended.clear()

    def find_unknown(self, managed: Collection[threading.Thread]) -> str | None:
        """Return the name of a live thread that is not known; ``None`` if there is none.

        Args:
            managed: The threads of the clock's participants.
        """
        # A count first, since this runs at every skip. It is of the interpreter's threads,
        # so that one started below `threading` is not missed; the main thread is not in it.
        # Whether one that has ended is still being torn down is chance: nothing that is called
        # here may be counted as a call of the trial's (see ``lifetime``).
        self._ignored = [thread for thread in self._ignored if is_alive(thread)]
        if self._ignored_idents:
            self._ignored_idents &= frames_by_thread().keys()
        ignored = len(self._ignored) + len(self._ignored_idents)
        if _thread._count() < len(managed) + ignored:
            return None
        # A thread leaves the count before it stops being alive: what is alive is an upper
        # bound of what may be counted.
        self._ended = {ident: lives for ident, lives in self._ended.items() if lives()}
        known_idents = {ident_of(thread) for thread in (*managed, *self._ignored)}
        known_idents |= self._ended.keys() | self._ignored_idents
        for ident in frames_by_thread():
            if ident not in known_idents:
                named = {thread.ident: thread.name for thread in threading.enumerate()}
                return named.get(ident, f"number {ident}")
        if _thread._count() > len(known_idents - {self._main_ident}):
            return "without Python code"
        return None
