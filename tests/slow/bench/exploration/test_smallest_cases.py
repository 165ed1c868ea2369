"""Of each mistake a smallest case is found within a minute, and shows the same again."""

import time
from dataclasses import replace

import pytest
from warpbench.bench.exploration.checking import likeness
from warpbench.bench.exploration.exploring import Explorer
from warpbench.bench.results.case import KeptLatency, case_text, parse_case
from warpbench.bench.results.exploration import DrawnWait
from warpbench.bench.testing.explore import TrialsHere
from warpbench.mocks.scenario import WaitName
from warpbench.mocks.workload.numbers import kind_of, session_of

from ....bench.exploration.corpus import MISTAKES, Mistake
from ....bench.exploration.test_exploring import (
    IS_REPEATED,
    SCHEDULES,
    SESSIONS,
    explored,
    spec_of_cell,
)

MOST_S = 60


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_smallest_case_of_a_mistake_shows_it_again(mistake: Mistake) -> None:
    explorer = Explorer(TrialsHere(mistake.buggy), spec_of_cell(mistake, 1), at_once=1)
    began_s = time.process_time()

    exploration = explorer.explore(SCHEDULES, stops_at_first=True)

    assert time.process_time() - began_s < MOST_S
    found = next(each for each in exploration.found if each.failure.kind is mistake.kind)
    assert found.is_smallest
    assert 1 <= found.sessions <= SESSIONS
    for _ in range(3):
        replayed = explorer.replay(parse_case(case_text(found.case)))
        assert likeness(found.failure) in map(likeness, replayed.failures)
        assert replayed.unfit == ()


def test_a_latency_is_as_near_to_the_usual_one_as_shows_the_failure() -> None:
    mistake = MISTAKES["current session"]
    (found,) = explored(mistake.buggy, 2).found

    assert case_text(found.case) == "1/sessions=0+1/waits=1.1@-1ms/choices="
    ((wait, _, latency_s, median_s),) = (
        (each.wait, each.tool, each.latency_s, each.median_s)
        for each in found.differences
        if isinstance(each, DrawnWait)
    )
    assert (wait, latency_s, median_s) == (WaitName(1, 1), 0.499, 0.5)
    explorer = Explorer(TrialsHere(mistake.buggy), spec_of_cell(mistake, 1), at_once=1)
    usual = replace(found.case, waits=(KeptLatency(wait, 0),))
    assert explorer.replay(usual).failures == ()


def test_that_of_a_further_conversation_is_so_too() -> None:
    (found,) = explored(MISTAKES["results by completion"].buggy, 2).found

    (latency,) = (each for each in found.differences if isinstance(each, DrawnWait))
    assert session_of(latency.wait.number) in (found.case.sessions or ())
    assert kind_of(latency.wait.number) == 0
    assert (latency.latency_s, latency.median_s) == (0.501, 0.5)


def test_a_failure_without_a_place_has_that_of_the_last_step_before() -> None:
    mistake = MISTAKES["one more question"]

    (found,) = explored(
        mistake.buggy, 1, mistake.strategy, mistake.loop, most_trials=IS_REPEATED
    ).found

    assert not found.failure.place
    assert "leaking.py:asked:" in found.failure.last_place
