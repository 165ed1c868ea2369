"""How Anthropic's Messages API asks for the form of an answer.

Source: the types of the official SDK (``anthropic.types``). The SDK sends the schema of
``messages.parse`` as ``output_config.format``; its beta has had it as ``output_format``.
"""

from collections.abc import Mapping

import msgspec

from .answer_options import (
    AS_USUAL,
    AnswerOptions,
    Format,
    ToolMode,
    at_least_one,
    stop_of,
    tool_mode_of,
)
from .described_bounds import with_described_bounds

_NO_SCHEMA = msgspec.Raw(b"null")
_MODES: Mapping[str, ToolMode] = {
    "auto": ToolMode.AUTO,
    "none": ToolMode.NONE,
    "any": ToolMode.REQUIRED,
    "tool": ToolMode.REQUIRED,
}


class OutputFormat(msgspec.Struct):
    """The form of the text."""

    type: str
    schema: msgspec.Raw = _NO_SCHEMA


class OutputConfig(msgspec.Struct):
    """What a request says of the output."""

    format: OutputFormat | None = None


class Choice(msgspec.Struct):
    """The choice of tools."""

    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


def options_of(
    *,
    config: OutputConfig | None,
    format_: OutputFormat | None,
    tool_choice: Choice | None,
    max_tokens: int | None,
    stop: list[str] | None,
) -> AnswerOptions:
    """Return what a request asks of the form of its answer.

    Args:
        config: What it says of the output.
        format_: The form of the text, as the beta had it.
        tool_choice: The choice of tools.
        max_tokens: The greatest number of tokens.
        stop: Texts before which the answer ends.

    Raises:
        ValueError: It is not valid for the API; the message says what.
    """
    if (
        config is None
        and format_ is None
        and tool_choice is None
        and max_tokens is None
        and not stop
    ):
        return AS_USUAL
    mode, tool, is_one_call = ToolMode.AUTO, "", False
    if tool_choice is not None:
        mode = tool_mode_of(tool_choice.type, _MODES, "tool_choice.type")
        if tool_choice.type == "tool":
            tool = tool_choice.name or ""
            if not tool:
                raise ValueError("`tool_choice` of type `tool` has no `name`")
        is_one_call = bool(tool_choice.disable_parallel_tool_use)
    return AnswerOptions(
        format=_format_of(config, format_),
        tool_mode=mode,
        tool=tool,
        is_one_call=is_one_call,
        max_tokens=at_least_one(max_tokens, "max_tokens"),
        stop=stop_of(stop),
    )


def _format_of(config: OutputConfig | None, format_: OutputFormat | None) -> Format | None:
    in_config = None if config is None else config.format
    asked, place = in_config or format_, "output_config.format" if in_config else "output_format"
    if asked is None or asked.type != "json_schema":
        return None
    if bytes(asked.schema) == bytes(_NO_SCHEMA):
        raise ValueError(f"`{place}` has no `schema`")
    return Format(with_described_bounds(bytes(asked.schema)), f"{place}.schema")
