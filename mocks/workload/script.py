"""The script: a scenario drawn with a seed, every wait of every session fixed before the run.

Each draw comes from its own generator, seeded by the scenario's name, the seed, the
session, the round and its repetition. So one more session changes no other, one more round
changes none before it, and no draw depends on the order in which a strategy runs things.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

from msgspec.json import encode as to_json

from ..clock import NANOSECONDS_PER_SECOND
from ..scenario import (
    MAX_REPEAT,
    MAX_SESSIONS,
    NO_LIMITS,
    ModelLimits,
    RoundSpec,
    Scenario,
    ToolCallSpec,
    ToolKind,
    WaitName,
)
from ..scenario.bounds import MAX_TOKENS, latency_ns
from ..scenario.distributions import Constant, Distribution, Mixture
from ..scenario.faults import Fault, FaultSpec, draw_faults
from ..scenario.model import Timing
from ..scenario.nearer import Nearer
from ..scenario.recording import RecordedCall, RecordedSession, RecordedToolCall
from .numbers import kind_of, nested_number, session_of

__all__ = [
    "Gaps",
    "ModelCallScript",
    "Script",
    "SessionScript",
    "ToolCallScript",
    "ToolKind",
    "draw",
    "draw_again",
    "draw_sample",
    "draw_session",
    "piece_times_ns",
    "roots",
    "with_nested",
]


_COUNTED = Constant(0)
"""Drawn in place of the tokens of a prompt that are counted: each draw keeps its place."""


@dataclass(frozen=True, slots=True)
class ToolCallScript:
    """One call that an answer asks for.

    Attributes:
        name: Name of the tool.
        arguments: The arguments as declared in the scenario: a JSON object as text.
        kind: How the tool spends its time.
        latency_ns: Nanoseconds of the call: waited for, or computed by a ``cpu`` tool.
        session: The session that the tool runs after that, if it is a nested agent.
    """

    name: str
    arguments: str
    kind: ToolKind
    latency_ns: int
    session: "SessionScript | None" = None


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps between the pieces of a streamed answer, drawn again where they are needed.

    A long answer has thousands of gaps: the seed stands for them, and always gives the same.

    Attributes:
        seconds: What each gap is drawn from.
        seed: Seeds the draws.
    """

    seconds: Distribution
    seed: str

    def draw_ns(self, count: int) -> Iterator[int]:
        """Yield the first ``count`` gaps in nanoseconds."""
        if isinstance(self.seconds, Constant):
            yield from [latency_ns(self.seconds.value)] * count
            return
        generator = Random(self.seed)
        for _ in range(count):
            yield latency_ns(self.seconds.draw(generator))


@dataclass(frozen=True, slots=True)
class ModelCallScript:
    """One model call: its timing, and the tools that its answer asks for (none if it is final).

    Attributes:
        latency_ns: From the request to the end of the answer, streamed or not.
        prompt_tokens: Tokens of the prompt, as the model reports them; 0 if they are counted.
        completion_tokens: Tokens of the answer, as the model reports them.
        tool_calls: What the answer asks for.
        ttft_ns: Nanoseconds to the first token of a streamed answer; ``None``: to its end.
        pieces: Pieces of a streamed answer.
        gaps: The gaps between the pieces; ``None``: they are even.
        faults: The faults of the first attempts, one each.
        counts_prompt: Whether the tokens of the prompt are counted from what is sent.
    """

    latency_ns: int
    prompt_tokens: int
    completion_tokens: int
    tool_calls: tuple[ToolCallScript, ...]
    ttft_ns: int | None = None
    pieces: int = 1
    gaps: Gaps | None = None
    faults: tuple[Fault, ...] = ()
    counts_prompt: bool = False

    @property
    def calls_its_tools(self) -> bool:
        """Whether the answer that is accepted is the script's, and not one a fault altered."""
        return not (self.faults and self.faults[-1].alters_answer)


