"""The waits of a session have names, and it can be cancelled in each of them, at any moment."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.results.cancellation import (
    AT_ITS_BEGIN,
    AT_ITS_END,
    Cancellation,
    CancelledAt,
    WaitMade,
)
from warpbench.bench.results.samples import Outcome
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.targets.loading import Lab
from warpbench.bench.testing.lab import spec_of
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.scenario import parse_scenario

from ..isolation.leaking import asked, asynchronous, user

pytestmark = pytest.mark.once

MS = 1_000_000
SCENARIO = parse_scenario("""
    name = "waiting"
    description = "Answers that take half a second."
    sessions = 2
    [model]
    latency_s = 0.5
    [[rounds]]
""")


def waiting(lab: Lab) -> Any:
    """Two sessions, of which the second waits for the first."""
    client, lock = asynchronous(lab), asyncio.Lock()

    async def session(task: str) -> str:
        async with lock:
            await asked(client, [user(task)])
            await asyncio.sleep(0)
            await asyncio.sleep(0.05)
        await asyncio.create_task(asyncio.sleep(0.02))
        await asyncio.gather(asyncio.sleep(0.01), asyncio.sleep(0.03))
        return await asked(client, [user(f"{task} More.")])

    return session


def ran(loop: str = "asyncio", *cancels: Cancellation, names_waits: bool = False) -> TrialResult:
    spec = spec_of(waiting, scenario=SCENARIO, sessions=2, loop=loop, clock="virtual")
    spec = replace(spec, cancels=cancels, names_waits=names_waits)
    with prepared_here(spec, waiting) as measure:
        assert callable(measure)
        return measure()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_each_wait_is_named_by_what_is_awaited(loop: str) -> None:
    made = ran(loop, names_waits=True).waits_made

    of_the_first = [
        WaitMade("answer", 1, 500 * MS),
        WaitMade("sleep", 1, 50 * MS),
        WaitMade("task", 1, 20 * MS),
        WaitMade("gather", 1, 30 * MS),
        WaitMade("answer", 2, 500 * MS),
    ]
    assert list(made[0]) == of_the_first
    assert list(made[1]) == [WaitMade("Lock.acquire", 1, 550 * MS), *of_the_first]


def test_to_see_the_waits_changes_nothing() -> None:
    plain, seen = ran(), ran(names_waits=True)

    assert plain.samples == seen.samples
    assert plain.waits_made == {}
    assert plain.cancelled == ()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("what", "ordinal", "after_ns", "at_ns"),
    [
        ("answer", 1, AT_ITS_BEGIN, 0),
        ("answer", 1, 250 * MS, 250 * MS),
        ("answer", 1, AT_ITS_END, 500 * MS),
        ("answer", 1, 900 * MS, 500 * MS),  # a wait that is shorter than it was
        ("answer", 2, AT_ITS_BEGIN, 600 * MS),
        ("sleep", 1, 10 * MS, 510 * MS),
        ("gather", 1, AT_ITS_END, 600 * MS),
        ("", 0, 700 * MS, 700 * MS),
    ],
)
def test_it_is_cancelled_in_that_wait(
    loop: str, what: str, ordinal: int, after_ns: int | None, at_ns: int
) -> None:
    cancellation = Cancellation(0, what, ordinal, after_ns)

    result = ran(loop, cancellation)

    assert result.cancelled == (CancelledAt(cancellation, at_ns),)
    by_session = {sample.session: sample for sample in result.samples}
    assert (by_session[0].outcome, by_session[0].end_ns) == (Outcome.CANCELLED, at_ns)
    assert by_session[1].outcome is Outcome.SUCCEEDED


def test_a_wait_for_others_is_one_too() -> None:
    cancellation = Cancellation(1, "Lock.acquire", 1, AT_ITS_END)

    assert ran("asyncio", cancellation).cancelled == (CancelledAt(cancellation, 550 * MS),)


@pytest.mark.parametrize(("what", "ordinal"), [("answer", 3), ("Lock.acquire", 1)])
def test_who_makes_no_such_wait_is_not_cancelled(what: str, ordinal: int) -> None:
    result = ran("asyncio", Cancellation(0, what, ordinal))

    assert result.cancelled == ()
    assert {sample.outcome for sample in result.samples} == {Outcome.SUCCEEDED}
