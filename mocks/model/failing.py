"""What a fault makes of an answer, and of a reply."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from pydantic_core import to_json

from ..faults import Fault, FaultKind
from ..reply import Ending, Part, Reply, broken_off, dripping, no_reply, whole_reply
from .answer import Answer, ToolUse, WireFormat

_DRIPS = 10
_JSON = "application/json"


def altered(answer: Answer, fault: Fault | None) -> Answer:
    """Return the answer as a fault that a client takes for a proper answer alters it."""
    if fault is None:
        return answer
    if fault.kind is FaultKind.EMPTY_ANSWER:
        return replace(answer, text="", tool_uses=(), completion_tokens=0)
    if fault.kind is FaultKind.UNKNOWN_TOOL:
        return replace(answer, tool_uses=tuple(_of_no_tool(use) for use in answer.tool_uses))
    if fault.kind is FaultKind.INVALID_ARGUMENTS:
        return replace(answer, tool_uses=tuple(_not_json(use) for use in answer.tool_uses))
    return answer


def failed(reply: Reply, fault: Fault | None, wire: WireFormat) -> Reply:
    """Return the reply as a fault makes it.

    Args:
        reply: What would be sent without it.
        fault: The fault, if there is one.
        wire: The API that is spoken.
    """
    if fault is None:
        return reply
    if fault.kind is FaultKind.STATUS:
        return _error_reply(fault, wire)
    if fault.kind is FaultKind.CONNECT_ERROR:
        return no_reply(Ending.REFUSED, fault.delay_ns)
    if fault.kind is FaultKind.READ_TIMEOUT:
        return no_reply(Ending.SILENT, 0)
    change = _CHANGES.get(fault.kind)
    return reply if change is None else change(reply, fault)


def _of_no_tool(use: ToolUse) -> ToolUse:
    return replace(use, name=f"no_such_tool_{use.name}"[:64])


def _not_json(use: ToolUse) -> ToolUse:
    return replace(use, arguments='{"arguments": ')


def _error_reply(fault: Fault, wire: WireFormat) -> Reply:
    headers = {"content-type": _JSON}
    if fault.retry_after_s is not None:
        headers["retry-after"] = f"{fault.retry_after_s:g}"
    if fault.retry_after_ms is not None:
        headers["retry-after-ms"] = f"{fault.retry_after_ms:g}"
    error = wire.error(fault.status, f"warpbench: a scripted fault, status {fault.status}")
    return whole_reply(fault.status, headers, to_json(error), fault.delay_ns)


def _truncated(reply: Reply, fault: Fault) -> Reply:
    # A proxy that gives up ends a stream as if it were complete; a body's length betrays it.
    ending = Ending.COMPLETE if len(reply.parts) > 1 else Ending.CLOSED
    return broken_off(reply, fault.share, ending)


def _malformed(reply: Reply, fault: Fault) -> Reply:
    index = min(len(reply.parts) - 1, round(len(reply.parts) * fault.share))
    part = reply.parts[index]
    cut = part.data[: max(1, len(part.data.rstrip()) // 2)]
    end = b"\n\n" if part.data.endswith(b"\n\n") else b""
    parts = (*reply.parts[:index], Part(part.at_ns, cut + end), *reply.parts[index + 1 :])
    return replace(reply, parts=parts)


_CHANGES: Mapping[FaultKind, Callable[[Reply, Fault], Reply]] = {
    FaultKind.RESET: lambda reply, fault: broken_off(reply, fault.share, Ending.RESET),
    FaultKind.TRUNCATED: _truncated,
    FaultKind.STALLED: lambda reply, fault: broken_off(reply, fault.share, Ending.SILENT),
    FaultKind.MALFORMED_JSON: _malformed,
    FaultKind.SLOW_DRIP: lambda reply, fault: dripping(reply, fault.delay_ns, _DRIPS),
}
