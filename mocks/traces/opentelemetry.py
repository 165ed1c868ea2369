"""Spans by OpenTelemetry's conventions for generative AI, as JSON.

Read are OTLP (``{"resourceSpans": …}``, as collectors and exporters write it, one document or
one a line) and the objects that the Python SDK's console exporter prints. Of the spans,
``gen_ai.operation.name`` says what they are:

- ``chat``, ``text_completion`` and ``generate_content``: a model call,
- ``execute_tool``: a tool call of the answer before it,
- ``invoke_agent``: an agent. Its model calls are one session. One inside another agent is
  nested: a tool call of the answer before it.

Model calls without an agent above them are one session for each conversation or trace.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..redaction import redact
from ..scenario.bounds import MAX_LATENCY_S
from ..scenario.recording import RecordedCall, RecordedSession, RecordedToolCall
from .trace import (
    AGENT,
    WORK,
    SubagentForm,
    Trace,
    TraceOptions,
    reported_latencies_s,
    tokens_of,
    work,
)

_MODEL_CALLS = frozenset({"chat", "text_completion", "generate_content"})
_DEEPEST = 20
_LONGEST_NS = round(MAX_LATENCY_S * 1e9)
_LONGEST_TOOL_NAME = 64
_NOT_JSON = "text that is not JSON: left out"


@dataclass(frozen=True, slots=True)
class _Span:
    trace: str
    span: str
    parent: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]

    @property
    def operation(self) -> str:
        return str(self.attributes.get("gen_ai.operation.name", ""))


def read_opentelemetry(lines: Iterable[bytes], options: TraceOptions) -> Trace:
    """Read the sessions of a file."""
    malformed: Counter[str] = Counter()
    spans = {span.span: span for span in _spans(_documents(lines, malformed), malformed)}
    reader = _Reader(spans, options, malformed)
    sessions = reader.sessions()
    if options.sessions is not None:
        sessions = sessions[: options.sessions]
    return Trace(tuple(sessions), reader.tools, malformed, reported_latencies_s(sessions))


class _Reader:
    """Puts spans together to sessions."""

    def __init__(
        self, spans: Mapping[str, _Span], options: TraceOptions, malformed: Counter[str]
    ) -> None:
        self._spans = spans
        self._options = options
        self._malformed = malformed
        self.tools: dict[str, str] = {}
        self._names: dict[str, str] = {}
        # By their owner, an agent's span or a conversation: what happened there, who was called.
        self._happened: dict[str, list[_Span]] = {}
        self._called: dict[str, list[str]] = {}
        self._read: set[str] = set()

    def sessions(self) -> list[RecordedSession]:
        """Return all sessions, in the order of their starts."""
        for span in self._spans.values():
            if span.operation in _MODEL_CALLS or span.operation == "execute_tool":
                self._happened.setdefault(self._owner(span), []).append(span)
        nested: set[str] = set()
        for owner in self._happened:
            if owner in self._spans and self._options.subagents is SubagentForm.NESTED:
                above = self._owner(self._spans[owner])
                if above != owner and self._calls_a_model(above):
                    self._called.setdefault(above, []).append(owner)
                    nested.add(owner)
        begun = [
            (self._begin_ns(owner), session)
            for owner in self._happened
            if owner not in nested and (session := self._session(owner, 0)) is not None
        ]
        for _ in self._happened.keys() - self._read:
            self._malformed["agents that no session calls: left out"] += 1
        begun.sort(key=lambda each: each[0])
        return [
            RecordedSession(round((begin_ns - begun[0][0]) / 1e9, 6), session.calls)
            for begin_ns, session in begun
        ]

    def _calls_a_model(self, owner: str) -> bool:
        return any(span.operation in _MODEL_CALLS for span in self._happened.get(owner, ()))

    def _owner(self, span: _Span) -> str:
        """Return the agent whose span is above this one, or else the conversation."""
        for above in self._above(span):
            if above.operation == "invoke_agent":
                return above.span
        return f"{span.attributes.get('gen_ai.conversation.id', span.trace)}"

    def _above(self, span: _Span) -> Iterator[_Span]:
        """Yield the spans above one, from the nearest; malformed ones may form a circle."""
        seen = {span.span}
        above = self._spans.get(span.parent)
        while above is not None and above.span not in seen:
            yield above
            seen.add(above.span)
            above = self._spans.get(above.parent)

    def _begin_ns(self, owner: str) -> int:
        return min(span.start_ns for span in self._happened[owner])

    def _session(self, owner: str, depth: int) -> RecordedSession | None:
        self._read.add(owner)
        happened = sorted(self._happened[owner], key=lambda span: (span.start_ns, span.end_ns))
        chats = [span for span in happened if span.operation in _MODEL_CALLS]
        if not chats:
            self._malformed["agents that never called a model: left out"] += 1
            return None
        tools: list[list[RecordedToolCall]] = [[] for _ in chats]
        for span in happened:
            if span.operation == "execute_tool" and not self._is_an_agents(span, owner):
                name = self._tool_name(span)
                self.tools.setdefault(name, f"The tool {name} of the trace.")
                duration_s = round((span.end_ns - span.start_ns) / 1e9, 6)
                tools[_before(chats, span)].append(RecordedToolCall(name, duration_s))
        for called in self._called.get(owner, ()):
            child = self._session(called, depth + 1) if depth < _DEEPEST else None
            if child is not None:
                self.tools.setdefault(AGENT, "Another agent, with a session of its own.")
                place = _before(chats, self._spans[called])
                tools[place].append(RecordedToolCall(AGENT, 0.0, child))
        if tools[-1]:
            self._malformed["tool calls after the last model call: left out"] += len(tools[-1])
        calls = tuple(
            self._call(chat, following, called)
            for chat, following, called in zip(chats, [*chats[1:], None], tools, strict=True)
        )
        return RecordedSession(0.0, calls)

    def _is_an_agents(self, tool: _Span, owner: str) -> bool:
        """Whether a tool is but the call of another agent, which is there itself."""
        called = (self._spans[agent] for agent in self._called.get(owner, ()))
        return any(above.span == tool.span for agent in called for above in self._above(agent))

    def _tool_name(self, span: _Span) -> str:
        name = str(span.attributes.get("gen_ai.tool.name") or WORK)
        if name not in self._names:
            self._names[name] = _as_a_tool(name)
        return self._names[name]

    def _call(
        self, chat: _Span, following: _Span | None, called: Sequence[RecordedToolCall]
    ) -> RecordedCall:
        counts = {
            way: tokens_of(chat.attributes.get(f"gen_ai.usage.{way}_tokens"))
            for way in ("input", "output")
        }
        for way, count in counts.items():
            if count is None:
                self._malformed[f"model calls without {way} tokens: took 0"] += 1
        tools = tuple(called)
        if following is None:
            tools = ()
        elif not tools:
            self.tools.setdefault(WORK, "What the agent did between two answers.")
            pause_ns = min(max(0, following.start_ns - chat.end_ns), _LONGEST_NS)
            tools = (work(pause_ns / 1e9),)
        latency_s = round((chat.end_ns - chat.start_ns) / 1e9, 6)
        ttft_s = chat.attributes.get("gen_ai.response.time_to_first_chunk")
        is_known = isinstance(ttft_s, int | float) and 0 <= ttft_s <= latency_s
        return RecordedCall(
            latency_s=latency_s,
            prompt_tokens=counts["input"] or 0,
            completion_tokens=counts["output"] or 0,
            tools=tools,
            ttft_s=float(ttft_s) if is_known and ttft_s is not None else None,
        )


def _before(chats: Sequence[_Span], span: _Span) -> int:
    """Return the model call that asked for a tool: the last that started before the tool."""
    return max(
        (index for index, chat in enumerate(chats) if chat.start_ns <= span.start_ns), default=0
    )


def _documents(lines: Iterable[bytes], malformed: Counter[str]) -> Iterator[Any]:
    """Yield the JSON documents of a file: one a line, or one over all its lines."""
    whole: list[bytes] = []
    is_one_a_line = False
    for line in lines:
        if not whole and line.strip():
            try:
                yield json.loads(line)
                is_one_a_line = True
            except (ValueError, RecursionError):
                if is_one_a_line:
                    malformed[_NOT_JSON] += 1
                else:
                    whole.append(line)
        elif whole:
            whole.append(line)
    text = b"".join(whole).decode("utf-8", errors="replace")
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            malformed[_NOT_JSON] += 1
            return
        yield document


def _spans(documents: Iterable[Any], malformed: Counter[str]) -> Iterator[_Span]:
    for document in documents:
        for raw in _raw_spans(document):
            span = _span_of(raw)
            if span is None:
                malformed["spans without identifiers or times: left out"] += 1
            else:
                yield span


def _raw_spans(document: Any) -> Iterator[Any]:
    if isinstance(document, list):
        for part in document:
            yield from _raw_spans(part)
    elif isinstance(document, dict) and "resourceSpans" in document:
        for resource in _list_in(document, "resourceSpans"):
            for scope in _list_in(resource, "scopeSpans"):
                yield from _list_in(scope, "spans")
    else:
        yield document


def _list_in(container: Any, key: str) -> list[Any]:
    found = container.get(key) if isinstance(container, dict) else None
    return found if isinstance(found, list) else []


def _span_of(raw: Any) -> _Span | None:
    if not isinstance(raw, dict):
        return None
    try:
        if "context" in raw:  # as the SDK's console exporter prints it
            context = raw["context"]
            span = _Span(
                trace=str(context["trace_id"]),
                span=str(context["span_id"]),
                parent=str(raw.get("parent_id") or ""),
                start_ns=_iso_ns(raw["start_time"]),
                end_ns=_iso_ns(raw["end_time"]),
                attributes=dict(raw.get("attributes") or {}),
            )
        else:
            span = _Span(
                trace=str(raw["traceId"]),
                span=str(raw["spanId"]),
                parent=str(raw.get("parentSpanId") or ""),
                start_ns=_nanoseconds(raw["startTimeUnixNano"]),
                end_ns=_nanoseconds(raw["endTimeUnixNano"]),
                attributes={
                    item["key"]: _value_of(item["value"]) for item in raw.get("attributes") or ()
                },
            )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    # A time of 0 was never set.
    is_timed = span.start_ns > 0 and 0 <= span.end_ns - span.start_ns <= _LONGEST_NS
    return span if is_timed else None


def _nanoseconds(value: object) -> int:
    if isinstance(value, str) and len(value) > 30:  # noqa: PLR2004 - int() is quadratic
        raise ValueError(value[:30])
    return int(str(value))


def _iso_ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6) * 1_000


def _value_of(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return int(content) if kind == "intValue" else content


def _as_a_tool(name: str) -> str:
    """Return a name as a scenario may have it, and without the secrets in it."""
    name = redact(name)
    allowed = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name)
    return allowed[:_LONGEST_TOOL_NAME]
