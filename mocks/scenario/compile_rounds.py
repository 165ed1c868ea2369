"""Compiles the tables of rounds and of conversations: checks, and fills in the defaults."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from .compile_faults import fault_of
from .diagnostics import listed, refuse, shown, unknown
from .distributions import Constant
from .model import ConversationSpec, JsonType, RoundSpec, Timing, ToolCallSpec, ToolSpec
from .schema import ConversationTable, ModelTable, RoundTable, ToolCallTable

_MAX_INTEGER = 2**53
"""Beyond this, JSON numbers no longer mean the same to every reader."""


def rounds_of(
    tables: Sequence[RoundTable],
    model: ModelTable,
    tools: Mapping[str, ToolSpec],
    path: tuple[str | int, ...],
) -> Iterator[RoundSpec]:
    """Yield the rounds that tables at a path declare; the last of each turn asks for no tools.

    Raises:
        DeclarationError: A table contradicts itself, or its place in the turn.
    """
    for index, (part, following) in enumerate(zip_longest(tables, tables[1:])):
        where = (*path, index)
        if part.turn and index == 0:
            refuse("no turn in the first round, which begins one anyway", "one", *where, "turn")
        if following is None or following.turn:
            which = "the last round" + (" of a turn" if following else "")
            if part.tools:
                expected = f"no tools in {which}, the final answer"
                refuse(expected, len(part.tools), *where, "tools")
            if part.repeat != Constant(1):
                refuse(f"no repeat of {which}, the final answer", "one", *where, "repeat")
        elif not part.tools:
            refuse("tools in every round but the last", "none", *where, "tools")
        yield RoundSpec(
            timing=_timing(model, part, where),
            prompt_tokens=part.prompt_tokens or model.prompt_tokens,
            completion_tokens=part.completion_tokens or model.completion_tokens,
            tool_calls=tuple(
                _tool_call(call, tools, (*where, "tools", position))
                for position, call in enumerate(part.tools)
            ),
            repeat=part.repeat,
            begins_turn=part.turn,
        )


def conversations_of(
    tables: Sequence[ConversationTable], model: ModelTable, tools: Mapping[str, ToolSpec]
) -> Iterator[ConversationSpec]:
    """Yield the kinds of conversations that tables declare.

    Raises:
        DeclarationError: A table contradicts itself, or has the name of another.
    """
    names: set[str] = set()
    for index, table in enumerate(tables):
        path = ("conversations", index)
        if table.name in names:
            refuse("a name of its own", f"{shown(table.name)} twice", *path, "name")
        names.add(table.name)
        matches = (table.model, table.system, table.prompt)
        if not table.tools and all(pattern is None for pattern in matches):
            refuse("one of model, system, prompt or tools to match", "none of them", *path)
        # Its own values stand before the model's, and those of its rounds before its own.
        own = model.model_copy(
            update={
                "prompt_tokens": table.prompt_tokens or model.prompt_tokens,
                "completion_tokens": table.completion_tokens or model.completion_tokens,
                **_own_timing(table),
            }
        )
        declared = table.rounds or [RoundTable()]
        yield ConversationSpec(
            name=table.name,
            rounds=tuple(rounds_of(declared, own, tools, (*path, "rounds"))),
            model=table.model,
            system=table.system,
            prompt=table.prompt,
            tools=tuple(table.tools),
            text=table.text,
            faults=None
            if table.faults is None
            else tuple(
                fault_of(part, (*path, "faults", position))
                for position, part in enumerate(table.faults)
            ),
        )


def _own_timing(table: ConversationTable) -> dict[str, object]:
    own: dict[str, object] = {}
    if table.latency_s is not None or table.gap_s is not None:
        own = {"latency_s": table.latency_s, "gap_s": table.gap_s}
    return own if table.ttft_s is None else {**own, "ttft_s": table.ttft_s}


def _timing(model: ModelTable, part: RoundTable, path: tuple[str | int, ...]) -> Timing:
    """Return the timing of a round: its own latency or gap replaces both of the model's."""
    own = part.latency_s is not None or part.gap_s is not None
    latency, gap = (part.latency_s, part.gap_s) if own else (model.latency_s, model.gap_s)
    ttft = part.ttft_s or model.ttft_s
    where = path if own else ("model",)
    if latency is not None and gap is not None:
        refuse("latency_s or gap_s, which each say when an answer ends", "both", *where)
    if latency is None and gap is None:
        refuse("latency_s, or ttft_s and gap_s", "neither", *where, "latency_s")
    if gap is not None and ttft is None:
        refuse("ttft_s beside gap_s", "nothing", *where, "ttft_s")
    return Timing(latency, ttft, gap, model.tokens_per_chunk)


def _tool_call(
    table: ToolCallTable, tools: Mapping[str, ToolSpec], path: tuple[str | int, ...]
) -> ToolCallSpec:
    tool = tools.get(table.tool)
    if tool is None:
        declared = listed(tools) if tools else "a tool declared under [tools]"
        refuse(declared, unknown(table.tool, tools), *path, "tool")
    for name, value in table.arguments.items():
        argument_path = (*path, "arguments", name)
        if name not in tool.parameters:
            expected = listed(tool.parameters) if tool.parameters else "no arguments"
            found = f"the unknown argument {unknown(name, tool.parameters)}"
            refuse(expected, found, *argument_path)
        expected_type = tool.parameters[name]
        if not _is_json(value, expected_type):
            refuse(f"a JSON {expected_type}", shown(value), *argument_path)
    for name, expected_type in tool.parameters.items():
        if name not in table.arguments:
            refuse(f"a JSON {expected_type}", "nothing", *path, "arguments", name)
    return ToolCallSpec(tool, table.arguments, table.latency_s or tool.latency)


def _is_json(value: object, expected: JsonType) -> bool:
    """Return whether a TOML value has a JSON type; NaN and infinity have none."""
    match value:
        case bool():
            return expected is JsonType.BOOLEAN
        case int():
            in_range = abs(value) <= _MAX_INTEGER
            return in_range and expected in {JsonType.INTEGER, JsonType.NUMBER}
        case float():
            return math.isfinite(value) and expected is JsonType.NUMBER
        case str():
            return expected is JsonType.STRING
    return False
