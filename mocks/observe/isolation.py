"""Notes text of one session that another one takes up.

A request of a session that holds text of its own and text of another mixes both: a *leak*. So is an
answer with another's text that a session hands to its user. Who asks proves none by itself: a
batcher that the first session started serves many. An output that was asked for without anybody's
text is public, and whoever takes it up, a cache for instance, has a *cache hit*.
"""

from array import array
from collections.abc import Callable, Iterable
from threading import Lock

import msgspec

from ..workload.marks import Mark
from ..workload.numbers import SHARED, session_of

MOST_LEAKS = 1_000
"""So many leaks of a trial are noted."""


class HeldText(msgspec.Struct, frozen=True):
    """What the mocked world wrote of which a text holds a part.

    Attributes:
        owners: The sessions whose text it holds.
        public: The outputs that are nobody's text.
    """

    owners: frozenset[int] = frozenset()
    public: frozenset[Mark] = frozenset()


NOTHING_HELD = HeldText()


class Leak(msgspec.Struct, frozen=True):
    """Text of a session that another one took up.

    Attributes:
        session: The session that took it up.
        owner: The session whose text it is; below 0 for one of the warm-up.
        step: In which of its model calls, counted from 0; -1 in what it handed to its user.
        at_ns: When, on the clock.
        place: The place in the user's code that sent the request, if it is known.
    """

    session: int
    owner: int
    step: int
    at_ns: int
    place: str = ""


class IsolationNotes:
    """The leaks and cache hits of a trial; safe for threads.

    Args:
        caller: Returns the place in the user's code that is calling.
    """

    def __init__(self, caller: Callable[[], str] = str) -> None:
        self._caller = caller
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Forget all, that of a warm-up for instance."""
        self._leaks: list[Leak] = []
        self._hits: set[tuple[int, Mark]] = set()
        self._known: set[tuple[int, int, int]] = set()
        # Flat, so that what a trial notes is no memory that its sessions seem to keep.
        self._own = array("q")

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """The leaks, in their order, up to ``MOST_LEAKS``."""
        return tuple(self._leaks)

    @property
    def own_calls(self) -> frozenset[tuple[int, int]]:
        """The model calls that hold text of their own session, by number and step."""
        flat = iter(self._own)
        return frozenset(zip(flat, flat, strict=True))

    @property
    def cache_hits(self) -> int:
        """How many outputs that are nobody's text were taken up by a session other than theirs."""
        return len(self._hits)

    def request(self, number: int, step: int, held: HeldText, at_ns: int) -> None:
        """Note what a model call holds that is known to be its session's.

        Args:
            number: Number of the session or conversation.
            step: Which of its model calls.
            held: What the request holds.
            at_ns: When it was asked, on the clock.
        """
        session = session_of(number)
        if session in held.owners:
            with self._lock:
                self._own.extend((number, step))
            if len(held.owners) > 1:
                self._leaked(session, held.owners - {session}, step, at_ns)
        self._taken_up(session, held.public)

    def answer(self, session: int, held: HeldText, at_ns: int) -> None:
        """Note what a session hands to its user.

        Args:
            session: Number of the session.
            held: What that holds.
            at_ns: When the session ended, on the clock.
        """
        self._leaked(session, held.owners - {session}, -1, at_ns)
        self._taken_up(session, held.public)

    def _leaked(self, session: int, owners: Iterable[int], step: int, at_ns: int) -> None:
        for owner in sorted(owners):
            key = session, owner, step
            with self._lock:
                # A retry holds it once more.
                if key in self._known or len(self._leaks) >= MOST_LEAKS:
                    continue
                self._known.add(key)
                place = self._caller() if step >= 0 else ""
                self._leaks.append(Leak(session, owner, step, at_ns, place))

    def _taken_up(self, session: int, public: frozenset[Mark]) -> None:
        for mark in public:
            if session_of(mark.number) not in {session, SHARED}:
                with self._lock:
                    self._hits.add((session, mark))
