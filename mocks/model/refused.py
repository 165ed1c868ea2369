"""Replies that are no answer of the model: refused or failed; and the headers that all have."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.json import encode as to_json
from msgspec.structs import replace

from ..scenario.faults import Fault
from ..wire.broken_replies import failed
from ..wire.reply import Reply, whole_reply
from .answer import UnusableRequestError, WireFormat
from .rate_limits import Admission

_BAD_REQUEST = 400
_TOO_MANY_REQUESTS = 429
_JSON = MappingProxyType({"content-type": "application/json"})
_SECOND_NS = 1_000_000_000


def bad_request(wire: WireFormat, error: UnusableRequestError) -> Reply:
    """Return the reply to a request that cannot be answered."""
    problem = to_json(wire.error(_BAD_REQUEST, f"warpbench: {error}"))
    return whole_reply(_BAD_REQUEST, _JSON, problem, 0)


def headers_of(wire: WireFormat, session: int, step: int) -> dict[str, str]:
    """Return the headers of every answer: content type, and the name of the request, if any."""
    if wire.request_id_header is None:
        return dict(_JSON)
    return _JSON | {wire.request_id_header: f"req_{session}_{step}"}


def refusal(
    wire: WireFormat, headers: Mapping[str, str], admission: Admission, retry_after_ns: int
) -> Reply:
    """Return the reply to a request that a limit refuses."""
    limited = {
        **headers,
        **wire.limit_headers(admission.allowances),
        "retry-after": str(-(-retry_after_ns // _SECOND_NS)),
        "retry-after-ms": str(-(-retry_after_ns // 1_000_000)),
    }
    error = wire.error(_TOO_MANY_REQUESTS, "warpbench: the scenario's rate limit is reached")
    return whole_reply(_TOO_MANY_REQUESTS, limited, to_json(error), 0)


def struck(reply: Reply, fault: Fault, wire: WireFormat, headers: Mapping[str, str]) -> Reply:
    """Return the reply to a request that meets a fault.

    Args:
        reply: The reply of the script; where the fault alters the answer, with that answer.
        fault: The fault.
        wire: The API.
        headers: Headers of an error.
    """
    if fault.alters_answer:
        return replace(reply, fault=fault.kind)
    return failed(
        reply, fault, headers, lambda status, message: to_json(wire.error(status, message))
    )
