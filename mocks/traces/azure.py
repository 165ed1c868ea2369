"""Requests of Azure's LLM inference traces: ``TIMESTAMP,ContextTokens,GeneratedTokens``.

Source: github.com/Azure/AzurePublicDataset. Each row is a session of one model call, which
starts at its timestamp.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from .requests import Request, csv_requests, trace_of
from .trace import Trace, TraceOptions, tokens_of

_MICROSECONDS = 26
"""Length of ``2023-11-16 18:15:46.680590``: Python reads no finer than that."""

_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


def read_azure(lines: Iterable[bytes], options: TraceOptions) -> Trace:
    """Read the requests of a file, line by line."""
    malformed: Counter[str] = Counter()
    return trace_of(csv_requests(lines, _request, malformed), options, malformed)


def _request(row: Mapping[str, object]) -> Request | None:
    time = _time(row.get("TIMESTAMP"))
    prompt, completion = tokens_of(row.get("ContextTokens")), tokens_of(row.get("GeneratedTokens"))
    if time is None or prompt is None or completion is None:
        return None
    return Request((time - _ZERO).total_seconds(), prompt, completion)


def _time(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text.strip()[:_MICROSECONDS])
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
