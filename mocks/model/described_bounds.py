r"""Bounds that a schema has in its descriptions.

Anthropic's API takes some keywords only. Its SDK writes the others into the description, for the
model to read: ``{"type": "integer", "description": "The age.\n\n{maximum: 130, minimum: 0}"}``. A
model that reads them answers within them, and the SDK's ``messages.parse`` counts on it.

Source: ``anthropic.transform_schema``, which the tests hold this against.
"""

import re
from ast import literal_eval
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from msgspec.json import decode as from_json
from msgspec.json import encode as to_json

_SCHEMAS_KEPT = 256


def _number(text: str) -> object:
    value = literal_eval(text)
    if not isinstance(value, int | float):
        raise ValueError(text)  # noqa: TRY004 - what was read is a text, of another form
    return value


def _pattern(text: str) -> object:
    re.compile(text)
    return text


_READ: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(
        (
            *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
            *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
        ),
        _number,
    ),
    "pattern": _pattern,
    "format": str,
}
# What the SDK may write there besides; its value ends where the next keyword begins.
_BESIDES = ("default", "discriminator", "examples", "additionalProperties", "prefixItems", "title")
_KEYWORD = re.compile(rf"(?:\A|, )({'|'.join((*_READ, *_BESIDES))}): ")
_BLOCK = re.compile(r"(?:\A|\n\n)\{(.+)\}\Z", re.DOTALL)


@lru_cache(_SCHEMAS_KEPT)
def with_described_bounds(schema: bytes) -> bytes:
    """Return the JSON text of a schema with the bounds that its descriptions tell."""
    if b": " not in schema or b"}" not in schema:
        return schema
    return to_json(_with_bounds(from_json(schema)))


def _with_bounds(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_bounds(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _with_bounds(member) for key, member in value.items()}
    description = inner.get("description")
    if isinstance(description, str):
        found = _BLOCK.search(description)
        if found is not None:
            return {**_bounds_in(found[1]), **inner}
    return inner


def _bounds_in(block: str) -> dict[str, object]:
    _, *fields = _KEYWORD.split(block)
    bounds: dict[str, object] = {}
    for keyword, text in zip(fields[::2], fields[1::2], strict=True):
        if keyword in _READ:
            try:
                bounds[keyword] = _READ[keyword](text)
            except (ValueError, SyntaxError, re.error):
                continue  # somebody's own words in braces
    return bounds
