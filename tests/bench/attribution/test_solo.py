"""Sessions are held against what they do alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.attribution.solo import held_against_solo, shorter_of, solo_sessions
from warpbench.bench.results.played import Played, SoloSession
from warpbench.bench.results.reference import NOTHING_SHARED, Reference, SharedWork
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_result import TrialResult
from warpbench.mocks.workload.ideal import first_in_first_out_ns

from ...built import TRIAL

pytestmark = pytest.mark.once

S = 1_000_000_000


def trial(*took: tuple[int, int], calls: int = 2, serving_ns: int = 0) -> TrialResult:
    """A trial whose sessions began and ended then, and that has conversations of a second."""
    return replace(
        TRIAL,
        samples=tuple(
            SessionSample(number, Outcome.SUCCEEDED, start_ns, end_ns)
            for number, (start_ns, end_ns) in enumerate(took)
        ),
        makespan_ns=max(end_ns for _, end_ns in took),
        ideal_latencies_ns=(S,) * len(took),
        ideal_makespan_ns=S,
        reference=Reference.CONVERSATION,
        played=Played(
            model_calls=(calls,) * len(took),
            serving_ns=serving_ns,
            script_makespan_ns=S,
            script_latencies_ns=(S,) * len(took),
        ),
    )


def alone(*latencies_ns: int, calls: int = 2) -> dict[int, SoloSession]:
    return {number: SoloSession(took, calls) for number, took in enumerate(latencies_ns)}


def test_the_ideal_is_of_the_sessions_alone_over_the_slots() -> None:
    held = held_against_solo(trial((0, 4 * S), (0, 5 * S), (4 * S, 8 * S)), 2, alone(S, 3 * S, S))

    assert held.reference is Reference.SOLO
    assert held.ideal_latencies_ns == (S, 3 * S, S)
    assert held.ideal_makespan_ns == 3 * S
    assert held.shared_work == NOTHING_SHARED
    assert held.sessions_without_solo == 0


def test_what_a_session_was_spared_is_taken_off_its_reference() -> None:
    held = held_against_solo(
        trial((0, 3 * S), (0, 1 * S), calls=1), 2, alone(2 * S, 3 * S, calls=2)
    )

    assert held.ideal_latencies_ns == (2 * S, S)
    assert held.ideal_makespan_ns == 2 * S
    assert held.shared_work == SharedWork(sessions=2, model_calls=2, spared_s=2.0)


def test_the_model_s_limits_bound_the_ideal() -> None:
    held = held_against_solo(trial((0, 9 * S), serving_ns=8 * S), 1, alone(S))

    assert held.ideal_makespan_ns == 8 * S


def test_a_session_that_is_not_known_alone_keeps_its_conversation() -> None:
    known = alone(3 * S, 3 * S)
    del known[0]

    held = held_against_solo(trial((0, 4 * S), (0, 4 * S)), 2, known)

    assert held.ideal_latencies_ns == (S, 3 * S)
    assert held.sessions_without_solo == 1


def test_nothing_changes_where_no_session_is_known_alone() -> None:
    measured = trial((0, S))

    assert held_against_solo(measured, 1, {}) is measured


def test_a_trial_that_is_held_against_the_script_stays_so() -> None:
    assert held_against_solo(TRIAL, 1, alone(S)) is TRIAL


def test_in_an_open_loop_sessions_start_when_they_arrive() -> None:
    arriving = trial((S, 2 * S), (5 * S, 7 * S))
    late = tuple(replace(each, intended_ns=each.start_ns) for each in arriving.samples)

    held = held_against_solo(replace(arriving, samples=late), 1, alone(S, S))

    assert held.ideal_makespan_ns == 6 * S


def test_a_session_that_failed_tells_nothing_of_its_reference() -> None:
    failed = trial((0, S // 2))
    failed = replace(failed, samples=(replace(failed.samples[0], outcome=Outcome.FAILED),))

    assert held_against_solo(failed, 1, alone(S)).ideal_latencies_ns == (S,)
    assert solo_sessions(failed) == {}


def test_the_shorter_form_counts_session_by_session() -> None:
    one, other = alone(S, 3 * S, calls=3), alone(2 * S, 2 * S, 4 * S, calls=2)

    assert shorter_of([one, other]) == alone(S, 2 * S, 4 * S, calls=2)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20),
    st.integers(1, 5),
)
def test_no_run_that_keeps_order_and_limit_beats_the_ideal(
    pairs: list[tuple[int, int]], concurrency: int
) -> None:
    """Whatever sessions took alone, and under load."""
    under_load = [took_ns for took_ns, _ in pairs]
    ends: list[int] = []
    samples = []
    for number, took_ns in enumerate(under_load):
        start_ns = 0 if number < concurrency else sorted(ends)[number - concurrency]
        ends.append(start_ns + took_ns)
        samples.append(SessionSample(number, Outcome.SUCCEEDED, start_ns, ends[-1]))
    measured = replace(trial(*[(0, 0)] * len(pairs)), samples=tuple(samples), makespan_ns=max(ends))
    assert measured.makespan_ns == first_in_first_out_ns(under_load, concurrency, None)

    held = held_against_solo(measured, concurrency, alone(*[took_ns for _, took_ns in pairs]))

    assert held.ideal_makespan_ns <= held.makespan_ns
