"""Requests of BurstGPT: ``Timestamp,Model,Request tokens,Response tokens,…``.

Source: github.com/HPMLL/BurstGPT. Each row is a session of one model call, which starts at its
timestamp, in seconds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from .requests import Request, csv_requests, trace_of
from .trace import Trace, TraceOptions, number_of, tokens_of


def read_burstgpt(lines: Iterable[bytes], options: TraceOptions) -> Trace:
    """Read the requests of a file, line by line."""
    malformed: Counter[str] = Counter()
    return trace_of(csv_requests(lines, _request, malformed), options, malformed)


def _request(row: Mapping[str, object]) -> Request | None:
    at_s = number_of(row.get("Timestamp"))
    prompt, completion = tokens_of(row.get("Request tokens")), tokens_of(row.get("Response tokens"))
    if at_s is None or prompt is None or completion is None:
        return None
    return Request(at_s, prompt, completion)
