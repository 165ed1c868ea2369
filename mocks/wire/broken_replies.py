"""Replies that a fault breaks, of a model or of a service."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from ..scenario.faults import Fault, FaultKind
from .reply import Ending, Part, Reply, broken_off, dripping, no_reply, whole_reply

ErrorBody = Callable[[int, str], bytes]
"""Writes the body of an error: takes an HTTP status and a message."""

_DRIPS = 10


def failed(
    reply: Reply, fault: Fault, error_headers: Mapping[str, str], error_body: ErrorBody
) -> Reply:
    """Return a reply as broken or delayed by a fault.

    Args:
        reply: The reply without the fault.
        fault: The fault; of a kind that does not alter the answer.
        error_headers: Headers of every error.
        error_body: Writes the body of an error.
    """
    broken = (
        _error_reply(fault, error_headers, error_body)
        if fault.kind is FaultKind.STATUS
        else _CHANGES[fault.kind](reply, fault)
    )
    return replace(broken, fault=fault.kind)


def _error_reply(fault: Fault, error_headers: Mapping[str, str], error_body: ErrorBody) -> Reply:
    headers = {**error_headers}
    if fault.retry_after_s is not None:
        headers["retry-after"] = f"{fault.retry_after_s:g}"
    if fault.retry_after_ms is not None:
        headers["retry-after-ms"] = f"{fault.retry_after_ms:g}"
    body = error_body(fault.status, f"warpbench: a scripted fault, status {fault.status}")
    return whole_reply(fault.status, headers, body, fault.delay_ns)


def _truncated(reply: Reply, fault: Fault) -> Reply:
    # A proxy that gives up ends a stream as if it were complete; a body's length betrays it.
    ending = Ending.COMPLETE if reply.is_stream else Ending.CLOSED
    return broken_off(reply, fault.share, ending)


def _malformed(reply: Reply, fault: Fault) -> Reply:
    index = min(len(reply.parts) - 1, round(len(reply.parts) * fault.share))
    part = reply.parts[index]
    cut = part.data[: max(1, len(part.data.rstrip()) // 2)]
    end = b"\n\n" if part.data.endswith(b"\n\n") else b""
    parts = (*reply.parts[:index], Part(part.at_ns, cut + end), *reply.parts[index + 1 :])
    return replace(reply, parts=parts)


# Every kind that leaves the answer as it is, but an error status: that needs the API's body.
_CHANGES: Mapping[FaultKind, Callable[[Reply, Fault], Reply]] = {
    FaultKind.CONNECT_ERROR: lambda _reply, fault: no_reply(Ending.CLOSED, fault.delay_ns),
    FaultKind.READ_TIMEOUT: lambda _reply, _fault: no_reply(Ending.SILENT, 0),
    FaultKind.RESET: lambda reply, fault: broken_off(reply, fault.share, Ending.RESET),
    FaultKind.TRUNCATED: _truncated,
    FaultKind.STALLED: lambda reply, fault: broken_off(reply, fault.share, Ending.SILENT),
    FaultKind.MALFORMED_JSON: _malformed,
    FaultKind.SLOW_DRIP: lambda reply, fault: dripping(reply, fault.delay_ns, _DRIPS),
}
