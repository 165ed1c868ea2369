"""An instance as JSON text with places for the texts that may be any."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from json import dumps

from msgspec.json import encode as to_json

_WORDS = (
    *("lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing", "elit", "sed", "do"),
    *("eiusmod", "tempor", "incididunt", "ut", "labore", "et", "dolore", "magna", "aliqua"),
)
_USUAL_LENGTH = 24


@dataclass(frozen=True, slots=True)
class FreeString:
    """A string of an instance that may hold any text.

    Attributes:
        ordinal: Its number in the instance; no other string of the instance has it.
        min_length: The least number of characters.
        max_length: The greatest number of characters; ``None`` if there is no bound.
    """

    ordinal: int
    min_length: int
    max_length: int | None


FreeText = Callable[[FreeString], str]
"""Makes the text of a free string, of a length within its bounds."""


def lorem(free: FreeString) -> str:
    """Return some words of Latin, other ones for the next ordinal."""
    return words(free.ordinal, free.min_length, free.max_length)


def words(begin: int, min_length: int, max_length: int | None) -> str:
    """Return words from that number on, of a length within bounds."""
    length = max(_USUAL_LENGTH, min_length)
    text = ""
    index = begin
    while len(text) < length:
        text += (" " if text else "") + _WORDS[index % len(_WORDS)]
        index += 1
    return text if max_length is None else text[:max_length]


@dataclass(frozen=True, slots=True)
class Template:
    """The JSON text of an instance, but for its free strings.

    Attributes:
        constants: The text before each free string, and after the last one.
        free: The free strings.
    """

    constants: tuple[str, ...]
    free: tuple[FreeString, ...]

    def filled(self, text: FreeText) -> str:
        """Return the JSON text of the instance with those texts."""
        parts = [self.constants[0]]
        for free, constant in zip(self.free, self.constants[1:], strict=True):
            parts.append(to_json(text(free)).decode())
            parts.append(constant)
        return "".join(parts)


def template_of(value: object) -> Template:
    """Return the template of a value of JSON, which may hold free strings."""
    constants, free = [""], []
    for part in _parts(value):
        if isinstance(part, FreeString):
            free.append(part)
            constants.append("")
        else:
            constants[-1] += part
    return Template(tuple(constants), tuple(free))


def _parts(value: object) -> Iterator[str | FreeString]:
    if isinstance(value, FreeString):
        yield value
    elif isinstance(value, Mapping):
        separator = "{"
        for name, member in value.items():
            yield f"{separator}{to_json(name).decode()}:"
            yield from _parts(member)
            separator = ","
        yield "}" if value else "{}"
    elif isinstance(value, list):
        separator = "["
        for item in value:
            yield separator
            yield from _parts(item)
            separator = ","
        yield "]" if value else "[]"
    else:
        yield dumps(value, ensure_ascii=False)
