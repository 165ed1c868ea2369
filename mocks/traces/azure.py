"""Requests of Azure's LLM inference traces: ``TIMESTAMP,ContextTokens,GeneratedTokens``.

Source: github.com/Azure/AzurePublicDataset. Each row is a session of one model call, which
starts at its timestamp. The trace has no latencies: they come from a token model.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from ..scenario import MAX_SESSIONS
from ..scenario.recording import RecordedCall, RecordedSession
from .trace import Trace, TraceOptions, reported_latencies_s, tokens_of

_COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
_MICROSECONDS = 26
"""Length of ``2023-11-16 18:15:46.680590``: Python reads no finer than that."""


def read_azure(lines: Iterable[bytes], options: TraceOptions) -> Trace:
    """Read the requests of a file, line by line."""
    malformed: Counter[str] = Counter()
    rows = csv.DictReader(_text(lines))
    found: list[tuple[datetime, int, int]] = []
    most = MAX_SESSIONS if options.sessions is None else options.sessions
    while len(found) < most:
        try:
            row = next(rows, None)
        except csv.Error:
            malformed["rows that are not CSV: left out"] += 1
            continue
        if row is None:
            break
        at, prompt, completion = (row.get(column) for column in _COLUMNS)
        time, prompt_tokens, completion_tokens = _time(at), tokens_of(prompt), tokens_of(completion)
        if time is None or prompt_tokens is None or completion_tokens is None:
            malformed["rows without a time or counts of tokens: left out"] += 1
        else:
            found.append((time, prompt_tokens, completion_tokens))
    if len(found) == MAX_SESSIONS and next(rows, None) is not None:
        malformed[f"rows after the first {MAX_SESSIONS:,}: left out, at least"] += 1
    found.sort(key=lambda request: request[0])
    tokens = options.tokens
    sessions = tuple(
        RecordedSession(
            round((time - found[0][0]).total_seconds(), 6),
            (
                RecordedCall(
                    latency_s=round(tokens.latency_s(prompt_tokens, completion_tokens), 6),
                    prompt_tokens=prompt_tokens,
                    completion_tokens=completion_tokens,
                    ttft_s=round(tokens.ttft_s(prompt_tokens), 6),
                ),
            ),
        )
        for time, prompt_tokens, completion_tokens in found
    )
    return Trace(sessions, {}, malformed, reported_latencies_s(sessions))


def _text(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield lines as text, without the mark that some programs put before the first."""
    for line in lines:
        yield line.decode("utf-8", errors="replace").removeprefix("\ufeff")


def _time(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text.strip()[:_MICROSECONDS])
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
