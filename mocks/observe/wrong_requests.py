"""Notes requests that the real API refuses, and that the mocked model answered all the same."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock

from ..workload.numbers import session_of

MOST_WRONG_REQUESTS = 1_000
"""So many of a trial are noted."""


@dataclass(frozen=True, slots=True)
class WrongRequest:
    """A request to the model that the real API refuses.

    Attributes:
        session: Number of the session that sent it; ``SHARED`` for work that sessions share.
        step: Which of its model calls, counted from 0.
        reason: What it holds that makes it wrong, as a noun.
        at_ns: When it was sent, on the clock.
        place: The place in the user's code that sent it, if it is known.
    """

    session: int
    step: int
    reason: str
    at_ns: int
    place: str = ""


class WrongRequestNotes:
    """The wrong requests of a trial; safe for threads.

    Of each conversation the first one is noted: there the real API would have ended it, and what
    follows repeats it.

    Args:
        caller: Returns the place in the user's code that is calling.
    """

    def __init__(self, caller: Callable[[], str] = str) -> None:
        self._caller = caller
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Forget all, that of a warm-up for instance."""
        self._noted: list[WrongRequest] = []
        self._known: set[tuple[int, str]] = set()

    @property
    def noted(self) -> tuple[WrongRequest, ...]:
        """Those noted, in their order, up to ``MOST_WRONG_REQUESTS``."""
        return tuple(self._noted)

    def request(self, number: int, step: int, reasons: Iterable[str], at_ns: int) -> None:
        """Note what is wrong with a model call.

        Args:
            number: Number of the session or conversation.
            step: Which of its model calls.
            reasons: What is wrong.
            at_ns: When it was asked, on the clock.
        """
        session = session_of(number)
        for reason in reasons:
            with self._lock:
                if (number, reason) in self._known or len(self._noted) >= MOST_WRONG_REQUESTS:
                    continue
                self._known.add((number, reason))
                self._noted.append(WrongRequest(session, step, reason, at_ns, self._caller()))
