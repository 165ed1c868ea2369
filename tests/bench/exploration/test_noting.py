"""What sessions do otherwise than alone where that may be right: noted, and no failure."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.exploration.checking import Odd
from warpbench.bench.exploration.exploring import Explorer
from warpbench.bench.exploration.noting import Noting, most_alone
from warpbench.bench.results.case import Case
from warpbench.bench.results.exploration import Exploration, FailureKind, MayDiffer
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.targets.loading import Lab
from warpbench.bench.testing.explore import TrialsHere, explore
from warpbench.bench.testing.lab import spec_of
from warpbench.mocks.scenario import ModelLimits, Scenario, parse_scenario
from warpbench.mocks.scenario.faults import FaultKind, FaultSpec

from ..isolation.leaking import asked, asynchronous, user
from .corpus import MISTAKES

pytestmark = pytest.mark.once

SESSIONS = 4
SCENARIO = parse_scenario("""
    name = "noted"
    description = "Answers that take half a second."
    sessions = 4
    [model]
    latency_s = 0.5
    [[rounds]]
""")


def one_flight(lab: Lab) -> Any:
    """The first one asks for all; where its client goes away, all are cancelled."""
    client = asynchronous(lab)
    flights: list[asyncio.Task[str]] = []

    async def session(task: str) -> str:
        if not flights:
            flights.append(asyncio.ensure_future(asked(client, [user("What is new?")])))
            flights[0].add_done_callback(lambda _: flights.clear())
        await flights[0]
        return await asked(client, [user(task)])

    return session


def impatient(lab: Lab) -> Any:
    """Whoever waits too long for its turn gives up."""
    client, lock = asynchronous(lab), asyncio.Lock()

    async def session(task: str) -> str:
        async with asyncio.timeout(0.7):
            await lock.acquire()
        try:
            return await asked(client, [user(task)])
        finally:
            lock.release()

    return session


def second_look(lab: Lab) -> Any:
    """Whoever waits too long for its turn asks once more."""
    client, lock = asynchronous(lab), asyncio.Lock()

    async def session(task: str) -> str:
        try:
            await asyncio.wait_for(lock.acquire(), 0.7)
        except TimeoutError:
            return await asked(client, [user(f"{await asked(client, [user(task)])} {task}")])
        try:
            return await asked(client, [user(task)])
        finally:
            lock.release()

    return session


def looks_now_and_then(lab: Lab) -> Any:
    """A time limit expires in each session, alone as well; and one of them breaks the others."""
    client, broken = asynchronous(lab), [False]

    async def session(task: str) -> str:
        await asyncio.wait([asyncio.ensure_future(asyncio.sleep(0.2))], timeout=0.1)
        if broken[0]:
            raise RuntimeError("broken")
        broken[0] = True
        answer = await asked(client, [user(task)])
        broken[0] = False
        return answer

    return session


def breaker(lab: Lab) -> Any:
    """Where one was refused, nobody asks any more."""
    client, is_open = asynchronous(lab).with_options(max_retries=0), [False]

    async def session(task: str) -> str:
        await asyncio.sleep(0.1 * (int(task.split("session ")[1].split("]", maxsplit=1)[0]) + 1))
        if is_open[0]:
            raise RuntimeError("the model is away")
        is_open[0] = True
        answer = await asked(client, [user(task)])
        is_open[0] = False
        return answer

    return session


def explored(
    build: Any, schedules: int, scenario: Scenario = SCENARIO, seed: int = 1
) -> Exploration:
    return explore(build, schedules=schedules, scenario=scenario, sessions=SESSIONS, seed=seed)


def test_who_ends_otherwise_since_another_was_cancelled_is_noted() -> None:
    exploration = explored(one_flight, 10, seed=4)

    assert exploration.found == ()
    (note,) = exploration.notes
    assert (note.kind, note.first.kind) == (FailureKind.OTHER_OUTCOME, FailureKind.OTHER_OUTCOME)
    assert note.reasons == ((MayDiffer.CANCELLATIONS, note.schedules),)
    assert (note.case, note.sessions) == (Case(9), 3)
    assert note.first.error == "CancelledError"
    assert "leaking.py:asked:" in note.first.last_place


def test_the_schedule_of_a_note_shows_it_again() -> None:
    (note,) = explored(one_flight, 10, seed=4).notes
    spec = spec_of(one_flight, scenario=SCENARIO, sessions=SESSIONS, clock="virtual", seed=4)

    replayed = Explorer(TrialsHere(one_flight), spec, at_once=1).replay(note.case)

    (again,) = replayed.notes
    assert (again.first, again.case) == (note.first, note.case)
    assert (again.schedules, again.sessions) == (1, 3)
    assert replayed.failures == ()


@pytest.mark.parametrize(
    ("build", "kind"),
    [(impatient, FailureKind.OTHER_OUTCOME), (second_look, FailureKind.OTHER_CALLS)],
)
def test_so_is_who_does_so_since_a_time_limit_expired(build: Any, kind: FailureKind) -> None:
    exploration = explored(build, 1)

    assert exploration.found == ()
    (note,) = exploration.notes
    assert (note.kind, note.case, note.schedules) == (kind, Case(0), 1)
    assert note.reasons == ((MayDiffer.EXPIRED_TIMERS, 1),)


def test_whose_answer_the_check_refuses_fails_whatever_has_expired() -> None:
    exploration = explore(
        MISTAKES["booked twice"].buggy, schedules=1, scenario=SCENARIO, sessions=5, most_trials=2
    )

    (found,) = exploration.found
    assert found.failure.kind is FailureKind.OTHER_OUTCOME
    assert found.failure.error.startswith("WrongAnswerError")


def test_time_limits_that_expire_alone_as_well_explain_nothing() -> None:
    exploration = explored(looks_now_and_then, 1)

    assert {each.failure.kind for each in exploration.found} == {FailureKind.OTHER_OUTCOME}
    assert exploration.notes == ()


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        (
            replace(SCENARIO, faults=(FaultSpec(FaultKind.STATUS, sessions=frozenset({99})),)),
            MayDiffer.FAULTS,
        ),
        (replace(SCENARIO, limits=ModelLimits(concurrency=3)), MayDiffer.LIMITS),
    ],
)
def test_so_is_who_does_so_where_there_are_faults_or_limits(
    scenario: Scenario, reason: MayDiffer
) -> None:
    exploration = explored(breaker, 2, scenario)

    assert exploration.found == ()
    (note,) = exploration.notes
    assert (note.kind, note.schedules) == (FailureKind.OTHER_OUTCOME, 2)
    assert note.sessions >= 2
    assert note.reasons == ((reason, 2),)


def test_who_was_cancelled_itself_makes_no_note() -> None:
    def build(lab: Lab) -> Any:
        client = asynchronous(lab)

        async def session(task: str) -> str:
            return await asked(client, [user(task)])

        return session

    exploration = explored(build, 7)

    assert (exploration.found, exploration.notes, exploration.not_compared) == ((), (), 0)


@pytest.mark.parametrize(("schedules", "most"), [(1, 3), (20, 3), (200, 20)])
def test_the_sessions_are_run_alone_in_one_of_ten_schedules_at_most(
    schedules: int, most: int
) -> None:
    assert most_alone(schedules) == most


def test_further_schedules_are_counted() -> None:
    sample = SessionSample(0, Outcome.FAILED, 0, 1, "away")
    odd = Odd(samples=(sample,), reasons=(MayDiffer.FAULTS,))
    spec, noting, asked_alone = spec_of("agent", scenario=SCENARIO), Noting(2), []

    for number in range(5):
        noting.take(Case(number), spec, odd, lambda: asked_alone.append(1))
        noting.take(Case(number), spec, Odd(), lambda: asked_alone.append(2))

    assert asked_alone == [1, 1]
    assert (noting.not_compared, noting.notes()) == (5, ())
