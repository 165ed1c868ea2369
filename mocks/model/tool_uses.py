"""The tool calls of an answer: those of the script, or some of the target's own tools.

Where the request declares the lab's tools, each call carries a *ticket* that leads the tool
to its drawn latency. Where it declares others, the calls go to those in turn, with arguments
made up from their schemas. Where it declares none, the model answers at once.
"""

from collections.abc import Mapping

from pydantic_core import to_json

from ..script import ToolCallScript
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
    """Return what an answer asks for.

    Args:
        calls: What the script asks for.
        declared: The schemas of the tools that the request declares, by name.
        session: Number of the session.
        step: Which of its model calls is answered.
    """
    if not declared:
        return ()
    return tuple(
        _tool_use(call, declared, index, f"{session}.{step}.{index}")
        for index, call in enumerate(calls)
    )


def _tool_use(
    call: ToolCallScript, declared: Mapping[str, Mapping[str, object]], index: int, ticket: str
) -> ToolUse:
    if call.name in declared:
        name, arguments = call.name, dict(call.arguments)
        properties = declared[name].get("properties")
        if isinstance(properties, Mapping) and TICKET in properties:
            arguments[TICKET] = ticket
    else:
        name = list(declared)[index % len(declared)]
        arguments = made_up_arguments(declared[name])
    return ToolUse(name, to_json(arguments).decode())


def made_up_arguments(schema: Mapping[str, object]) -> dict[str, object]:
    """Return arguments that satisfy the required properties of a JSON schema, by type.

    An ``enum`` gives its first member, a ``default`` itself; formats and bounds are not
    looked at.
    """
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return {}
    return {name: _made_up_value(properties.get(name)) for name in required}


def _made_up_value(schema: object) -> object:
    if not isinstance(schema, Mapping):
        return "text"
    if "default" in schema:
        return schema["default"]
    members = schema.get("enum")
    if isinstance(members, list) and members:
        return members[0]
    return _MADE_UP.get(str(schema.get("type")), "text")
