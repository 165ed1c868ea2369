"""The tool calls of an answer: those of the script, or some of the target's own tools.

If the request declares the lab's tools, each call has a *ticket* by which the tool finds its
drawn latency. A framework may declare them under a prefix (``trips-search``,
``mcp__server__search``). If it declares other tools, the calls go to those in rotation, with
instances of their own schemas for arguments. If it declares none, the model gives the final answer
immediately.

A request may also say which tools to call (``tool_choice``). One that must call a tool in the last
round calls the last of the target's own: frameworks declare the tool that ends a run, or that takes
its result, behind those of the user. For that reason it is not in the rotation before.

A ticket is never made up: no tool of the lab is called for which the script has no call.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

from msgspec.json import decode as from_json
from msgspec.json import encode as to_json

from ..workload.script import ToolCallScript
from .answer import ToolUse, UnusableRequestError
from .answer_options import AS_USUAL, AnswerOptions, ToolMode
from .schemas import Instances, NoInstanceError, lorem

TICKET = "ticket"

Declared = Mapping[str, Mapping[str, object]]


def tool_uses_of(
    calls: tuple[ToolCallScript, ...],
    declared: Declared,
    session: int,
    step: int,
    *,
    instances: Instances,
    options: AnswerOptions = AS_USUAL,
    made: int = 0,
) -> tuple[ToolUse, ...]:
    """Return the tool calls of an answer.

    Args:
        calls: The tool calls of the script.
        declared: The schemas of the tools that the request declares, by name.
        session: Number of the session.
        step: Which model call of that session is answered.
        instances: Makes instances of schemas.
        options: What the request says of its tools.
        made: How many calls earlier answers asked for, if there is one call an answer.

    Raises:
        UnusableRequestError: The request names a tool that cannot be called, or declares one
            whose arguments cannot be made.
    """
    if not declared and not options.tool:
        return ()
    playing = _Playing(declared, session, step, instances)
    if options is AS_USUAL:
        return tuple(playing.uses(calls))
    if options.tool_mode is ToolMode.NONE:
        return ()
    if options.tool:
        return (playing.named(options.tool, calls),)
    if options.allowed_tools is not None:
        allowed = {name: declared[name] for name in options.allowed_tools if name in declared}
        playing = _Playing(allowed, session, step, instances)
    is_required = options.tool_mode is ToolMode.REQUIRED
    found = playing.uses(calls, leaves_last_out=is_required and len(playing.declared) > 1)
    uses = tuple(islice(found, made, made + 1) if options.is_one_call else found)
    return (playing.last_of_own(),) if is_required and not uses else uses


def count_calls(calls: Sequence[ToolCallScript], declared: Declared, options: AnswerOptions) -> int:
    """Count the tool calls of the script that a request's own choice of tools lets be asked for."""
    if options.tool or options.tool_mode is ToolMode.NONE:
        return 0
    if options.allowed_tools is not None:
        declared = {name: declared[name] for name in options.allowed_tools if name in declared}
    if not all(_takes_ticket(schema) for schema in declared.values()):
        return len(calls)
    return sum(_declared_name(call.name, declared) is not None for call in calls)


class _Playing:
    """Plays the calls of one answer with the tools that its request declares."""

    def __init__(self, declared: Declared, session: int, step: int, instances: Instances) -> None:
        self.declared = declared
        self._tag = f"{session}.{step}"
        self._instances = instances

    @cached_property
    def own(self) -> list[str]:
        """The names of the target's own tools."""
        return [name for name, schema in self.declared.items() if not _takes_ticket(schema)]

    def uses(
        self, calls: Sequence[ToolCallScript], *, leaves_last_out: bool = False
    ) -> Iterator[ToolUse]:
        """Yield the calls of the script: of the tools that they name, or of own ones in rotation.

        Args:
            calls: The tool calls of the script.
            leaves_last_out: Whether the last of the target's own tools is in no rotation.
        """
        for index, call in enumerate(calls):
            name = _declared_name(call.name, self.declared)
            if name is not None:
                yield self._scripted(name, call, index)
                continue
            rotation = self.own[:-1] if leaves_last_out else self.own
            if rotation:
                yield self._made_up(rotation[index % len(rotation)], index)

    def named(self, name: str, calls: Sequence[ToolCallScript]) -> ToolUse:
        """Return one call of the tool that the request names."""
        if name not in self.declared:
            raise UnusableRequestError(f"tool_choice names {name!r}, which is not declared")
        for index, call in enumerate(calls):
            if _declared_name(call.name, self.declared) == name:
                return self._scripted(name, call, index)
        if name not in self.own:
            raise UnusableRequestError(
                f"tool_choice names {name!r}, a tool of the lab, which the scenario does not call "
                "in this round"
            )
        return self._made_up(name, 0)

    def last_of_own(self) -> ToolUse:
        """Return a call of the last of the target's own tools."""
        if not self.own:
            raise UnusableRequestError(
                "tool_choice asks for a tool; there are only tools of the lab, and the scenario "
                "calls none of them in this round"
            )
        return self._made_up(self.own[-1], 0)

    def _scripted(self, name: str, call: ToolCallScript, index: int) -> ToolUse:
        schema = self.declared[name]
        if _takes_ticket(schema):
            arguments = _with_ticket(call.arguments, f"{self._tag}.{index}")
            return ToolUse(name, arguments, is_labs=True)
        if self._are_instance(call.arguments, name, schema):
            return ToolUse(name, call.arguments)
        return self._made_up(name, index)

    def _are_instance(self, arguments: str, name: str, schema: Mapping[str, object]) -> bool:
        """Return whether the script's arguments are such as a tool declares."""
        properties = schema.get("properties")
        if isinstance(properties, dict) and not from_json(arguments).keys() <= properties.keys():
            return False
        try:
            return self._instances.admits(_schema_text(schema), arguments)
        except NoInstanceError as error:
            raise _not_made(name, error) from error

    def _made_up(self, name: str, index: int) -> ToolUse:
        schema = self.declared[name]
        if not schema:
            return ToolUse(name, "{}")
        seed = f"{self._tag}.{index}"
        try:
            arguments = self._instances.instance(_schema_text(schema), seed, lorem, is_lean=True)
        except NoInstanceError as error:
            raise _not_made(name, error) from error
        return ToolUse(name, arguments)


def _schema_text(schema: Mapping[str, object]) -> bytes:
    """Return the schema of arguments as JSON text: they are an object, even if it does not say."""
    return to_json(schema if "type" in schema else {"type": "object", **schema})


def _not_made(name: str, error: NoInstanceError) -> UnusableRequestError:
    return UnusableRequestError(
        f"no arguments can be made for the tool {name!r}: its schema, {error.path}: {error.reason}"
    )


def _declared_name(scripted: str, declared: Declared) -> str | None:
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


def _with_ticket(arguments: str, ticket: str) -> str:
    separator = "" if arguments == "{}" else ","
    return f'{arguments[:-1]}{separator}"{TICKET}":"{ticket}"}}'
