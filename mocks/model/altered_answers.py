"""Faults that alter an answer, so that a client still takes it for a proper one."""

from msgspec.structs import replace

from ..scenario.faults import Fault, FaultKind
from .answer import Answer, ToolUse


def altered(answer: Answer, fault: Fault) -> Answer:
    """Return the answer as altered by a fault."""
    if fault.kind is FaultKind.EMPTY_ANSWER:
        return replace(answer, text="", tool_uses=(), completion_tokens=0)
    if fault.kind is FaultKind.UNKNOWN_TOOL:
        return replace(answer, tool_uses=tuple(_of_no_tool(use) for use in answer.tool_uses))
    if fault.kind is FaultKind.INVALID_ARGUMENTS:
        return replace(answer, tool_uses=tuple(_not_json(use) for use in answer.tool_uses))
    return answer


def _of_no_tool(use: ToolUse) -> ToolUse:
    return replace(use, name=f"no_such_tool_{use.name}"[:64])


def _not_json(use: ToolUse) -> ToolUse:
    return replace(use, arguments='{"arguments": ')
