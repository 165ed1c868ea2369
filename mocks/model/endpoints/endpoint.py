"""What an endpoint beside the model's answers is: the seam that each of them fills."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

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
    """

    name: str
    kind: EndpointKind
    path: re.Pattern[str]
    answers: Answers
    error: Callable[[int, str], object]
    methods: tuple[str, ...] = ("POST",)


def tokens_of(characters: int) -> int:
    """Return about how many tokens a text has: one for four characters, at least one."""
    return max(1, characters // 4)
