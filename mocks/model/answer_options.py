"""What a request asks of the form of its answer, whichever API it comes by.

A request that asks for nothing has ``AS_USUAL``, the same value each time, so that nobody has to
look at its fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import msgspec


class ToolMode(Enum):
    """Whether an answer may, must or must not ask for tools."""

    AUTO = "the model decides"
    NONE = "no tool"
    REQUIRED = "some tool"


class Format(msgspec.Struct, frozen=True):
    """The form of an answer's text: an instance of a JSON schema.

    Attributes:
        schema: JSON text of the schema.
        place: Where the request has it, for messages.
    """

    schema: bytes
    place: str


class AnswerOptions(msgspec.Struct, frozen=True):
    """What a request asks of the form of its answer.

    Attributes:
        format: The form of the text; ``None`` for plain text.
        tool_mode: Whether the answer asks for tools.
        tool: Name of the one tool that the answer is to ask for, once; empty for any.
        allowed_tools: Names of the tools that the answer may ask for; ``None`` for all declared.
        is_one_call: Whether an answer asks for one tool call at a time.
        max_tokens: The greatest number of tokens of the answer; ``None`` if there is no bound.
        choices: How many answers are asked for.
        stop: Texts before which the answer ends.
    """

    format: Format | None = None
    tool_mode: ToolMode = ToolMode.AUTO
    tool: str = ""
    allowed_tools: tuple[str, ...] | None = None
    is_one_call: bool = False
    max_tokens: int | None = None
    choices: int = 1
    stop: tuple[str, ...] = ()


AS_USUAL = AnswerOptions()

ANY_OBJECT = msgspec.json.encode(
    {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
)
"""The schema of an answer that is to be JSON of any form."""

MOST_CHOICES = 128
"""The greatest number of answers to one request, as OpenAI has it."""


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What a request says of the tools that its answer asks for: see ``AnswerOptions``."""

    mode: ToolMode = ToolMode.AUTO
    tool: str = ""
    allowed: tuple[str, ...] | None = None


def tool_mode_of(word: object, modes: Mapping[str, ToolMode], place: str) -> ToolMode:
    """Return the mode of a word of an API.

    Raises:
        ValueError: The API has no such word.
    """
    mode = modes.get(str(word))
    if mode is None:
        raise ValueError(f"`{place}` is {word!r}, which is none of {', '.join(modes)}")
    return mode


def stop_of(stop: str | list[str] | None) -> tuple[str, ...]:
    """Return the texts before which an answer ends; one that is empty ends nothing."""
    texts = [stop] if isinstance(stop, str) else stop or []
    return tuple(text for text in texts if text)


def at_least_one(value: int | None, place: str) -> int | None:
    """Return a number that a request gives.

    Raises:
        ValueError: It is less than one.
    """
    if value is not None and value < 1:
        raise ValueError(f"`{place}` is {value}; it must be 1 or more")
    return value
