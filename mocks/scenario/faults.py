"""Faults between a client and its model, by chance or by script.

In a scenario, each ``[[faults]]`` table names a kind and when it strikes: with a
``probability`` at each attempt, only in some ``sessions`` (numbered from 0), at some
``steps`` (a session's model calls, from 0) or on some ``attempts`` (from 1; a retry is the
second). If several would strike the same attempt, the first in the file does.

Like every wait, faults are drawn before the run: an attempt meets the same fault whatever the
strategy, and however many other attempts there are.

A service has faults of its own, ``[[services.faults]]``. There an attempt is a request of the
same method, address and body; sessions and steps are not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from random import Random
from typing import Self

from .bounds import latency_ns
from .distributions import Constant, Distribution

MOST_ATTEMPTS = 10
"""Attempts at one model call that can meet a fault; any later attempt succeeds."""


NO_TIME = Constant(0)


class Effect(Enum):
    """What a fault leaves of the attempt that meets it, and so which module carries it out."""

    REFUSED = auto()
    """The attempt fails on arrival, and takes nothing of the model's limits."""

    BROKEN = auto()
    """The attempt fails: its reply cannot be used."""

    LATE = auto()
    """The client accepts the reply, which takes longer."""

    ALTERED = auto()
    """The client accepts an answer that is not the script's, so it calls none of its tools."""


class FaultKind(StrEnum):
    """The kind of a fault: its name in a scenario, and its effect.

    An altered answer is made in ``mocks/model/altered_answers.py``, every other reply in
    ``mocks/wire/broken_replies.py``.

    Attributes:
        effect: What the fault leaves of the attempt.
    """

    effect: Effect

    def __new__(cls, name: str, effect: Effect) -> Self:
        """Make a kind."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.effect = effect
        return kind

    STATUS = "status", Effect.REFUSED
    """An error status (429, 500, 502, 503, 529, …), perhaps with a time to retry after."""

    CONNECT_ERROR = "connect_error", Effect.REFUSED
    """The connection is closed before there is an answer."""

    READ_TIMEOUT = "read_timeout", Effect.BROKEN
    """No answer: the client waits until its own timeout."""

    RESET = "reset", Effect.BROKEN
    """The connection is reset in the middle of the body."""

    TRUNCATED = "truncated", Effect.BROKEN
    """A stream ends in the middle as if it were complete; a whole body is cut short."""

    STALLED = "stalled", Effect.BROKEN
    """The body stops in the middle, and the connection stays open."""

    MALFORMED_JSON = "malformed_json", Effect.BROKEN
    """A complete answer that is not JSON."""

    INVALID_ARGUMENTS = "invalid_arguments", Effect.ALTERED
    """Tool calls whose arguments are not JSON."""

    UNKNOWN_TOOL = "unknown_tool", Effect.ALTERED
    """Calls of a tool that was not declared."""

    EMPTY_ANSWER = "empty_answer", Effect.ALTERED
    """An answer without text or tool calls."""

    SLOW_DRIP = "slow_drip", Effect.LATE
    """The body comes in small pieces, and ends ``latency_s`` later than without the fault."""

    @property
    def is_accepted(self) -> bool:
        """Whether the client takes the answer for a proper one, and goes on."""
        return self.effect in {Effect.LATE, Effect.ALTERED}

    @property
    def alters_answer(self) -> bool:
        """Whether the client goes on with an answer that is not the script's."""
        return self.effect is Effect.ALTERED


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that one attempt meets.

    Attributes:
        kind: What goes wrong.
        status: HTTP status, for kind ``status``.
        retry_after_s: Value of the header ``retry-after``, if it is sent.
        retry_after_ms: Value of the header ``retry-after-ms``, if it is sent.
        delay_ns: Time until an error status or a failed connection; how much longer a body
            that drips takes.
        share: Part of the body that comes before it breaks off, 0 to 1.
    """

    kind: FaultKind
    status: int = 500
    retry_after_s: float | None = None
    retry_after_ms: float | None = None
    delay_ns: int = 0
    share: float = 0.5

    @property
    def alters_answer(self) -> bool:
        """Whether the client goes on with an answer that is not the script's."""
        return self.kind.alters_answer


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault as a scenario declares it.

    Attributes:
        kind: What goes wrong.
        probability: Of each attempt that the next three let through.
        sessions: The sessions in which the fault strikes; ``None`` for all.
        steps: The model calls of a session at which the fault strikes; ``None`` for all.
        attempts: The attempts on which the fault strikes, from 1; ``None`` for all.
        status: As for ``Fault``, as are the next two and ``share``.
        retry_after_s: Seconds.
        retry_after_ms: Milliseconds.
        latency: Seconds, as ``Fault.delay_ns``.
        share: Part of the body that comes through.
    """

    kind: FaultKind
    probability: float = 1.0
    sessions: frozenset[int] | None = None
    steps: frozenset[int] | None = None
    attempts: frozenset[int] | None = None
    status: int = 500
    retry_after_s: float | None = None
    retry_after_ms: float | None = None
    latency: Distribution = NO_TIME
    share: float = 0.5

    def may_strike(self, session: int, step: int, attempt: int) -> bool:
        """Return whether the fault is declared for an attempt."""
        return (
            (self.sessions is None or session in self.sessions)
            and (self.steps is None or step in self.steps)
            and (self.attempts is None or attempt in self.attempts)
        )


def draw_faults(
    specs: Sequence[FaultSpec], stream: str, session: int, step: int
) -> tuple[Fault, ...]:
    """Draw the faults of one model call: the first attempt meets the first, and so on.

    Args:
        specs: The faults of the scenario.
        stream: Seeds the draws; no other model call has the same.
        session: Number of the session.
        step: Number of the model call in that session.
    """
    drawn: list[Fault] = []
    for attempt in range(1, MOST_ATTEMPTS + 1 if specs else 1):
        fault = draw_fault(specs, Random(f"{stream}/fault/{attempt}"), session, step, attempt)
        if fault is None:
            break
        drawn.append(fault)
        if fault.kind.is_accepted:
            break
    return tuple(drawn)


def draw_fault(
    specs: Sequence[FaultSpec], generator: Random, session: int, step: int, attempt: int
) -> Fault | None:
    """Draw the fault of one attempt, if any."""
    struck: Fault | None = None
    for spec in specs:
        # Each takes its numbers whether it strikes or not, so another fault changes none of these.
        chance, delay_s = generator.random(), spec.latency.draw(generator)
        if struck is None and spec.may_strike(session, step, attempt) and chance < spec.probability:
            struck = Fault(
                kind=spec.kind,
                status=spec.status,
                retry_after_s=spec.retry_after_s,
                retry_after_ms=spec.retry_after_ms,
                delay_ns=latency_ns(delay_s),
                share=spec.share,
            )
    return struck
