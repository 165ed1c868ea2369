"""Requests that the real API refuses, in a cell and in words. Pure."""

from collections.abc import Iterable
from itertools import chain, islice

from ...mocks.observe.wrong_requests import WrongRequest
from ...mocks.workload.numbers import SHARED
from .formatting import code_place

MOST_WRONG_REQUESTS = 100
"""So many of a cell are kept."""


def first_of(trials: Iterable[Iterable[WrongRequest]]) -> tuple[WrongRequest, ...]:
    """Return those of several trials, as far as they are kept."""
    return tuple(islice(chain.from_iterable(trials), MOST_WRONG_REQUESTS))


def session_sending(request: WrongRequest) -> int | None:
    """Return the session that sent a request; ``None`` for work that sessions share."""
    return None if request.session == SHARED else request.session


def sender_text(session: int | None) -> str:
    """Say who sent a request."""
    return "work that sessions share" if session is None else f"session {session}"


def wrong_request_text(reason: str, model_call: int, place: str) -> str:
    """Say what was sent, without its subject.

    Args:
        reason: What the request holds that the real API refuses.
        model_call: Which model call it was, counted from 1.
        place: The place in the user's code that sent the request; empty if it is not known.
    """
    where = f", at {code_place(place)}" if place else ""
    return f"sent {reason} in its model call {model_call}{where}"
