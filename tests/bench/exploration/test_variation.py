"""The schedules of an exploration: the same from the same seed, whatever else is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from warpbench.bench.exploration.variation import (
    drawn_waits,
    spec_of_case,
    spec_of_schedule,
    varied,
)
from warpbench.bench.results.cancellation import (
    AT_ITS_BEGIN,
    AT_ITS_END,
    Cancellation,
    WaitMade,
)
from warpbench.bench.results.case import Case, KeptLatency
from warpbench.bench.testing.lab import spec_of
from warpbench.mocks.clock import Choice, Manner
from warpbench.mocks.scenario import WaitName, load_scenario
from warpbench.mocks.scenario.distributions import Uniform
from warpbench.mocks.workload.numbers import conversation_number, session_of
from warpbench.mocks.workload.script import draw_session

pytestmark = pytest.mark.once

SPEC = spec_of("agent", scenario="tools", sessions=10)
NUMBERS = range(1, 40)
WAITS = (
    WaitMade("answer", 1, 500_000_000),
    WaitMade("Lock.acquire", 1, 20_000_000),
    WaitMade("answer", 2, 500_000_000),
    WaitMade("Lock.acquire", 2, 0),
)
CANCELLED_BEFORE = [(7, 2_249_056_600), (8, 2_238_532_329)]
"""The sessions of schedule 3, and after how many nanoseconds they were cancelled."""


def waits_made() -> Mapping[int, Sequence[WaitMade]]:
    return dict.fromkeys(range(SPEC.cell.session_count), WAITS)


def test_the_first_schedule_is_the_cell_as_it_is() -> None:
    assert spec_of_schedule(SPEC, 0) == SPEC


def test_each_other_has_draws_and_an_order_of_its_own() -> None:
    specs = [spec_of_schedule(SPEC, number) for number in NUMBERS]

    assert len({each.cell.seed for each in specs}) == len(NUMBERS)
    assert {each.schedule.manner for each in specs if each.schedule} == set(Manner)
    assert specs == [spec_of_schedule(SPEC, number) for number in NUMBERS]
    other = replace(SPEC, cell=replace(SPEC.cell, seed=2))
    assert spec_of_schedule(other, 1).cell.seed != specs[0].cell.seed


def test_fewer_sessions_change_nothing_for_those_that_are_left() -> None:
    few = replace(SPEC, cell=replace(SPEC.cell, session_count=4, concurrency=4))
    for number in NUMBERS:
        whole, part = (spec_of_schedule(each, number, waits_made) for each in (SPEC, few))

        assert part.cell.seed == whole.cell.seed
        assert part.cancels == tuple(each for each in whole.cancels if each.session < 4)


def test_some_schedules_cancel_some_sessions_in_one_of_the_waits_that_they_make() -> None:
    cancels = [spec_of_schedule(SPEC, number, waits_made).cancels for number in NUMBERS]

    assert {bool(each) for each in cancels} == {True, False}
    assert all(number % 3 == 0 for number, each in zip(NUMBERS, cancels, strict=True) if each)
    chosen = [each for those in cancels for each in those]
    made = {(wait.what, wait.ordinal): wait for wait in WAITS[:-1]}
    assert {(each.what, each.ordinal) for each in chosen} == set(made)
    assert {each.after_ns in {AT_ITS_BEGIN, AT_ITS_END} for each in chosen} == {True, False}
    for each in chosen:
        assert (each.after_ns or 0) < made[each.what, each.ordinal].length_ns
        assert (each.after_ns or 0) % 1_000_000 == 0


def test_who_waits_for_nothing_is_not_cancelled() -> None:
    none = [spec_of_schedule(SPEC, number, dict).cancels for number in NUMBERS]

    assert not any(none)


@pytest.mark.parametrize("name", ["tools", "deep-research", "guarded-chat", "research"])
def test_a_constant_latency_becomes_one_within_a_fifth(name: str) -> None:
    scenario = load_scenario(name)
    usual, other = draw_session(scenario, 1, 0), draw_session(varied(scenario), 1, 0)

    for was, now in zip(usual.model_calls, other.model_calls, strict=True):
        spec = varied(scenario).rounds[0].timing.latency
        if isinstance(spec, Uniform):
            assert 0.79 * was.latency_ns <= now.latency_ns <= 1.21 * was.latency_ns
            assert now.latency_ns != was.latency_ns


def test_of_a_case_only_its_sessions_run() -> None:
    whole = spec_of_schedule(SPEC, 3, waits_made)
    spec = spec_of_case(SPEC, Case(3, sessions=(2, 5)), waits_made)

    assert spec.only == (2, 5)
    assert spec.cell == replace(whole.cell, concurrency=2)
    assert spec.cancels == tuple(each for each in whole.cancels if each.session in {2, 5})


def test_of_a_case_only_some_are_cancelled_and_chosen() -> None:
    tape = (Choice("loop", 0, "session 3 answer 1"),)
    cancelled = Cancellation(3, "answer", 2, AT_ITS_END)

    spec = spec_of_case(SPEC, Case(3, cancels=(cancelled,), choices=tape), pytest.fail)

    assert spec.cancels == (cancelled,)
    assert spec.schedule is not None
    assert spec.schedule.tape == tape
    assert spec_of_case(SPEC, Case(0, choices=())).schedule is None


def test_a_case_of_an_older_version_cancels_after_the_time_that_it_drew() -> None:
    sessions = tuple(range(SPEC.cell.session_count))

    cancels = spec_of_case(SPEC, Case(3, cancels=sessions)).cancels

    assert [(each.session, each.after_ns) for each in cancels] == CANCELLED_BEFORE
    assert {(each.what, each.ordinal) for each in cancels} == {("", 0)}


def test_of_a_case_only_some_latencies_are_drawn() -> None:
    all_of_them = drawn_waits(spec_of_schedule(SPEC, 3))
    kept = WaitName(4, 1), WaitName(7, 0, 2)

    spec = spec_of_case(SPEC, Case(3, waits=tuple(map(KeptLatency, kept))))

    assert {number for number, _, _ in all_of_them} == set(range(10))
    assert drawn_waits(spec) == {name: all_of_them[name] for name in kept}
    assert drawn_waits(spec_of_case(SPEC, Case(3, waits=()))) == {}


@pytest.mark.parametrize("name", ["tools", "deep-research", "chat"])
@pytest.mark.parametrize("by_ms", [-3, 3])
def test_a_latency_may_differ_by_so_much_from_the_median(name: str, by_ms: int) -> None:
    spec = spec_of("agent", scenario=name, sessions=2)
    wait, (_, _, median_ns) = next(iter(drawn_waits(spec_of_schedule(spec, 3)).items()))

    nearer = drawn_waits(spec_of_case(spec, Case(3, waits=(KeptLatency(wait, by_ms),))))

    assert list(nearer) == [wait]
    assert nearer[wait][1:] == (pytest.approx(median_ns + by_ms * 1_000_000, abs=2), median_ns)


def test_further_calls_are_known_from_what_was_met() -> None:
    spec = spec_of_schedule(SPEC, 3)
    conversation, beyond = WaitName(conversation_number(2, 0, 77), 0), WaitName(4, 40)
    of_another = WaitName(conversation_number(99, 0, 77), 0)

    further = (
        drawn_waits(spec, {conversation, beyond, of_another}).keys() - drawn_waits(spec).keys()
    )

    assert {conversation, beyond} <= further
    assert {session_of(name.number) for name in further} == {2, 4}


def test_so_may_that_of_a_tool() -> None:
    wait = WaitName(1, 0, 1)

    nearer = drawn_waits(spec_of_case(SPEC, Case(3, waits=(KeptLatency(wait, 7),))))

    assert nearer == {wait: ("search", nearer[wait][2] + 7_000_000, nearer[wait][2])}


def test_a_latency_that_is_not_drawn_changes_no_other_draw() -> None:
    scenario = varied(load_scenario("research"))
    medians = replace(scenario, drawn_waits={})
    one = replace(scenario, drawn_waits={WaitName(0, 1): None})

    drawn, usual, mixed = (draw_session(each, 1, 0) for each in (scenario, medians, one))

    assert mixed.model_calls[1].latency_ns == drawn.model_calls[1].latency_ns
    assert mixed.model_calls[0] == usual.model_calls[0]
    assert [call.completion_tokens for call in usual.model_calls] == [
        call.completion_tokens for call in drawn.model_calls
    ]
