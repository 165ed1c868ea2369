"""How Gemini's API asks for the form of an answer.

Source: the types of the official SDK (``google.genai.types.GenerateContentConfig``).
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.json import encode as to_json

from .answer_options import (
    ANY_OBJECT,
    AS_USUAL,
    MOST_CHOICES,
    AnswerOptions,
    Format,
    ToolMode,
    at_least_one,
    stop_of,
    tool_mode_of,
)

_MODES: Mapping[str, ToolMode] = {
    "AUTO": ToolMode.AUTO,
    "VALIDATED": ToolMode.AUTO,
    "ANY": ToolMode.REQUIRED,
    "NONE": ToolMode.NONE,
    "MODE_UNSPECIFIED": ToolMode.AUTO,
}
_JSON = "application/json"
_AFTER_UNDERSCORE = re.compile("_([a-z])")


def options_of(
    generation: Mapping[str, Any] | None, tools: Mapping[str, Any] | None
) -> AnswerOptions:
    """Return what a request asks of the form of its answer.

    Args:
        generation: Its ``generationConfig``.
        tools: Its ``toolConfig``.

    Raises:
        ValueError: It is not valid for the API; the message says what.
    """
    config = _in_camel_case(generation)
    calling = _in_camel_case(_in_camel_case(tools).get("functionCallingConfig"))
    if not config and not calling:
        return AS_USUAL
    choices = at_least_one(_number(config, "candidateCount"), "candidateCount") or 1
    if choices > MOST_CHOICES:
        raise ValueError(f"`candidateCount` is {choices}; it must be {MOST_CHOICES} at most")
    allowed = calling.get("allowedFunctionNames")
    options = AnswerOptions(
        format=_format_of(config),
        tool_mode=tool_mode_of(calling.get("mode", "AUTO"), _MODES, "functionCallingConfig.mode"),
        allowed_tools=tuple(map(str, allowed)) if isinstance(allowed, list) and allowed else None,
        max_tokens=at_least_one(_number(config, "maxOutputTokens"), "maxOutputTokens"),
        choices=choices,
        stop=stop_of(config.get("stopSequences")),
    )
    return AS_USUAL if options == AS_USUAL else options


def _format_of(config: Mapping[str, Any]) -> Format | None:
    if config.get("responseMimeType") != _JSON:
        return None
    for key in ("responseJsonSchema", "responseSchema"):
        schema = config.get(key)
        if schema is not None:
            return Format(to_json(json_schema_of(schema)), f"generationConfig.{key}")
    return Format(ANY_OBJECT, "generationConfig.responseMimeType")


def json_schema_of(schema: Any) -> Any:
    """Return a schema of Google's, whose types are in capitals, as one of JSON Schema."""
    if isinstance(schema, list):
        return [json_schema_of(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.lower() if key == "type" and isinstance(value, str) else json_schema_of(value)
        for key, value in schema.items()
    }


def _number(config: Mapping[str, Any], key: str) -> int | None:
    value = config.get(key)
    if value is not None and not isinstance(value, int):
        raise ValueError(f"`{key}` is {value!r}; it must be a whole number")
    return value


def _in_camel_case(config: object) -> dict[str, Any]:
    """Return a table with its keys as the API itself spells them."""
    if not isinstance(config, dict):
        return {}
    return {
        _AFTER_UNDERSCORE.sub(lambda found: found[1].upper(), str(key)): value
        for key, value in config.items()
    }
