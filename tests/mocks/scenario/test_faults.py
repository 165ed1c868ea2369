"""Which attempt meets which fault: drawn before the run, whatever else there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.scenario import parse_scenario
from warpbench.mocks.scenario.faults import MOST_ATTEMPTS, FaultKind, FaultSpec, draw_faults
from warpbench.mocks.workload.script import draw

pytestmark = pytest.mark.once

HEAD = """\
name = "faulty"
description = "Some of its calls fail."
sessions = 2000

[model]
latency_s = 0.5

[[rounds]]

"""
BUSY = FaultSpec(FaultKind.STATUS, status=503, attempts=frozenset({1, 2}))


def test_a_scripted_fault_strikes_where_it_is_declared() -> None:
    spec = FaultSpec(FaultKind.RESET, sessions=frozenset({3}), steps=frozenset({1}))

    struck = {
        (session, step)
        for session in range(6)
        for step in range(3)
        if draw_faults([spec], "any", session, step)
    }

    assert struck == {(3, 1)}


def test_attempts_are_counted_from_one() -> None:
    assert [fault.status for fault in draw_faults([BUSY], "any", 0, 0)] == [503, 503]


def test_a_fault_of_every_attempt_ends_after_the_most_that_are_drawn() -> None:
    always = FaultSpec(FaultKind.CONNECT_ERROR)

    assert len(draw_faults([always], "any", 0, 0)) == MOST_ATTEMPTS


@pytest.mark.parametrize("kind", ["invalid_arguments", "unknown_tool", "empty_answer", "slow_drip"])
def test_after_an_answer_that_is_accepted_there_is_no_further_attempt(kind: str) -> None:
    assert len(draw_faults([FaultSpec(FaultKind(kind))], "any", 0, 0)) == 1


def test_of_two_that_would_strike_the_first_does() -> None:
    always = FaultSpec(FaultKind.CONNECT_ERROR)

    kinds = [fault.kind for fault in draw_faults([BUSY, always], "any", 0, 0)[:3]]

    assert kinds == [FaultKind.STATUS, FaultKind.STATUS, FaultKind.CONNECT_ERROR]


def test_as_many_attempts_fail_as_the_probability_says() -> None:
    fault = '[[faults]]\nkind = "reset"\nprobability = 0.1\n'

    script = draw(parse_scenario(HEAD + fault), seed=1)

    struck = sum(bool(session.model_calls[0].faults) for session in script.sessions)
    assert 160 <= struck <= 240  # 200 expected; six standard deviations are 80


@given(st.integers(0, 1000), st.floats(0.01, 1))
def test_a_fault_changes_no_wait_and_a_further_fault_none_before_it(
    seed: int, probability: float
) -> None:
    one = f'[[faults]]\nkind = "reset"\nprobability = {probability!r}\n'
    two = one + '[[faults]]\nkind = "status"\nstatus = 500\nprobability = 0.5\nlatency_s = 0.1\n'

    plain, with_one, with_two = (
        draw(parse_scenario(HEAD + faults), seed, 5).sessions for faults in ("", one, two)
    )

    for bare, first, second in zip(plain, with_one, with_two, strict=True):
        assert bare.model_calls[0].latency_ns == second.model_calls[0].latency_ns
        resets = [fault.kind for fault in first.model_calls[0].faults]
        kept = second.model_calls[0].faults[: len(resets)]
        assert [fault.kind for fault in kept] == resets


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('kind = "reset"', "faults[0]: expected one of probability, sessions, steps or attempts"),
        ('kind = "reste"\nprobability = 1', "faults[0].kind: expected 'status', 'connect_error'"),
        ('kind = "status"\nprobability = 0.1', "faults[0].status: expected the status"),
        ('kind = "reset"\nstatus = 500\nsteps = [0]', "faults[0].status: expected kind status"),
        ('kind = "slow_drip"\nsteps = [0]', "faults[0].latency_s: expected seconds"),
        ('kind = "reset"\nprobability = 0', "faults[0].probability: expected more than 0"),
        ('kind = "reset"\nprobability = 1.5', "faults[0].probability: expected at most 1"),
        ('kind = "reset"\nattempts = [0]', "faults[0].attempts[0]: expected at least 1"),
        ('kind = "reset"\nsteps = [0]\nshare = "half"', "faults[0].share: expected a number"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(table: str, message: str) -> None:
    from warpbench.mocks.errors import ScenarioError  # noqa: PLC0415

    with pytest.raises(ScenarioError) as told:
        parse_scenario(f"{HEAD}[[faults]]\n{table}\n")

    assert message in str(told.value)
