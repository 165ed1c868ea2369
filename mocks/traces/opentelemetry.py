"""Sessions out of spans, by any of the conventions that ``dialects`` knows.

- A model call is one of its session.
- A tool call belongs to the answer before it.
- An agent: its model calls are one session. One inside another agent is nested: a tool call of
  the answer before it.

Model calls without an agent above them are one session for each conversation or trace. What is
left out is counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..redaction import redact
from ..scenario.recording import RecordedCall, RecordedSession, RecordedToolCall
from .dialects import SpanKind, conversation, described, input_tokens, output_tokens, tool_name
from .spans import LONGEST_NS, Key, Span, read_spans
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

_DEEPEST = 20
_LONGEST_TOOL_NAME = 64


def read_opentelemetry(lines: Iterable[bytes], options: TraceOptions) -> Trace:
    """Read the sessions of a file."""
    malformed: Counter[str] = Counter()
    reader = _Reader(read_spans(lines, malformed), options, malformed)
    sessions = reader.sessions()
    if options.sessions is not None:
        sessions = sessions[: options.sessions]
    return Trace(tuple(sessions), reader.tools, malformed, reported_latencies_s(sessions))


class _Reader:
    """Puts spans together to sessions."""

    def __init__(
        self, spans: Mapping[Key, Span], options: TraceOptions, malformed: Counter[str]
    ) -> None:
        self._spans = spans
        self._options = options
        self._malformed = malformed
        self.tools: dict[str, str] = {}
        self._names: dict[str, str] = {}
        # By their owner, an agent's span or a conversation: what happened there, who was called.
        self._happened: dict[Key, list[Span]] = {}
        self._called: dict[Key, list[Key]] = {}
        self._read: set[Key] = set()

    def sessions(self) -> list[RecordedSession]:
        """Return all sessions, in the order of their starts."""
        for span in self._spans.values():
            if span.kind is SpanKind.OTHER:
                self._malformed[f"spans of {described(span.attributes)}: left out"] += 1
            elif span.kind is not SpanKind.AGENT and not self._is_part_of_another(span):
                self._happened.setdefault(self._owner(span), []).append(span)
        nested: set[Key] = set()
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

    def _is_part_of_another(self, span: Span) -> bool:
        """Whether a call is inside one of its kind: two libraries have recorded the same call."""
        for above in self._above(span):
            if above.kind is span.kind:
                what = "model" if span.kind is SpanKind.MODEL_CALL else "tool"
                self._malformed[f"{what} calls inside another one: a part of it"] += 1
                return True
            if above.kind is not SpanKind.OTHER:
                return False
        return False

    def _calls_a_model(self, owner: Key) -> bool:
        return any(span.kind is SpanKind.MODEL_CALL for span in self._happened.get(owner, ()))

    def _owner(self, span: Span) -> Key:
        """Return the agent whose span is above this one, or else the conversation."""
        for above in self._above(span):
            if above.kind is SpanKind.AGENT:
                return above.key
        named = conversation(span.attributes)
        # The first part keeps it apart from the keys of spans.
        return ("", f"conversation {named}") if named is not None else ("", span.trace)

    def _above(self, span: Span) -> Iterator[Span]:
        """Yield the spans above one, from the nearest; malformed ones may form a circle."""
        seen = {span.key}
        above = self._spans.get(span.above)
        while above is not None and above.key not in seen:
            yield above
            seen.add(above.key)
            above = self._spans.get(above.above)

    def _begin_ns(self, owner: Key) -> int:
        return min(span.start_ns for span in self._happened[owner])

    def _session(self, owner: Key, depth: int) -> RecordedSession | None:
        self._read.add(owner)
        happened = sorted(self._happened[owner], key=lambda span: (span.start_ns, span.end_ns))
        chats = [span for span in happened if span.kind is SpanKind.MODEL_CALL]
        if not chats:
            self._malformed["agents that never called a model: left out"] += 1
            return None
        tools: list[list[RecordedToolCall]] = [[] for _ in chats]
        for span in happened:
            if span.kind is SpanKind.TOOL_CALL and not self._is_an_agents(span, owner):
                name = self._tool_name(span)
                self.tools.setdefault(name, f"The tool {name} of the trace.")
                duration_s = round((span.end_ns - span.start_ns) / 1e9, 6)
                tools[_before(chats, span)].append(RecordedToolCall(name, duration_s))
        for called in self._called.get(owner, ()):
            child = self._session(called, depth + 1) if depth < _DEEPEST else None
            if depth == _DEEPEST:
                self._malformed["agents nested too deeply: left out"] += 1
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

    def _is_an_agents(self, tool: Span, owner: Key) -> bool:
        """Whether a tool is but the call of another agent, which is there itself."""
        called = (self._spans[agent] for agent in self._called.get(owner, ()))
        return any(above.key == tool.key for agent in called for above in self._above(agent))

    def _tool_name(self, span: Span) -> str:
        name = tool_name(span.name, span.attributes)
        if name not in self._names:
            self._names[name] = _as_a_tool(name)
        return self._names[name]

    def _call(
        self, chat: Span, following: Span | None, called: Sequence[RecordedToolCall]
    ) -> RecordedCall:
        counts = {
            "input": tokens_of(input_tokens(chat.attributes)),
            "output": tokens_of(output_tokens(chat.attributes)),
        }
        for way, count in counts.items():
            if count is None:
                self._malformed[f"model calls without {way} tokens: took 0"] += 1
        tools = tuple(called)
        if following is None:
            tools = ()
        elif not tools:
            self.tools.setdefault(WORK, "What the agent did between two answers.")
            pause_ns = min(max(0, following.start_ns - chat.end_ns), LONGEST_NS)
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


def _before(chats: Sequence[Span], span: Span) -> int:
    """Return the model call that asked for a tool: the last that started before the tool."""
    return max(
        (index for index, chat in enumerate(chats) if chat.start_ns <= span.start_ns), default=0
    )


def _as_a_tool(name: str) -> str:
    """Return a name as a scenario may have it, and without the secrets in it."""
    name = redact(name)
    allowed = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name)
    return allowed[:_LONGEST_TOOL_NAME]
