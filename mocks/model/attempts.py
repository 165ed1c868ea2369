"""Tells attempts at a model call apart: a first one, a retry, a repeat, a sample, a hedge.

Two requests of a session are *equal* if they ask the same at the same place of a conversation. Then

- one that follows an attempt that failed, or was given up, is its *retry*: it gets the same answer;
- one that follows an answer is a *repeat*;
- one that is sent while another is under way is one of several *samples*; the one of them that is
  given up once another has its answer was a *hedge*.

Each but a retry has a latency of its own, of the same answer.
"""

from collections import Counter
from enum import Enum, StrEnum

from ..workload.script import ModelCallScript


class Manner(StrEnum):
    """How a request relates to those before it; one may be limited beside that."""

    FIRST = "first"
    RETRY = "retry"
    REPEAT = "repeat"
    SAMPLE = "sample"
    HEDGE = "hedge"
    LIMITED = "limited"
    """A rate limit refused it."""


class _State(Enum):
    UNDER_WAY = 0
    ANSWERED = 1
    FAILED = 2
    GIVEN_UP = 3


class Attempt:
    """The attempts at one model call that may get one answer; at most one of them is under way.

    Attributes:
        number: Number of what plays the script.
        step: Which of its model calls.
        call: What is played.
        in_round: Which model call of the script asks for its tools: ``step``, unless each answer
            asks for one tool.
        made: How many tools of that one earlier answers asked for.
        manner: How the newest of them relates to the others.
        tries: How many attempts there were, refused ones left out.
        lab_tools: How many calls of the lab's tools its answer asks for.
        equals: Those of all equal requests, in their order; ``None`` while it is the only one.
    """

    __slots__ = (
        "_state",
        "call",
        "equals",
        "in_round",
        "lab_tools",
        "made",
        "manner",
        "number",
        "step",
        "tries",
    )

    number: int
    step: int
    call: ModelCallScript
    in_round: int
    made: int
    manner: Manner
    tries: int
    lab_tools: int
    equals: "Equals | None"

    def __init__(
        self, number: int, step: int, call: ModelCallScript, in_round: int, made: int
    ) -> None:
        self.number = number
        self.step = step
        self.call = call
        self.in_round = in_round
        self.made = made
        self.manner = Manner.FIRST
        self.tries = self.lab_tools = 0
        self.equals = None
        self._state = _State.UNDER_WAY

    @property
    def may_be_retried(self) -> bool:
        """Whether it brought no answer, and has not been retried yet."""
        return self._state is _State.FAILED or self._state is _State.GIVEN_UP

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return self._state is _State.UNDER_WAY

    @property
    def is_answered(self) -> bool:
        """Whether it brought a proper answer."""
        return self._state is _State.ANSWERED

    @property
    def is_given_up(self) -> bool:
        """Whether its client was gone before there was an answer."""
        return self._state is _State.GIVEN_UP

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
        if self.equals is not None:
            self.equals.find_hedges()

    def all_equal(self) -> "list[Attempt]":
        """Return those of all equal requests, in their order."""
        return [self] if self.equals is None else self.equals.attempts

    def beside(self, call: ModelCallScript, counts: Counter[Manner]) -> "Attempt":
        """Add one more, of an equal request that is no retry.

        Args:
            call: What is played to it.
            counts: Counts the requests of each manner.
        """
        if self.equals is None:
            self.equals = Equals(self, counts)
        return self.equals.further(call)


class Equals:
    """The attempts of requests that ask the same at the same place, where there are several.

    Attributes:
        attempts: One for each answer that they may get.
    """

    __slots__ = ("_counts", "attempts")

    def __init__(self, first: Attempt, counts: Counter[Manner]) -> None:
        self._counts = counts
        self.attempts = [first]

    def further(self, call: ModelCallScript) -> Attempt:
        """Add one more."""
        first = self.attempts[0]
        is_sample = any(each.is_under_way for each in self.attempts)
        attempt = Attempt(first.number, first.step, call, first.in_round, first.made)
        attempt.manner = Manner.SAMPLE if is_sample else Manner.REPEAT
        attempt.equals = self
        self.attempts.append(attempt)
        return attempt

    def find_hedges(self) -> None:
        """Call a sample that was given up a hedge, once another has its answer."""
        if not any(each.is_answered for each in self.attempts):
            return
        for each in self.attempts:
            if each.is_given_up and each.manner is not Manner.HEDGE:
                self._counts[each.manner] -= 1
                each.manner = Manner.HEDGE
                self._counts[Manner.HEDGE] += 1
