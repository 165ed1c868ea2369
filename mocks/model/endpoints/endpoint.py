"""What an endpoint beside the model's answers is: the seam that each of them fills."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from ...scenario.endpoints import EndpointKind


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to an endpoint.

    Attributes:
        named: What the path names: the model for instance.
        body: Body of the request.
    """

    named: Mapping[str, str | None]
    body: bytes


class Answers(Protocol):
    """Answers a request from nothing but the request itself."""

    def __call__(self, asked: Asked, /) -> object:
        """Return the JSON of the answer.

        Raises:
            UnusableRequestError: The request cannot be answered.
            ValueError: Its body is not what the endpoint expects.
            RecursionError: Its body is nested too deeply.
        """
        ...


Inputs = Callable[[bytes], Sequence[bytes]]
"""Returns the inputs of a request's body one by one, each as it is written there.

It raises ``ValueError`` or ``RecursionError`` for a body that it cannot read.
"""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_members = msgspec.json.Decoder(list[msgspec.Raw]).decode


def one_input(body: bytes) -> Sequence[bytes]:
    """Return the whole body: what an endpoint is asked is one input."""
    return (body,)


def listed_in(field: str) -> Inputs:
    """Return what takes the inputs from a field that holds one or a list of them."""

    def inputs(body: bytes) -> Sequence[bytes]:
        found = bytes(_fields(body).get(field, b""))
        return list(map(bytes, _members(found))) if found.startswith(b"[") else (body,)

    return inputs


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint beside the model's answers.

    Attributes:
        name: Name of the endpoint, in a path's words.
        kind: What it is in a scenario.
        path: The end of the path of its requests; its groups name what the path names.
        answers: Answers a request.
        error: The JSON of an error: HTTP status, what is wrong.
        methods: HTTP methods of its requests.
        inputs: Takes the inputs from a request's body, of which each may be another session's.
    """

    name: str
    kind: EndpointKind
    path: re.Pattern[str]
    answers: Answers
    error: Callable[[int, str], object]
    methods: tuple[str, ...] = ("POST",)
    inputs: Inputs = one_input


def tokens_of(characters: int) -> int:
    """Return about how many tokens a text has: one for four characters, at least one."""
    return max(1, characters // 4)
