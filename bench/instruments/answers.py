"""Sees whose text sessions hand to their users."""

from collections.abc import Iterator, Mapping

from ...mocks.clock import Clock
from ...mocks.model.conversations import held_in
from ...mocks.observe.isolation import IsolationNotes

_MOST_VALUES = 100
"""Values of an answer that are looked into: it may be a graph of objects."""


class Answers(IsolationNotes):
    """The answers of a trial's sessions, and what of other sessions' text they hold.

    Args:
        clock: Says when a session ends.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def take_up(self, session: int, answer: object) -> None:
        """Note what the answer of a session holds."""
        for text in texts_in(answer):
            self.answer(session, held_in(text.encode(errors="replace")), self._clock.now_ns())


def texts_in(answer: object) -> Iterator[str]:
    """Yield the texts in a value, in what containers and plain objects hold, too."""
    seen: set[int] = set()
    to_do = [answer]
    while to_do and len(seen) < _MOST_VALUES:
        value = to_do.pop()
        if isinstance(value, str):
            yield value
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, bytes):
            yield value.decode(errors="replace")
        elif isinstance(value, Mapping):
            to_do += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            to_do += value
        else:
            to_do += vars(value).values() if hasattr(value, "__dict__") else ()
