"""The sessions that a trial runs before those that it measures."""

from dataclasses import replace

from ...mocks.workload.script import ModelCallScript, SessionScript, draw_session
from ...mocks.workload.waiting import without_waits
from .spec import TrialSpec

WARM_UP_SESSIONS = 2


_MOST_OF_A_SERVICE = 100


def warm_up_sessions(spec: TrialSpec) -> tuple[SessionScript, ...]:
    """Draw sessions of their own for the warm-up, numbered below 0, short and without waits.

    A service as deployed gets as many at once as it will have: each of its workers imports with
    its first request, and opens the connections that it then keeps.
    """
    count = WARM_UP_SESSIONS
    if spec.cell.workers:
        count = max(count, min(spec.cell.concurrency, _MOST_OF_A_SERVICE))
    drawn = (draw_session(spec.scenario, spec.cell.seed, -number) for number in range(1, count + 1))
    return tuple(
        without_waits(replace(session, model_calls=_first_and_last(session.model_calls)))
        for session in drawn
    )


def _first_and_last(calls: tuple[ModelCallScript, ...]) -> tuple[ModelCallScript, ...]:
    return calls if len(calls) < 2 else (calls[0], calls[-1])  # noqa: PLR2004 - first and last
