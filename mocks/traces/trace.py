"""The content of a trace, whatever its format: sessions, and a count of malformed rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import median
from typing import Any

from ..scenario.bounds import MAX_LATENCY_S, MAX_TOKENS
from ..scenario.recording import RecordedCall, RecordedSession, RecordedToolCall

WORK = "work"
"""Name of the tool that stands for the time between an answer and the next request."""

AGENT = "agent"
"""Name of the tool that stands for a nested agent."""


class SubagentForm(StrEnum):
    """How the agents that a recorded session called are replayed."""

    NESTED = "nested"
    """A tool call of the session, which runs the other's session."""

    PARALLEL = "parallel"
    """Sessions of their own."""


@dataclass(frozen=True, slots=True)
class TokenModel:
    """A model of latencies, for a trace that has only numbers of tokens.

    The time to the first token is ``overhead_s`` plus the time to read the prompt; each token
    of the answer then takes the same time.

    Attributes:
        overhead_s: Seconds before the prompt is read.
        prompt_tokens_per_s: Tokens of the prompt read a second.
        completion_tokens_per_s: Tokens of the answer written a second.
    """

    overhead_s: float = 0.2
    prompt_tokens_per_s: float = 10_000.0
    completion_tokens_per_s: float = 50.0

    def ttft_s(self, prompt_tokens: int) -> float:
        """Seconds to the first token, no more than a latency may be."""
        return min(self.overhead_s + prompt_tokens / self.prompt_tokens_per_s, MAX_LATENCY_S)

    def latency_s(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Seconds to the last token, no more than a latency may be."""
        writing_s = completion_tokens / self.completion_tokens_per_s
        return min(self.ttft_s(prompt_tokens) + writing_s, MAX_LATENCY_S)


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """Options of reading a trace.

    Attributes:
        subagents: How nested agents are replayed.
        tokens: Model of latencies for a trace that has none.
        sessions: Greatest number of sessions to read; ``None`` for all.
    """

    subagents: SubagentForm = SubagentForm.NESTED
    tokens: TokenModel = field(default_factory=TokenModel)
    sessions: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """The sessions of a trace.

    Attributes:
        sessions: In the order of the file, or of their starts where the trace has them.
        tools: A description of each tool that the sessions call, by name.
        malformed: Number of malformed rows by defect, with what was done about it.
        latencies_s: Seconds of each model call whose latency is in the trace.
    """

    sessions: tuple[RecordedSession, ...]
    tools: Mapping[str, str]
    malformed: Mapping[str, int]
    latencies_s: tuple[float, ...]

    @property
    def calls(self) -> tuple[RecordedCall, ...]:
        """All model calls, including those of nested sessions."""
        return tuple(call for session in self.sessions for call in calls_of(session))


def calls_of(session: RecordedSession) -> Iterable[RecordedCall]:
    """Yield the model calls of a session and of those nested in it."""
    for call in session.calls:
        yield call
        for tool in call.tools:
            if tool.session is not None:
                yield from calls_of(tool.session)


_GREATEST = 1e15

UNKNOWN_S = -1.0
"""Stands for a latency that is not in the trace, until ``with_latencies`` fills it in."""


def reported_latencies_s(sessions: Iterable[RecordedSession]) -> tuple[float, ...]:
    """Return the latencies of all model calls for which they are known."""
    return tuple(
        call.latency_s
        for session in sessions
        for call in calls_of(session)
        if call.latency_s != UNKNOWN_S
    )


def with_latencies(
    sessions: Iterable[RecordedSession], known_s: Sequence[float], malformed: Counter[str]
) -> list[RecordedSession]:
    """Give the calls whose latency is unknown the median of those that are known."""
    typical_s = round(median(known_s), 6) if known_s else 0.0
    filled = 0

    def of_call(call: RecordedCall) -> RecordedCall:
        nonlocal filled
        tools = tuple(
            tool if tool.session is None else replace(tool, session=of_session(tool.session))
            for tool in call.tools
        )
        if call.latency_s != UNKNOWN_S:
            return replace(call, tools=tools)
        filled += 1
        return replace(call, tools=tools, latency_s=typical_s, ttft_s=None)

    def of_session(session: RecordedSession) -> RecordedSession:
        return replace(session, calls=tuple(of_call(call) for call in session.calls))

    done = [of_session(session) for session in sessions]
    if filled:
        malformed[
            f"requests without a latency: replayed with the median of the others, {typical_s:g} s"
        ] += filled
    return done


def work(latency_s: float) -> RecordedToolCall:
    """Return a call of the tool that stands for any work of the agent."""
    return RecordedToolCall(WORK, round(latency_s, 6))


def seconds_of(row: Mapping[str, Any], key: str) -> float | None:
    """Return seconds from a row, or ``None`` if there is no valid value."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared before it is converted: an integer may be greater than any float.
    return float(value) if 0 <= value <= MAX_LATENCY_S else None


def number_of(value: object) -> float | None:
    """Return a number of a row, as JSON or CSV has it, or ``None`` if there is no valid value."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared before it is converted: an integer may be greater than any float.
    return float(value) if -_GREATEST <= value <= _GREATEST else None


def tokens_of(value: object) -> int | None:
    """Return a number of tokens, or ``None`` if there is no valid value."""
    if isinstance(value, str):
        value = int(value) if value.strip().isdecimal() and len(value) < 20 else None  # noqa: PLR2004 - int() is quadratic
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_TOKENS else None
