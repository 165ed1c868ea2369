"""The scripts of all that is played in a trial, by number: drawn before, or when asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from ..scenario import MAX_SESSIONS, USUAL_MAX_MODEL_CALLS, Scenario
from .numbers import SHARED, kind_of, session_of
from .script import (
    ModelCallScript,
    SessionScript,
    draw_again,
    draw_sample,
    draw_session,
    with_nested,
)
from .waiting import without_wait, without_waits

_KEPT = 10_000


class Scripts(Mapping[int, SessionScript]):
    """The scripts of sessions, of those nested in them, and of their further conversations.

    What is not known is drawn from its number alone, so that each process draws the same. It can
    be sent to another process.

    Args:
        known: Those that were drawn before, by number; ``None``: any session may be asked for.
        scenario: What the others are drawn from; without it a further conversation plays what its
            session does.
        seed: Seed of the draws.
    """

    def __init__(
        self,
        known: Mapping[int, SessionScript] | None,
        scenario: Scenario | None = None,
        seed: int = 0,
    ) -> None:
        self._known = known
        self._scenario = scenario
        self._seed = seed
        self._drawn = lru_cache(_KEPT)(self._draw)
        self._again = lru_cache(_KEPT)(self._draw_again)

    def __reduce__(self) -> tuple[type["Scripts"], tuple[object, ...]]:
        return Scripts, (self._known, self._scenario, self._seed)

    def __getitem__(self, number: int) -> SessionScript:
        if self._known is not None and number in self._known:
            return self._known[number]
        return self._drawn(number)

    def __iter__(self) -> Iterator[int]:
        return iter(range(MAX_SESSIONS) if self._known is None else self._known)

    def __len__(self) -> int:
        return MAX_SESSIONS if self._known is None else len(self._known)

    def again(self, number: int, step: int) -> ModelCallScript:
        """Return the final answer of a conversation once more, for a step beyond its rounds."""
        return self._again(number, step)

    def sample(
        self, number: int, step: int, ordinal: int, call: ModelCallScript
    ) -> ModelCallScript:
        """Return a call with a latency of its own, for one of several that ask for the same.

        Args:
            number: Number of the conversation.
            step: Which of its model calls.
            ordinal: Which of them it is: 0 is ``call`` itself.
            call: The call.
        """
        if self._scenario is None or self._scenario.recording is not None:
            return call
        drawn = draw_sample(self._scenario, self._seed, number, (step, ordinal), call)
        return without_wait(drawn) if _is_of_warm_up(number) else drawn

    def most_model_calls(self, session: int) -> int:
        """Return how many model calls a session may make: far more than its script has."""
        declared = (
            USUAL_MAX_MODEL_CALLS if self._scenario is None else self._scenario.max_model_calls
        )
        return max(declared, 2 * len(self[session].model_calls))

    def _draw(self, number: int) -> SessionScript:
        session = session_of(number)
        is_known = self._known is None or session in self._known or session == SHARED
        if not is_known or (kind_of(number) is None and self._known is not None):
            raise KeyError(number)
        if self._scenario is None:
            return replace(self._any_of(session), session=number)
        if kind_of(number) is None:
            return self._nested(number)
        drawn = draw_session(self._scenario, self._seed, number)
        return without_waits(drawn) if _is_of_warm_up(number) else drawn

    def _any_of(self, session: int) -> SessionScript:
        """Return what a session plays, and for shared work what any of them does."""
        if session == SHARED:
            session = next(iter(self))
        return self[session]

    def _nested(self, number: int) -> SessionScript:
        """Draw a session on demand, or one that is nested in it."""
        if number < 0 or self._scenario is None:
            raise KeyError(number)
        session = session_of(number)
        whole = draw_session(self._scenario, self._seed, session)
        for part in with_nested(whole):
            if part.session == number:
                return part
        raise KeyError(number)

    def _draw_again(self, number: int, step: int) -> ModelCallScript:
        if self._scenario is None or (self._scenario.recording is not None and not kind_of(number)):
            return self[number].model_calls[-1]
        drawn = draw_again(self._scenario, self._seed, number, step)
        return (
            without_waits(SessionScript(number, (drawn,))).model_calls[0] if number < 0 else drawn
        )


def _is_of_warm_up(number: int) -> bool:
    return number < 0 and session_of(number) != SHARED
