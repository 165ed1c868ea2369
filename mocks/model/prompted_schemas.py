"""A schema that stands in a prompt, where a request asks for JSON and sends no schema.

Clients do so for models that take none: they ask for any JSON, and write the schema into a message.
A model that reads it answers by it.
"""

from collections.abc import Iterable, Iterator, Mapping
from json import JSONDecoder
from typing import Any

from msgspec.json import encode as to_json
from msgspec.structs import replace

from .answer_options import ANY_OBJECT, AnswerOptions, Format

_TELLING = ("properties", "$defs", "definitions")
_TRIES = 100
_decode_at = JSONDecoder().raw_decode


def with_prompted_schema(options: AnswerOptions, contents: Iterable[object]) -> AnswerOptions:
    """Return options by which the answer is an instance of the last schema in the messages.

    Args:
        options: What the request asks for; left as they are unless that is JSON of any form.
        contents: The contents of the messages: text, or lists of parts.
    """
    if options.format is None or options.format.schema is not ANY_OBJECT:
        return options
    for content in reversed(list(contents)):
        for text in _texts(content):
            schema = _schema_in(text)
            if schema is not None:
                found = Format(to_json(schema), "the schema in the prompt", is_prompted=True)
                return replace(options, format=found)
    return options


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, Mapping) and isinstance(part.get("text"), str):
                yield part["text"]


def _schema_in(text: str) -> dict[str, Any] | None:
    """Return the first object of JSON in a text that has a keyword of schemas of objects."""
    at = text.find("{")
    for _ in range(_TRIES):
        if at < 0:
            return None
        try:
            value, end = _decode_at(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if isinstance(value, dict) and not value.keys().isdisjoint(_TELLING):
                return value
        at = text.find("{", end)
    return None
