"""The script: a scenario drawn with a seed, every wait of every session fixed before the run.

Each draw comes from a generator of its own, seeded by the scenario's name, the seed, the
session, the round and its repetition. So one more session changes no other, one more round
changes none before it, and no draw depends on the order in which a strategy runs things.
"""

from dataclasses import dataclass
from random import Random

from .latency import Constant, Distribution
from .scenario import (
    MAX_LATENCY_S,
    MAX_REPEAT,
    MAX_TOKENS,
    RoundSpec,
    Scenario,
    ToolCallSpec,
    ToolKind,
)

__all__ = [
    "ModelCallScript",
    "Script",
    "SessionScript",
    "ToolCallScript",
    "ToolKind",
    "draw",
    "draw_session",
]


@dataclass(frozen=True, slots=True)
class ToolCallScript:
    """One call that an answer asks for.

    Attributes:
        name: Name of the tool.
        arguments: Its arguments as the scenario gives them.
        kind: How the tool spends its time.
        latency_ns: What the call takes: waited for, or computed by a ``cpu`` tool.
    """

    name: str
    arguments: dict[str, object]
    kind: ToolKind
    latency_ns: int


@dataclass(frozen=True, slots=True)
class ModelCallScript:
    """One model call: what it takes, and what its answer asks for (nothing: it is final)."""

    latency_ns: int
    prompt_tokens: int
    completion_tokens: int
    tool_calls: tuple[ToolCallScript, ...]


@dataclass(frozen=True, slots=True)
class SessionScript:
    """The model calls of one session in order; only the last asks for no tools."""

    session: int
    model_calls: tuple[ModelCallScript, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """All the sessions of one scenario, drawn with one seed."""

    scenario: str
    seed: int
    sessions: tuple[SessionScript, ...]


def draw(scenario: Scenario, seed: int, sessions: int | None = None) -> Script:
    """Draw a scenario.

    Args:
        scenario: What to draw.
        seed: Any integer; the same one gives the same script on every machine.
        sessions: How many sessions, numbered from 0; by default as many as the scenario
            says.

    Raises:
        ValueError: ``sessions`` is negative.
    """
    count = scenario.sessions if sessions is None else sessions
    if count < 0:
        raise ValueError(f"expected at least 0 sessions, found {count}")
    drawn = tuple(draw_session(scenario, seed, session) for session in range(count))
    return Script(scenario.name, seed, drawn)


def draw_session(scenario: Scenario, seed: int, session: int) -> SessionScript:
    """Draw one session.

    Args:
        scenario: What to draw.
        seed: Seed of the script.
        session: Number of the session; negative ones serve for warming up, as they are no
            part of a script.
    """
    generator = Random()
    calls = []
    for number, part in enumerate(scenario.rounds):
        stream = f"{scenario.name}/{seed}/{session}/{number}"
        for repetition in range(_repetitions(part.repeat, stream)):
            generator.seed(f"{stream}/{repetition}")
            calls.append(_draw_round(part, generator))
    return SessionScript(session, tuple(calls))


def _repetitions(repeat: Distribution, stream: str) -> int:
    if isinstance(repeat, Constant):  # the usual case, without the price of a seed
        return _count(repeat.value, 1, MAX_REPEAT)
    return _count(repeat.draw(Random(stream)), 1, MAX_REPEAT)


def _draw_round(part: RoundSpec, generator: Random) -> ModelCallScript:
    """Draw the model call first and the tools last: a further tool then changes no other."""
    return ModelCallScript(
        latency_ns=_latency_ns(part.latency.draw(generator)),
        prompt_tokens=_count(part.prompt_tokens.draw(generator), 0, MAX_TOKENS),
        completion_tokens=_count(part.completion_tokens.draw(generator), 0, MAX_TOKENS),
        tool_calls=tuple(_draw_tool_call(call, generator) for call in part.tool_calls),
    )


def _draw_tool_call(call: ToolCallSpec, generator: Random) -> ToolCallScript:
    # A copy of the arguments, lest an agent that edits them edits another session's.
    return ToolCallScript(
        name=call.tool.name,
        arguments=dict(call.arguments),
        kind=call.tool.kind,
        latency_ns=_latency_ns(call.latency.draw(generator)),
    )


def _latency_ns(seconds: float) -> int:
    """Whole microseconds, in nanoseconds.

    The C library's ``exp`` and ``log`` differ between machines in the last digit of a
    float. Rounded a billion times more coarsely than that, the scripts are the same.
    """
    return round(min(seconds, MAX_LATENCY_S) * 1e6) * 1_000


def _count(value: float, low: int, high: int) -> int:
    return min(max(round(value), low), high)
