"""How OpenAI's two APIs ask for the form of an answer.

Source: the types of the official SDK (``openai.types.chat``, ``openai.types.responses``).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from .answer_options import (
    ANY_OBJECT,
    AS_USUAL,
    MOST_CHOICES,
    AnswerOptions,
    Format,
    ToolChoice,
    ToolMode,
    at_least_one,
    stop_of,
    tool_mode_of,
)

_MODES: Mapping[str, ToolMode] = {
    "auto": ToolMode.AUTO,
    "none": ToolMode.NONE,
    "required": ToolMode.REQUIRED,
}
_NO_SCHEMA = msgspec.Raw(b"null")
_AUTO = ToolChoice()


class _NamedSchema(msgspec.Struct):
    schema: msgspec.Raw = _NO_SCHEMA


class ResponseFormat(msgspec.Struct):
    """The form of the text: in Chat Completions the schema has a level of its own."""

    type: str
    json_schema: _NamedSchema | None = None
    schema: msgspec.Raw = _NO_SCHEMA


class TextOptions(msgspec.Struct):
    """What a request to Responses says of the text."""

    format: ResponseFormat | None = None


class _Named(msgspec.Struct):
    name: str


class _AllowedTools(msgspec.Struct):
    mode: str
    tools: list[dict[str, Any]]


class Choice(msgspec.Struct):
    """A choice of tools that is no single word.

    Chat Completions has a level of its own for the name of a tool and for a set of tools.
    """

    type: str
    name: str | None = None
    function: _Named | None = None
    custom: _Named | None = None
    allowed_tools: _AllowedTools | None = None
    mode: str | None = None
    tools: list[dict[str, Any]] | None = None


def options_of(
    *,
    format_: ResponseFormat | None,
    place: str,
    tool_choice: str | Choice | None,
    parallel: bool | None,
    max_tokens: int | None,
    choices: int | None = None,
    stop: str | list[str] | None = None,
) -> AnswerOptions:
    """Return what a request asks of the form of its answer.

    Args:
        format_: The form of the text.
        place: Where the request has it.
        tool_choice: The choice of tools.
        parallel: Whether an answer may ask for several tools.
        max_tokens: The greatest number of tokens.
        choices: How many answers are asked for.
        stop: Texts before which the answer ends.

    Raises:
        ValueError: It is not valid for the API; the message says what.
    """
    # Most requests ask for nothing.
    if (
        format_ is None
        and tool_choice is None
        and parallel is not False
        and max_tokens is None
        and choices is None
        and stop is None
    ):
        return AS_USUAL
    if (at_least_one(choices, "n") or 1) > MOST_CHOICES:
        raise ValueError(f"`n` is {choices}; it must be {MOST_CHOICES} at most")
    chosen = _tool_choice_of(tool_choice)
    return AnswerOptions(
        format=_format_of(format_, place),
        tool_mode=chosen.mode,
        tool=chosen.tool,
        allowed_tools=chosen.allowed,
        is_one_call=parallel is False,
        max_tokens=at_least_one(max_tokens, "the greatest number of tokens"),
        choices=choices or 1,
        stop=stop_of(stop),
    )


def _format_of(asked: ResponseFormat | None, place: str) -> Format | None:
    match asked:
        case None:
            return None
        case ResponseFormat(type="json_schema"):
            named = asked if asked.json_schema is None else asked.json_schema
            level = "" if asked.json_schema is None else ".json_schema"
            if bytes(named.schema) == bytes(_NO_SCHEMA):
                raise ValueError(f"`{place}{level}` has no `schema`")
            return Format(bytes(named.schema), f"{place}{level}.schema")
        case ResponseFormat(type="json_object"):
            schema = bytes(asked.schema)
            is_given = schema != bytes(_NO_SCHEMA)
            return Format(schema if is_given else ANY_OBJECT, f"{place}.schema")
        case _:
            return None


def _tool_choice_of(asked: str | Choice | None) -> ToolChoice:
    if asked is None:
        return _AUTO
    if isinstance(asked, str):
        return ToolChoice(tool_mode_of(asked, _MODES, "tool_choice"))
    if asked.type == "allowed_tools":
        named = asked.allowed_tools or _AllowedTools(asked.mode or "auto", asked.tools or [])
        mode = tool_mode_of(named.mode, _MODES, "tool_choice.mode")
        return ToolChoice(mode, allowed=tuple(_names_of(named.tools)))
    if asked.type in {"function", "custom"}:
        inner = asked.function or asked.custom
        name = asked.name if inner is None else inner.name
        if not name:
            raise ValueError("`tool_choice` names no tool")
        return ToolChoice(ToolMode.REQUIRED, tool=name)
    return _AUTO  # one of the server's own tools, which the mock does not have


def _names_of(tools: list[dict[str, Any]]) -> list[str]:
    found = []
    for tool in tools:
        inner = tool.get("function", tool.get("custom", tool))
        name = inner.get("name") if isinstance(inner, dict) else None
        if isinstance(name, str):
            found.append(name)
    return found
