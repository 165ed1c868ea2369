"""Finds whose the inputs of a request to an endpoint are.

The order is that of requests to the model: the context, a header, marks, nobody. But a request with
texts of several sessions, as a worker sends it that collects inputs of all, is booked input by
input: each session that has one waits for it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ..model import Caller, Rule
from ..model.conversations import held_in
from ..model.endpoints import Endpoint


class Booked(NamedTuple):
    """Whose a request is.

    Attributes:
        sessions: The sessions that wait for it, the one that asks first; empty if it is nobody's.
        inputs: How many of its inputs each rule booked.
    """

    sessions: tuple[int, ...]
    inputs: Counter[Rule]


def booked(endpoint: Endpoint, body: bytes, caller: Caller) -> Booked:
    """Return whose a request to an endpoint is.

    Args:
        endpoint: What is asked.
        body: Body of the request.
        caller: Who sends it, as far as its transport knows.
    """
    inputs = _inputs(endpoint, body)
    owners = [held_in(each).owners for each in inputs]
    marked = frozenset().union(*owners)
    if len(marked) < 2 and caller.session is not None:  # noqa: PLR2004  # one session's, or nobody's
        return Booked((caller.session,), Counter({caller.rule: len(inputs)}))
    ones = [next(iter(each)) for each in owners if len(each) == 1]
    counts = Counter({Rule.MARKS: len(ones), Rule.SHARED: len(inputs) - len(ones)})
    waiting = set(ones)
    if caller.session is not None and caller.is_own:
        waiting.add(caller.session)
    # Who asks comes first: what it computes meanwhile is its own.
    in_order = sorted(waiting, key=lambda each: (each != caller.session, each))
    return Booked(tuple(in_order), counts)


def _inputs(endpoint: Endpoint, body: bytes) -> Sequence[bytes]:
    try:
        return endpoint.inputs(body) or (body,)
    except (ValueError, RecursionError):  # the endpoint refuses it
        return (body,)