@dataclass(frozen=True, slots=True)
class SessionScript:
    """The model calls of a session or conversation in order; a turn's last asks for no tools.

    Attributes:
        session: Its number (see ``numbers``).
        model_calls: The model calls.
        text: The text of its final answers; ``None``: filler of as many tokens as were drawn.
    """

    session: int
    model_calls: tuple[ModelCallScript, ...]
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """The sessions of one scenario, drawn with one seed, and what the model lets through.

    Attributes:
        scenario: The scenario's name.
        seed: The seed.
        sessions: The sessions.
        limits: What the model's server lets through.
        beside: Sessions of other processes that the same server serves.
    """

    scenario: str
    seed: int
    sessions: tuple[SessionScript, ...]
    limits: ModelLimits = NO_LIMITS
    beside: tuple[SessionScript, ...] = ()


def draw(scenario: Scenario, seed: int, sessions: int | None = None) -> Script:
    """Draw a scenario.

    Args:
        scenario: What to draw.
        seed: Any integer; the same seed gives the same script on every machine.
        sessions: How many sessions, numbered from 0; by default as many as the scenario
            says.

    Raises:
        ValueError: ``sessions`` is negative.
    """
    count = scenario.sessions if sessions is None else sessions
    if count < 0:
        raise ValueError(f"expected at least 0 sessions, found {count}")
    drawn = tuple(draw_session(scenario, seed, session) for session in range(count))
    return Script(scenario.name, seed, drawn, scenario.limits)


def draw_session(scenario: Scenario, seed: int, session: int) -> SessionScript:
    """Draw one session, or one of the conversations that it holds beside its main one.

    Args:
        scenario: What to draw.
        seed: Seed of the script.
        session: Its number (see ``numbers``); negative ones serve for warming up, as they are no
            part of a script.
    """
    kind = kind_of(session)
    if scenario.recording is not None and not kind:
        recorded = scenario.recording.sessions
        replayed = recorded[abs(session_of(session)) % len(recorded)]
        return _replay(scenario, seed, session, replayed, is_main=kind is None)
    spec = _spec_of(scenario, kind)
    calls: list[ModelCallScript] = []
    for number, part in enumerate(spec.rounds):
        stream = f"{scenario.name}/{seed}/{session}/{number}"
        for repetition in range(_repetitions(part.repeat, stream)):
            calls.append(_draw_call(part, spec, session, f"{stream}/{repetition}", len(calls)))
    return SessionScript(session, tuple(calls), spec.text)


def draw_again(scenario: Scenario, seed: int, session: int, step: int) -> ModelCallScript:
    """Draw the final answer once more, for a step of a conversation beyond its rounds.

    Args:
        scenario: What to draw.
        seed: Seed of the script.
        session: Number of the session or conversation.
        step: Which of its model calls this is.
    """
    spec = _spec_of(scenario, kind_of(session))
    stream = f"{scenario.name}/{seed}/{session}/again/{step}"
    return _draw_call(spec.rounds[-1], spec, session, stream, step)


def draw_sample(
    scenario: Scenario, seed: int, session: int, which: tuple[int, int], call: ModelCallScript
) -> ModelCallScript:
    """Draw a model call once more, for one of several equal requests: it asks for the same tools.

    Args:
        scenario: What to draw.
        seed: Seed of the script.
        session: Number of the session or conversation.
        which: Which of its model calls, and which of the equal requests, counted from 1.
        call: The call as it was drawn first.
    """
    spec = _spec_of(scenario, kind_of(session))
    step, ordinal = which
    part = _round_of(spec, scenario, seed, session, step)
    stream = f"{scenario.name}/{seed}/{session}/sample/{step}/{ordinal}"
    return replace(_draw_call(part, spec, session, stream, step), tool_calls=call.tool_calls)


def _round_of(spec: "_Spec", scenario: Scenario, seed: int, session: int, step: int) -> RoundSpec:
    """Return the round that a step of a conversation is drawn from."""
    for number, part in enumerate(spec.rounds):
        step -= _repetitions(part.repeat, f"{scenario.name}/{seed}/{session}/{number}")
        if step < 0:
            return part
    return spec.rounds[-1]


