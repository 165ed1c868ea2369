"""Text of one session that another took up, as a value. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from .formatting import code_place

MOST_LEAKS = 100
"""So many leaks of a cell are kept; the sessions with one are all counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLeak:
    """Text of a session that another one took up.

    Attributes:
        session: The session that took it up.
        owner: The session whose text it is; below 0 for one of the warm-up.
        model_call: In which of its model calls, counted from 1; ``None`` in its answer.
        at_s: When, in seconds from the start of the trial.
        place: The place in the user's code that sent the request; empty if it is not known.
    """

    session: int
    owner: int
    model_call: int | None
    at_s: float
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """Whether sessions kept to themselves.

    Attributes:
        leaks: Text of one session that another took up, in the order in which it was seen.
        leaked_sessions: How many sessions took up such text.
        cache_hits: How many outputs that are nobody's text a session took up from another one.

    Raises:
        ValueError: Sessions took up text, and none of it is known; or the other way round.
    """

    leaks: tuple[TextLeak, ...] = ()
    leaked_sessions: int = 0
    cache_hits: int = 0

    def __post_init__(self) -> None:
        # A file may say anything.
        if self.leaked_sessions < 0 or bool(self.leaks) != bool(self.leaked_sessions):
            raise ValueError(
                f"expected leaks of {self.leaked_sessions} sessions, found {len(self.leaks)}"
            )


NO_LEAKS = Isolation()


def leak_text(owner: int, model_call: int, place: str) -> str:
    """Say what a session did with text of another one, without its subject.

    Args:
        owner: The session whose text it is; below 0 for one of the warm-up.
        model_call: In which of its model calls, counted from 1; 0 in its answer.
        place: The place in the user's code that sent the request; empty if it is not known.
    """
    whose = f"session {owner}" if owner >= 0 else "a session of the warm-up"
    if not model_call:
        return f"handed text of {whose} to its user"
    where = f", at {code_place(place)}" if place else ""
    return f"sent text of {whose} in its model call {model_call}{where}"


def summed(all_of_them: Iterable[Isolation]) -> Isolation:
    """Add up what was seen in several trials."""
    found = tuple(all_of_them)
    return Isolation(
        leaks=tuple(leak for each in found for leak in each.leaks)[:MOST_LEAKS],
        leaked_sessions=sum(each.leaked_sessions for each in found),
        cache_hits=sum(each.cache_hits for each in found),
    )
