"""Faults that alter an answer, so that a client still takes it for a proper one."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from ..scenario.faults import Fault, FaultKind
from .answer import Answer, ToolUse


def altered(answer: Answer, fault: Fault) -> Answer:
    """Return the answer as altered by a fault.

    Args:
        answer: The answer of the script.
        fault: The fault; of a kind that alters the answer.
    """
    change = _CHANGES[fault.kind]
    return replace(change(answer), others=tuple(map(change, answer.others)))


def _empty(answer: Answer) -> Answer:
    return replace(answer, text="", tool_uses=(), completion_tokens=0)


def _of_no_tool(use: ToolUse) -> ToolUse:
    return replace(use, name=f"no_such_tool_{use.name}"[:64])


def _not_json(use: ToolUse) -> ToolUse:
    return replace(use, arguments='{"arguments": ')


def _each_use(change: Callable[[ToolUse], ToolUse]) -> Callable[[Answer], Answer]:
    """Return a change of an answer that changes each of its tool calls."""
    return lambda answer: replace(answer, tool_uses=tuple(map(change, answer.tool_uses)))


# Every kind whose effect is to alter the answer.
_CHANGES: Mapping[FaultKind, Callable[[Answer], Answer]] = {
    FaultKind.INVALID_ARGUMENTS: _each_use(_not_json),
    FaultKind.UNKNOWN_TOOL: _each_use(_of_no_tool),
    FaultKind.EMPTY_ANSWER: _empty,
}