@dataclass(frozen=True, slots=True)
class _Spec:
    """What a conversation is drawn from."""

    rounds: tuple[RoundSpec, ...]
    faults: tuple[FaultSpec, ...]
    text: str | None = None
    drawn_waits: Mapping[WaitName, int | None] | None = None


def _spec_of(scenario: Scenario, kind: int | None) -> _Spec:
    if not kind:
        return _Spec(scenario.rounds, scenario.faults, drawn_waits=scenario.drawn_waits)
    spec = scenario.conversations[kind - 1]
    faults = scenario.faults if spec.faults is None else spec.faults
    return _Spec(spec.rounds, faults, spec.text, scenario.drawn_waits)


def _draw_call(
    part: RoundSpec, spec: _Spec, session: int, stream: str, step: int
) -> ModelCallScript:
    faults = draw_faults(spec.faults, stream, session_of(session), step)
    if spec.drawn_waits is not None:
        part = _with_medians(part, spec.drawn_waits, WaitName(session, step), stream)
    return _draw_round(part, Random(stream), stream, faults)


def _with_medians(
    part: RoundSpec, drawn: Mapping[WaitName, int | None], name: WaitName, stream: str
) -> RoundSpec:
    """Return a round in which latencies that are not to be drawn are the median of what they are.

    To draw a constant takes as many numbers as any other, so that nothing else changes.
    """
    timing = part.timing
    by_ns = drawn.get(name, 0)
    if by_ns is not None:
        medians = _with_share(timing, 0)
        if by_ns:
            whole_ns, median_ns = (
                _draw_round(replace(part, timing=each), Random(stream), stream, ()).latency_ns
                for each in (timing, medians)
            )
            medians = _with_share(timing, by_ns / ((whole_ns - median_ns) or by_ns))
        timing = medians
    tool_calls = tuple(
        replace(call, latency=_by(call.latency, drawn.get(name._replace(tool=place), 0)))
        for place, call in enumerate(part.tool_calls, 1)
    )
    return replace(part, timing=timing, tool_calls=tool_calls)


def _with_share(timing: Timing, share: float) -> Timing:
    """Return a timing with a share of each draw's way from its median; 0 is the median."""

    def nearer(latency: Distribution | None) -> Distribution | None:
        if latency is None:
            return None
        if not share:
            return Constant(latency.quantile(0.5))
        # Between two parts of a mixture nothing is drawn: it is as it is, or the median.
        return latency if isinstance(latency, Mixture) else Nearer(latency, share)

    return replace(
        timing,
        latency=nearer(timing.latency),
        ttft=nearer(timing.ttft),
        gap=nearer(timing.gap),
    )


def _by(latency: Distribution, by_ns: int | None) -> Distribution:
    """Return a constant that differs so much from the median; the distribution for ``None``."""
    if by_ns is None or (by_ns and isinstance(latency, Mixture)):
        return latency
    return Constant(max(0.0, latency.quantile(0.5) + by_ns / NANOSECONDS_PER_SECOND))


