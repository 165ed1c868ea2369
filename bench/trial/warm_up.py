"""The sessions that a trial runs before those that it measures."""

from dataclasses import replace

from ...mocks.workload.script import ModelCallScript, SessionScript, draw_session
from .spec import TrialSpec

WARM_UP_SESSIONS = 2


def warm_up_sessions(spec: TrialSpec) -> tuple[SessionScript, ...]:
    """Draw sessions of their own for the warm-up, numbered below 0, short and without waits."""
    drawn = (
        draw_session(spec.scenario, spec.cell.seed, -number)
        for number in range(1, WARM_UP_SESSIONS + 1)
    )
    return tuple(
        replace(
            session,
            model_calls=tuple(
                _without_waits(call) for call in _first_and_last(session.model_calls)
            ),
        )
        for session in drawn
    )


def _first_and_last(calls: tuple[ModelCallScript, ...]) -> tuple[ModelCallScript, ...]:
    return calls if len(calls) < 2 else (calls[0], calls[-1])  # noqa: PLR2004 - first and last


def _without_waits(call: ModelCallScript) -> ModelCallScript:
    tool_calls = tuple(replace(tool, latency_ns=0, session=None) for tool in call.tool_calls)
    return replace(
        call, latency_ns=0, tool_calls=tool_calls, ttft_ns=None, gaps=None, pieces=1, faults=()
    )
