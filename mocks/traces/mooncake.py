"""Requests of Mooncake's traces: ``timestamp``, ``input_length`` and ``output_length`` a line.

Source: github.com/kvcache-ai/Mooncake. Each line is a session of one model call, which starts at
its timestamp, in milliseconds. What blocks of the prompt are cached (``hash_ids``) is not read.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from .requests import Request, trace_of
from .trace import Trace, TraceOptions, number_of, tokens_of

_MS_PER_S = 1e3


def read_mooncake(lines: Iterable[bytes], options: TraceOptions) -> Trace:
    """Read the requests of a file, line by line."""
    malformed: Counter[str] = Counter()
    return trace_of(_requests(lines, malformed), options, malformed)


def _requests(lines: Iterable[bytes], malformed: Counter[str]) -> Iterator[Request | None]:
    for line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            malformed["lines that are not JSON: left out"] += 1
            continue
        yield _request(row)


def _request(row: object) -> Request | None:
    if not isinstance(row, dict):
        return None
    at_ms = number_of(row.get("timestamp"))
    prompt, completion = tokens_of(row.get("input_length")), tokens_of(row.get("output_length"))
    if at_ms is None or prompt is None or completion is None:
        return None
    return Request(at_ms / _MS_PER_S, prompt, completion)