def piece_times_ns(call: ModelCallScript) -> list[int]:
    """When each piece of a streamed answer is there, in nanoseconds after the request."""
    last = call.pieces - 1
    if call.ttft_ns is None or last == 0:
        return [call.latency_ns] * call.pieces
    if call.gaps is not None:
        return list(accumulate(call.gaps.draw_ns(last), initial=call.ttft_ns))
    rest_ns = call.latency_ns - call.ttft_ns
    return [call.ttft_ns + rest_ns * piece // last for piece in range(call.pieces)]


def with_nested(session: SessionScript) -> Iterator[SessionScript]:
    """Yield a session and, in the order of their starts, the sessions nested in it.

    One that a fault keeps from being called is left out.
    """
    yield session
    for call in session.model_calls:
        for tool in call.tool_calls if call.calls_its_tools else ():
            if tool.session is not None:
                yield from with_nested(tool.session)


def roots(sessions: Iterable[SessionScript]) -> dict[int, int]:
    """Return the number of the outermost session, for each session and those nested in it.

    Their further conversations say it by their numbers: see ``numbers.session_of``.
    """
    return {part.session: session.session for session in sessions for part in with_nested(session)}


def _repetitions(repeat: Distribution, stream: str) -> int:
    if isinstance(repeat, Constant):  # the usual case, without the price of a seed
        return _count(repeat.value, 1, MAX_REPEAT)
    return _count(repeat.draw(Random(stream)), 1, MAX_REPEAT)


def _draw_round(
    part: RoundSpec, generator: Random, stream: str, faults: tuple[Fault, ...]
) -> ModelCallScript:
    """Draw the model call first and the tools last: a further tool then changes no other."""
    timing = part.timing
    latency_s = None if timing.latency is None else timing.latency.draw(generator)
    ttft_s = None if timing.ttft is None else timing.ttft.draw(generator)
    prompt_tokens = _count((part.prompt_tokens or _COUNTED).draw(generator), 0, MAX_TOKENS)
    completion_tokens = _count(part.completion_tokens.draw(generator), 0, MAX_TOKENS)
    pieces = max(1, -(-completion_tokens // timing.tokens_per_chunk))
    gaps = None if timing.gap is None else Gaps(timing.gap, f"{stream}/gaps")
    ttft_ns = None if ttft_s is None else latency_ns(ttft_s)
    if gaps is None:
        whole_ns = latency_ns(latency_s or 0)
        ttft_ns = None if ttft_ns is None else min(ttft_ns, whole_ns)
    else:
        whole_ns = (ttft_ns or 0) + sum(gaps.draw_ns(pieces - 1))
    return ModelCallScript(
        latency_ns=whole_ns,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        tool_calls=tuple(_draw_tool_call(call, generator) for call in part.tool_calls),
        ttft_ns=ttft_ns,
        pieces=pieces,
        gaps=gaps,
        faults=faults,
        counts_prompt=part.prompt_tokens is None,
    )


def _draw_tool_call(call: ToolCallSpec, generator: Random) -> ToolCallScript:
    return ToolCallScript(
        name=call.tool.name,
        arguments=to_json(call.arguments).decode(),
        kind=call.tool.kind,
        latency_ns=latency_ns(call.latency.draw(generator)),
    )


def _replay(
    scenario: Scenario, seed: int, session: int, recorded: RecordedSession, *, is_main: bool
) -> SessionScript:
    """Replay a recorded session; only the main conversation calls the agents nested in it."""
    nested = iter(range(1, MAX_SESSIONS))

    def replayed(number: int, part: RecordedSession) -> SessionScript:
        calls = tuple(
            call_of(f"{scenario.name}/{seed}/{number}/{step}", number, step, call)
            for step, call in enumerate(part.calls)
        )
        return SessionScript(number, calls)

    def call_of(stream: str, number: int, step: int, call: RecordedCall) -> ModelCallScript:
        whole_ns = latency_ns(call.latency_s)
        return ModelCallScript(
            latency_ns=whole_ns,
            prompt_tokens=_count(call.prompt_tokens, 0, MAX_TOKENS),
            completion_tokens=_count(call.completion_tokens, 0, MAX_TOKENS),
            tool_calls=tuple(tool_call_of(tool) for tool in call.tools),
            ttft_ns=None if call.ttft_s is None else min(latency_ns(call.ttft_s), whole_ns),
            pieces=max(1, min(call.completion_tokens, MAX_TOKENS)),
            faults=draw_faults(scenario.faults, stream, number, step),
        )

    def tool_call_of(tool: RecordedToolCall) -> ToolCallScript:
        return ToolCallScript(
            name=tool.tool,
            arguments="{}",
            kind=scenario.tools[tool.tool].kind,
            latency_ns=latency_ns(tool.latency_s),
            # Of the same sign, since a warm-up session is no part of a script.
            session=None
            if tool.session is None or not is_main
            else replayed(nested_number(session, next(nested)), tool.session),
        )

    return replayed(session, recorded)


def _count(value: float, low: int, high: int) -> int:
    return min(max(round(value), low), high)
