"""The tool calls of an answer: those of the script, or some of the target's own tools.

If the request declares the lab's tools, each call has a *ticket* by which the tool finds its
drawn latency. If it declares other tools, the calls go to those in rotation, with arguments made
up from their schemas. If it declares none, the model gives the final answer immediately.
"""

from collections.abc import Mapping

from msgspec.json import encode as to_json

from ..workload.script import ToolCallScript
from .answer import ToolUse

TICKET = "ticket"

_MADE_UP: Mapping[str, object] = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "object": {},
    "null": None,
}


def tool_uses_of(
    calls: tuple[ToolCallScript, ...],
    declared: Mapping[str, Mapping[str, object]],
    session: int,
    step: int,
) -> tuple[ToolUse, ...]:
    """Return the tool calls of an answer.

    Args:
        calls: The tool calls of the script.
        declared: The schemas of the tools that the request declares, by name.
        session: Number of the session.
        step: Which model call of that session is answered.
    """
    if not declared:
        return ()
    return tuple(
        [_tool_use(call, declared, session, step, index) for index, call in enumerate(calls)]
    )


def _tool_use(
    call: ToolCallScript,
    declared: Mapping[str, Mapping[str, object]],
    session: int,
    step: int,
    index: int,
) -> ToolUse:
    if call.name not in declared:
        name = list(declared)[index % len(declared)]
        return ToolUse(name, to_json(made_up_arguments(declared[name])).decode())
    properties = declared[call.name].get("properties")
    if isinstance(properties, dict) and TICKET in properties:
        return ToolUse(call.name, _with_ticket(call.arguments, f"{session}.{step}.{index}"))
    return ToolUse(call.name, call.arguments)


def _with_ticket(arguments: str, ticket: str) -> str:
    separator = "" if arguments == "{}" else ","
    return f'{arguments[:-1]}{separator}"{TICKET}":"{ticket}"}}'


def made_up_arguments(schema: Mapping[str, object]) -> dict[str, object]:
    """Return arguments that satisfy the required properties of a JSON schema, by type.

    An ``enum`` gives its first member, a ``default`` itself; formats and bounds are ignored.
    Other values are made up by type.
    looked at.
    """
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, dict) or not isinstance(required, list):
        return {}
    return {
        name: _made_up_value(properties.get(name)) for name in required if isinstance(name, str)
    }


def _made_up_value(schema: object) -> object:
    if not isinstance(schema, dict):
        return "text"
    if "default" in schema:
        return schema["default"]
    members = schema.get("enum")
    if isinstance(members, list) and members:
        return members[0]
    return _MADE_UP.get(str(schema.get("type")), "text")
