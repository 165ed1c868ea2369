r"""Bounds that a schema has in its descriptions.

Anthropic's API takes some keywords only. Its clients write the others into the description, for the
model to read. A model that reads them answers within them, and the clients count on it:
``{"type": "integer", "description": "The age.\n\n{maximum: 130, minimum: 0}"}``.

Source: ``anthropic.transform_schema``, which the tests hold this against, and the npm package
``@ai-sdk/anthropic``, whose ``sanitizeJsonSchema`` writes ``The age.\nminimum: 0; maximum: 130.``
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from msgspec.json import decode as from_json
from msgspec.json import encode as to_json

_SCHEMAS_KEPT = 256


def _number(text: str) -> object:
    return from_json(text.lower(), type=bool | int | float)


def _pattern(text: str) -> object:
    re.compile(text)
    return text


_READ: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(
        (
            *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
            *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
            *("minProperties", "maxProperties"),
        ),
        _number,
    ),
    "pattern": _pattern,
    "format": str,
}
# What may stand there besides; its value ends where the next keyword begins.
_BESIDES = ("default", "discriminator", "examples", "additionalProperties", "prefixItems", "not")


def _words(keyword: str) -> str:
    return re.sub("[A-Z]", lambda letter: f" {letter[0].lower()}", keyword)


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a client writes bounds: where they stand, and how one is told from the next."""

    block: re.Pattern[str]
    field: re.Pattern[str]


def _manner(block: str, separator: str, names: list[str]) -> _Manner:
    field = rf"(?:\A|{separator})({'|'.join(names)}): "
    return _Manner(re.compile(block, re.DOTALL), re.compile(field))


_KEYWORDS = [*_READ, *_BESIDES]
_KEYWORD_OF = {_words(keyword): keyword for keyword in _KEYWORDS} | {
    each: each for each in _KEYWORDS
}
_MANNERS = (
    _manner(r"(?:\A|\n\n)\{(.+)\}\Z", ", ", _KEYWORDS),
    _manner(r"(?:\A|\n)([^\n]+)\.\Z", "; ", [_words(keyword) for keyword in _KEYWORDS]),
)


@lru_cache(_SCHEMAS_KEPT)
def with_described_bounds(schema: bytes) -> bytes:
    """Return the JSON text of a schema with the bounds that its descriptions tell."""
    return to_json(_with_bounds(from_json(schema)))


def _with_bounds(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_bounds(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _with_bounds(member) for key, member in value.items()}
    description = inner.get("description")
    return {**_bounds_in(description), **inner} if isinstance(description, str) else inner


def _bounds_in(description: str) -> dict[str, object]:
    bounds: dict[str, object] = {}
    for manner in _MANNERS:
        found = manner.block.search(description)
        if found is None:
            continue
        before, *fields = manner.field.split(found[1])
        if before:
            continue  # a sentence
        for name, text in zip(fields[::2], fields[1::2], strict=True):
            keyword = _KEYWORD_OF[name]
            if keyword in _READ:
                try:
                    bounds[keyword] = _READ[keyword](text)
                except (ValueError, re.error):
                    continue  # somebody's own words
    return bounds
