"""Of each mistake a smallest case is found within a minute, and shows the same again."""

import time

import pytest
from warpbench.bench.exploration.checking import likeness
from warpbench.bench.exploration.exploring import Explorer
from warpbench.bench.results.case import case_text, parse_case
from warpbench.bench.testing.explore import TrialsHere

from ....bench.exploration.corpus import MISTAKES, Mistake
from ....bench.exploration.test_exploring import SCHEDULES, SESSIONS, spec_of_cell

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
