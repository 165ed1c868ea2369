"""The tool calls of an answer: those of the script, or some of the target's own tools.

If the request declares the lab's tools, each call has a *ticket* by which the tool finds its
drawn latency. A framework may declare them under a prefix (``trips-search``,
``mcp__server__search``). If it declares other tools, the calls go to those in rotation, with the
script's arguments where these fit, or with arguments made up from their schemas. If it declares
none, the model gives the final answer immediately.

A ticket is never made up: no tool of the lab is called for which the script has no call.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.json import decode as from_json
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


_NUMBERS = ("integer", "number")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
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
    uses = [_tool_use(call, declared, session, step, index) for index, call in enumerate(calls)]
    return tuple([use for use in uses if use is not None])


def _tool_use(
    call: ToolCallScript,
    declared: Mapping[str, Mapping[str, object]],
    session: int,
    step: int,
    index: int,
) -> ToolUse | None:
    name = _declared_name(call.name, declared)
    if name is not None:
        schema = declared[name]
        if _takes_ticket(schema):
            arguments = _with_ticket(call.arguments, f"{session}.{step}.{index}")
            return ToolUse(name, arguments, is_labs=True)
        if _fits(call.arguments, schema):
            return ToolUse(name, call.arguments)
        return ToolUse(name, to_json(made_up_arguments(schema)).decode())
    others = [name for name, schema in declared.items() if not _takes_ticket(schema)]
    if not others:
        return None
    name = others[index % len(others)]
    return ToolUse(name, to_json(made_up_arguments(declared[name])).decode())


def _declared_name(scripted: str, declared: Mapping[str, Mapping[str, object]]) -> str | None:
    """Return the name under which a tool of the script is declared, if it is."""
    if scripted in declared:
        return scripted
    prefixed = [
        name
        for name, schema in declared.items()
        if _takes_ticket(schema) and is_known_as(name, scripted)
    ]
    # `trips-research` ends like `search`, too.
    return min(prefixed, key=len, default=None)


def is_known_as(declared: str, name: str) -> bool:
    """Return whether a framework may have declared the tool ``name`` as ``declared``."""
    return _letters(declared).endswith(_letters(name))


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _takes_ticket(schema: Mapping[str, object]) -> bool:
    """Return whether the arguments are those of one of the lab's tools."""
    properties = schema.get("properties")
    return isinstance(properties, dict) and TICKET in properties


def _fits(arguments: str, schema: Mapping[str, object]) -> bool:
    """Return whether arguments have what a schema requires, of the type that it names."""
    found: dict[str, Any] = from_json(arguments)
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    if isinstance(required, list) and not found.keys() >= set(required):
        return False
    if not found.keys() <= properties.keys() and schema.get("additionalProperties") is False:
        return False
    return all(
        isinstance(value, _TYPES.get(str(_type_of(properties.get(name))), object))
        and not (isinstance(value, bool) and _type_of(properties.get(name)) in _NUMBERS)
        for name, value in found.items()
    )


def _type_of(schema: object) -> object:
    return schema.get("type") if isinstance(schema, dict) else None


def _with_ticket(arguments: str, ticket: str) -> str:
    separator = "" if arguments == "{}" else ","
    return f'{arguments[:-1]}{separator}"{TICKET}":"{ticket}"}}'


def made_up_arguments(schema: Mapping[str, object]) -> dict[str, object]:
    """Return arguments that satisfy the required properties of a JSON schema, by type.

    An ``enum`` gives its first member, a ``default`` itself; formats and bounds are ignored.
    Other values are made up by type.
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
