"""Sessions of coding agents, one JSON object a line.

The format is that of github.com/callanjfox/kv-cache-tester, folder ``traces``.

Of each request: ``api_time`` is what the model took, ``ttft`` the time to the first token of
a streamed one, ``in`` and ``out`` the tokens, and ``think_time`` the time between the answer
before it and this request: tools, or the person. That becomes the tool call of the answer
before it. An entry of type ``subagent`` is an agent that the session called, with
``requests`` of its own; it runs beside that tool call.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..scenario.recording import RecordedCall, RecordedSession, RecordedToolCall
from .trace import (
    AGENT,
    UNKNOWN_S,
    WORK,
    SubagentForm,
    Trace,
    TraceOptions,
    reported_latencies_s,
    seconds_of,
    tokens_of,
    with_latencies,
    work,
)

_DEEPEST = 20


def read_coding_agent(lines: Iterable[bytes], options: TraceOptions) -> Trace:
    """Read the sessions of a file, line by line."""
    malformed: Counter[str] = Counter()
    sessions: list[RecordedSession] = []
    for line in lines:
        if options.sessions is not None and len(sessions) >= options.sessions:
            break
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            malformed["lines that are not JSON: left out"] += 1
            continue
        requests = row.get("requests") if isinstance(row, dict) else None
        if not isinstance(requests, list):
            malformed["lines without requests: left out"] += 1
            continue
        reader = _Reader(options, malformed)
        session = reader.session(requests, 0.0, 0)
        if session is None:
            malformed["sessions without a usable request: left out"] += 1
        else:
            sessions += [session, *reader.parallel]
    latencies_s = reported_latencies_s(sessions)
    sessions = with_latencies(sessions, latencies_s, malformed)
    tools = {WORK: "What the agent did between two answers: its tools, or the person."}
    if any(tool.session for session in sessions for call in session.calls for tool in call.tools):
        tools[AGENT] = "Another agent, with a session of its own."
    return Trace(tuple(sessions), tools, malformed, latencies_s)


class _Reader:
    """Reads one line: a session, and those that run beside it."""

    def __init__(self, options: TraceOptions, malformed: Counter[str]) -> None:
        self._options = options
        self._malformed = malformed
        self.parallel: list[RecordedSession] = []

    def session(self, entries: list[Any], start_s: float, depth: int) -> RecordedSession | None:
        """Return the session of some requests, or ``None`` if none of them can be used."""
        requests: list[Mapping[str, Any]] = []
        # By the request before it: what an agent that was called did.
        nested: dict[int, list[RecordedSession]] = {}
        for entry in entries:
            if not isinstance(entry, dict):
                self._malformed["requests that are no objects: left out"] += 1
            elif entry.get("type") == "subagent":
                child = self._subagent(entry, start_s, depth)
                if child is not None:
                    nested.setdefault(len(requests) - 1, []).append(child)
            else:
                requests.append(entry)
        if not requests:
            return None
        calls = tuple(self._calls(requests, nested))
        return RecordedSession(start_s, calls)

    def _subagent(
        self, entry: Mapping[str, Any], start_s: float, depth: int
    ) -> RecordedSession | None:
        inner, at_s = entry.get("requests"), seconds_of(entry, "t") or 0.0
        child = None
        if isinstance(inner, list) and depth < _DEEPEST:
            child = self.session(inner, start_s + at_s, depth + 1)
        if child is None:
            self._malformed["nested agents without a usable request: left out"] += 1
        elif self._options.subagents is SubagentForm.PARALLEL:
            self.parallel.append(child)
            return None
        return child

    def _calls(
        self, requests: list[Mapping[str, Any]], nested: Mapping[int, list[RecordedSession]]
    ) -> Iterator[RecordedCall]:
        last = len(requests) - 1
        for stranded in (nested.get(-1, []), nested.get(last, [])):
            if stranded:
                self._malformed[
                    "nested agents before or after all requests: sessions of their own"
                ] += len(stranded)
                self.parallel += stranded
        for index, request in enumerate(requests):
            tools: tuple[RecordedToolCall, ...] = ()
            if index < last:
                think_s = seconds_of(requests[index + 1], "think_time")
                if think_s is None:
                    self._malformed["requests without think_time: took 0 s"] += 1
                agents = (RecordedToolCall(AGENT, 0.0, child) for child in nested.get(index, ()))
                tools = (work(think_s or 0.0), *agents)
            yield self._call(request, tools)

    def _call(
        self, request: Mapping[str, Any], tools: tuple[RecordedToolCall, ...]
    ) -> RecordedCall:
        counts = {key: tokens_of(request.get(key)) for key in ("in", "out")}
        for key, count in counts.items():
            if count is None:
                self._malformed[f"requests without {key!r}: took 0 tokens"] += 1
        latency_s, ttft_s = seconds_of(request, "api_time"), seconds_of(request, "ttft")
        return RecordedCall(
            latency_s=UNKNOWN_S if latency_s is None else latency_s,
            prompt_tokens=counts["in"] or 0,
            completion_tokens=counts["out"] or 0,
            tools=tools,
            ttft_s=None if ttft_s is None or latency_s is None else min(ttft_s, latency_s),
        )
