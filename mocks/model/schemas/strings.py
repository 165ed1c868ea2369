"""A string that satisfies several parts of a schema at once."""

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .bounds import greatest, least, place_of
from .document import Part
from .errors import ContradictionError
from .formats import text_of_format
from .patterns import text_of_pattern
from .templates import FreeString, words

if TYPE_CHECKING:
    from .building import Builder

SHORT = 40
"""A bound below which a string is not free: a text may begin with a mark of that length."""

_TRIES = 60
_NOT_FREE = ("format", "pattern", "contentEncoding", "contentMediaType")


def string_of(builder: "Builder", parts: tuple[Part, ...]) -> str | FreeString:
    """Return a string; a free one where any text of the length will do.

    Raises:
        ContradictionError: None was found.
    """
    at_least: int = greatest(parts, "minLength", 0)
    at_most: int | None = least(parts, "maxLength")
    if at_most is not None and at_least > at_most:
        place = place_of(parts, "minLength", "maxLength")
        raise ContradictionError(place, f"{at_least} characters or more, and {at_most} at most")
    is_bound = any(keyword in part.schema for part in parts for keyword in _NOT_FREE)
    if not is_bound and (at_most is None or at_most >= SHORT):
        return builder.free_string(at_least, at_most)
    for text in _candidates(builder, parts, at_least, at_most):
        is_long_enough = at_least <= len(text) and (at_most is None or len(text) <= at_most)
        if is_long_enough and _fits(builder, parts, text):
            return text
    raise ContradictionError(
        place_of(parts, "minLength", "maxLength", "format", "pattern"),
        "no text was found that has the format, the pattern and the length",
    )


def _candidates(
    builder: "Builder", parts: tuple[Part, ...], at_least: int, at_most: int | None
) -> Iterator[str]:
    random = builder.random
    if any(part.schema.get("contentMediaType") == "application/json" for part in parts):
        yield "{}"
    if any("contentEncoding" in part.schema for part in parts):
        yield b64encode(words(random.randrange(9), at_least, at_most).encode()).decode()
    for form in _values(parts, "format"):
        text = text_of_format(random, form, at_least)
        if text is not None:
            yield text
    for pattern in _values(parts, "pattern"):
        for attempt in range(_TRIES):
            yield _by_pattern(builder, parts, pattern, attempt, at_least)
    for begin in range(random.randrange(9), _TRIES):
        yield words(begin, at_least, at_most)


def _by_pattern(
    builder: "Builder", parts: tuple[Part, ...], pattern: str, attempt: int, at_least: int
) -> str:
    # Every attempt repeats more often, so that a least length is reached.
    repeated = 1 + attempt % 8 + (at_least if attempt % 2 else 0)
    try:
        return text_of_pattern(builder.random, pattern, repeated)
    except re.error as error:
        place = place_of(parts, "pattern")
        raise ContradictionError(place, f"the pattern cannot be read: {error}") from None


def _values(parts: tuple[Part, ...], keyword: str) -> list[Any]:
    return [part.schema[keyword] for part in parts if keyword in part.schema]


def _fits(builder: "Builder", parts: tuple[Part, ...], text: str) -> bool:
    bounds = ("format", "pattern", "minLength", "maxLength")
    return all(
        builder.document.admits(
            {key: part.schema[key] for key in bounds if key in part.schema}, text
        )
        for part in parts
    )
