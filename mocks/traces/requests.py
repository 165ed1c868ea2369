"""Traces of single requests: each a time and two counts of tokens, and a session of its own.

Such traces have no latencies: they come from a token model.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..scenario import MAX_SESSIONS
from ..scenario.recording import RecordedCall, RecordedSession
from .trace import Trace, TraceOptions, reported_latencies_s


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a trace: when it was sent, from any zero, and its tokens."""

    at_s: float
    prompt_tokens: int
    completion_tokens: int


def trace_of(
    requests: Iterable[Request | None], options: TraceOptions, malformed: Counter[str]
) -> Trace:
    """Return a trace with a session for each request, in the order of their times.

    Args:
        requests: As the file has them; ``None`` for a row that cannot be used.
        options: Options of the reader.
        malformed: What has been left out so far, which is added to.
    """
    most = MAX_SESSIONS if options.sessions is None else options.sessions
    found: list[Request] = []
    rest = iter(requests)
    while len(found) < most:
        try:
            request = next(rest)
        except StopIteration:
            break
        if request is None:
            malformed["rows without a time or counts of tokens: left out"] += 1
        else:
            found.append(request)
    if len(found) == MAX_SESSIONS and next(rest, None) is not None:
        malformed[f"rows after the first {MAX_SESSIONS:,}: left out, at least"] += 1
    found.sort(key=lambda request: request.at_s)
    sessions = tuple(_session(request, found[0].at_s, options) for request in found)
    return Trace(sessions, {}, malformed, reported_latencies_s(sessions))


def csv_requests(
    lines: Iterable[bytes],
    request_of: Callable[[Mapping[str, object]], Request | None],
    malformed: Counter[str],
) -> Iterator[Request | None]:
    """Yield the requests of a CSV file, a row each, without the rows that are not CSV."""
    rows = csv.DictReader(_text(lines))
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            malformed["rows that are not CSV: left out"] += 1
            continue
        if row is None:
            return
        yield request_of(row)


def _session(request: Request, zero_s: float, options: TraceOptions) -> RecordedSession:
    counts = (request.prompt_tokens, request.completion_tokens)
    call = RecordedCall(
        latency_s=round(options.tokens.latency_s(*counts), 6),
        prompt_tokens=request.prompt_tokens,
        completion_tokens=request.completion_tokens,
        ttft_s=round(options.tokens.ttft_s(request.prompt_tokens), 6),
    )
    return RecordedSession(round(request.at_s - zero_s, 6), (call,))


def _text(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield lines as text, without the mark that some programs put before the first."""
    for line in lines:
        yield line.decode("utf-8", errors="replace").removeprefix("\ufeff")
