"""Explorations to show: one with each kind of failure, and one that was interrupted."""

from dataclasses import replace

from warpbench.bench.results.cancellation import AT_ITS_BEGIN, AT_ITS_END, Cancellation
from warpbench.bench.results.case import Case
from warpbench.bench.results.exploration import (
    Cancelled,
    DrawnWait,
    Exploration,
    Failure,
    FailureKind,
    Found,
    MayDiffer,
    Note,
)
from warpbench.bench.results.left_behind import LeftBehind, LeftKind
from warpbench.bench.results.steps import Step, StepKind
from warpbench.mocks.clock import Choice
from warpbench.mocks.scenario import WaitName
from warpbench.mocks.workload.numbers import conversation_number

from ..built import CELL

LEAK = Failure(
    kind=FailureKind.LEAK,
    session=3,
    owner=7,
    model_call=2,
    place="agent.py:build.<locals>.ask:15",
    at_s=0.51,
)
REFUSED = Failure(
    kind=FailureKind.REFUSED_REQUEST,
    session=3,
    model_call=2,
    place="agent.py:build.<locals>.ask:12",
    reason="a tool result without its call",
    at_s=1.2,
)
FAILURES = (
    LEAK,
    replace(LEAK, model_call=0, place="", owner=-1),
    Failure(
        kind=FailureKind.OTHER_CALLS,
        session=4,
        calls=3,
        calls_alone=2,
        last_place="agent.py:build.<locals>.ask:15",
    ),
    Failure(kind=FailureKind.OTHER_OUTCOME, session=1, error="RuntimeError: closed", at_s=1.5),
    Failure(kind=FailureKind.FAILED, session=0, error="KeyError: 'text'", at_s=0.5),
    REFUSED,
    replace(REFUSED, session=None, place=""),
    Failure(
        kind=FailureKind.LEFT_BEHIND,
        left=LeftBehind(LeftKind.TASK, "refresh", "agent.py:build.<locals>.refresh:7", 12),
        sessions=10,
        left_by_half=7,
    ),
    Failure(
        kind=FailureKind.LEFT_BEHIND,
        left=LeftBehind(LeftKind.CLIENT, "httpx.AsyncClient", "", 1),
        sessions=1,
    ),
    Failure(kind=FailureKind.DEADLOCK, error="deadlock: A: waits for B; B: waits for A"),
    Failure(kind=FailureKind.LIVELOCK, error="100000 turns"),
    Failure(kind=FailureKind.STALL, error="thread blocks"),
    Failure(kind=FailureKind.TIME_LIMIT, error="hung"),
    Failure(kind=FailureKind.CRASH, error="crashed: killed"),
)
CASE = Case(17, sessions=(3, 7))
STEPS = (
    Step(session=3, kind=StepKind.MODEL_CALL, model_call=1, begin_s=0, end_s=0.5, place=LEAK.place),
    Step(session=7, kind=StepKind.TOOL, name="search", begin_s=0.1, end_s=0.4),
    Step(session=3, kind=StepKind.OWN_WAIT, name="asyncio.sleep", begin_s=0.5, end_s=0.51),
    Step(session=3, kind=StepKind.MODEL_CALL, model_call=2, begin_s=0.51, end_s=1.1),
    Step(session=7, kind=StepKind.ADMISSION, name="thread pool", begin_s=0.6, end_s=0.7),
    Step(session=7, kind=StepKind.SERVICE, name="api.test", begin_s=0.7, end_s=0.8),
)
DIFFERENCES = (
    DrawnWait(wait=WaitName(3, 0), tool="", latency_s=0.61, median_s=0.5),
    DrawnWait(wait=WaitName(7, 1), tool="", latency_s=0.5000004, median_s=0.5),
    DrawnWait(
        wait=WaitName(conversation_number(7, 0, 1), 0), tool="", latency_s=0.503, median_s=0.5
    ),
    DrawnWait(wait=WaitName(7, 1, 2), tool="search", latency_s=0.19, median_s=0.2),
    Cancelled(
        session=3,
        after_s=0.25,
        wait=Cancellation(3, "answer", 1, 250_000_000),
        step=STEPS[0],
    ),
    Cancelled(
        session=7, after_s=0.1, wait=Cancellation(7, "answer", 2, AT_ITS_BEGIN), step=STEPS[1]
    ),
    Cancelled(session=3, after_s=0.51, wait=Cancellation(3, "sleep", 1, AT_ITS_END), step=STEPS[2]),
    Cancelled(session=7, after_s=0.9, wait=Cancellation(7, "future", 2, AT_ITS_END)),
    Cancelled(session=7, after_s=1.0),
    Choice("session 3 answer 1", 0, "session 7 answer 1"),
)
NOTES = (
    Note(
        kind=FailureKind.OTHER_OUTCOME,
        schedules=2,
        sessions=3,
        reasons=((MayDiffer.CANCELLATIONS, 2), (MayDiffer.EXPIRED_TIMERS, 1)),
        first=replace(FAILURES[3], last_place=LEAK.place),
        case=Case(12),
    ),
    Note(
        kind=FailureKind.OTHER_CALLS,
        schedules=1,
        sessions=1,
        reasons=((MayDiffer.FAULTS, 1), (MayDiffer.LIMITS, 1)),
        first=FAILURES[2],
        case=Case(14),
    ),
)
FOUND = Exploration(
    cell=CELL,
    schedules=200,
    elapsed_s=18.3,
    found=(
        Found(failure=LEAK, case=CASE, seen_in=3, differences=DIFFERENCES, steps=STEPS),
        *(
            Found(failure=failure, case=Case(18, sessions=(number,)), seen_in=1, is_smallest=False)
            for number, failure in enumerate(FAILURES[1:])
        ),
        Found(failure=LEAK, case=Case(0, sessions=tuple(range(CELL.session_count))), seen_in=200),
    ),
    not_repeated=((40, FAILURES[3]),),
    notes=NOTES,
    not_compared=4,
)
INTERRUPTED = Exploration(
    cell=CELL,
    schedules=20,
    of=200,
    is_interrupted=True,
    elapsed_s=12.0,
    found=(Found(failure=LEAK, case=Case(17), seen_in=3, is_smallest=False),),
)
