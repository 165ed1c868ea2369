"""Tells attempts at a model call apart: a first one, a retry, a repeat, a sample, a hedge.

Two requests of a session are *equal* if they ask the same at the same place of a conversation. Then

- one that follows an attempt that failed, or was given up, is its *retry*: it gets the same answer;
- one that follows an answer is a *repeat*;
- one that is sent while another is under way is one of several *samples*; the one of them that is
  given up once another has its answer was a *hedge*.

Each but a retry has a latency of its own, of the same answer.
"""

from collections import Counter
from enum import StrEnum

from ..workload.script import ModelCallScript


class Manner(StrEnum):
    """How a request relates to those before it."""

    FIRST = "first"
    RETRY = "retry"
    REPEAT = "repeat"
    SAMPLE = "sample"
    HEDGE = "hedge"


class _State(StrEnum):
    UNDER_WAY = "under way"
    ANSWERED = "answered"
    FAILED = "failed"
    GIVEN_UP = "given up"


class Attempt:
    """The attempts at one model call, of which one is under way at the most.

    Attributes:
        number: Number of what plays the script.
        step: Which of its model calls.
        tries: How many attempts there were, refused ones left out.
        manner: How the newest of them relates to the others.
    """

    __slots__ = ("_equals", "_state", "call", "manner", "number", "step", "tries")

    def __init__(
        self, number: int, step: int, manner: Manner, equals: "EqualRequests", call: ModelCallScript
    ) -> None:
        self.number = number
        self.step = step
        self.manner = manner
        self.call = call
        self.tries = 0
        self._equals = equals
        self._state = _State.UNDER_WAY

    @property
    def may_be_retried(self) -> bool:
        """Whether it brought no answer, and has not been retried yet."""
        return self._state in _UNANSWERED

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return self._state is _State.UNDER_WAY

    def begins_again(self) -> None:
        """Record that it is retried."""
        self._state, self.manner = _State.UNDER_WAY, Manner.RETRY

    def ends(self, *, is_answered: bool, is_given_up: bool) -> None:
        """Record how the newest attempt ended.

        Args:
            is_answered: Whether the client had a proper answer in whole.
            is_given_up: Whether the client was gone before there was one.
        """
        if is_answered:
            self._state = _State.ANSWERED
        else:
            self._state = _State.GIVEN_UP if is_given_up else _State.FAILED
        self._equals.find_hedges()

    @property
    def is_answered(self) -> bool:
        """Whether it brought a proper answer."""
        return self._state is _State.ANSWERED

    @property
    def is_given_up(self) -> bool:
        """Whether its client was gone before there was an answer."""
        return self._state is _State.GIVEN_UP


_UNANSWERED = (_State.FAILED, _State.GIVEN_UP)


class EqualRequests:
    """The requests of a session that ask the same at the same place.

    Attributes:
        attempts: One for each answer that they may get.

    Args:
        counts: Counts the requests of each manner.
    """

    __slots__ = ("_counts", "attempts")

    def __init__(self, counts: Counter[Manner]) -> None:
        self._counts = counts
        self.attempts: list[Attempt] = []

    def retried(self) -> Attempt | None:
        """Return the attempt that a further request retries, if there is one."""
        return next((each for each in self.attempts if each.may_be_retried), None)

    def manner_of_next(self) -> Manner:
        """Return how a further request relates to these, if it is no retry."""
        if not self.attempts:
            return Manner.FIRST
        under_way = any(each.is_under_way for each in self.attempts)
        return Manner.SAMPLE if under_way else Manner.REPEAT

    def find_hedges(self) -> None:
        """Call a sample that was given up a hedge, once another has its answer."""
        if len(self.attempts) < 2 or not any(each.is_answered for each in self.attempts):  # noqa: PLR2004
            return
        for each in self.attempts:
            if each.is_given_up and each.manner is not Manner.HEDGE:
                self._counts[each.manner] -= 1
                each.manner = Manner.HEDGE
                self._counts[Manner.HEDGE] += 1
