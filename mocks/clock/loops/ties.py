"""The order of what is due on one event loop at one time, where a schedule chooses it."""

from collections.abc import Callable, Sequence

from ..schedule import Choices


class Ties:
    """Names what waits, and orders those that are due together.

    Args:
        choices: Chooses, and names.
        now_ns: Reads the clock, where those that began at one time keep their order; ``None``: any
            order can be.
    """

    def __init__(self, choices: Choices, now_ns: Callable[[], int] | None = None) -> None:
        self._choices = choices
        self._now_ns = now_ns
        self._names: dict[int, str] = {}
        self._began_ns: dict[int, int] = {}

    def begins(self, sequence: int, what: str) -> None:
        """Note a wait that begins in the calling context.

        Args:
            sequence: Its number on this loop.
            what: What is waited for, in a word.
        """
        self._names[sequence] = self._choices.name(what)
        if self._now_ns is not None:
            self._began_ns[sequence] = self._now_ns()

    def is_over(self, sequence: int) -> None:
        """Forget a wait."""
        self._names.pop(sequence, None)
        self._began_ns.pop(sequence, None)

    def ordered(self, due: Sequence[int]) -> list[int]:
        """Return waits that are due together, in the order in which they are over; forget them.

        Args:
            due: Their numbers, in the order of their deadlines.
        """
        left = list(due)
        ordered: list[int] = []
        after = "loop"
        while left:
            first = self._first_of_each_time(left)
            names = [self._names[sequence] for sequence in first]
            place = 0 if len(first) == 1 else self._choices.place(after, names)
            after = names[place]
            ordered.append(first[place])
            left.remove(first[place])
        for sequence in ordered:
            self.is_over(sequence)
        return ordered

    def _first_of_each_time(self, left: Sequence[int]) -> list[int]:
        """Return those that may be next: of those that began at one time the first one."""
        if self._now_ns is None:
            return list(left)
        firsts: dict[int, int] = {}
        for sequence in left:
            firsts.setdefault(self._began_ns[sequence], sequence)
        return list(firsts.values())
