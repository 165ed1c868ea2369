"""``lab.explore`` inside a test: what it raises names the case that runs again in the same test."""

import re
from typing import Any

import pytest
from warpbench.bench.results.case import case_text
from warpbench.bench.testing.pytest_plugin import LabInTests
from warpbench.mocks.errors import UsageError

from ..exploration.corpus import MISTAKES
from ..exploration.test_noting import SCENARIO, SESSIONS, one_flight

pytestmark = pytest.mark.once

MISTAKE = MISTAKES["tenant"]
CELL: dict[str, Any] = {"scenario": "chat", "sessions": 3}


def test_the_case_of_a_failure_runs_again_and_fails_again(lab: LabInTests) -> None:
    with pytest.raises(AssertionError) as found:
        lab.explore(MISTAKE.buggy, schedules=1, **CELL)
    told = re.search(r'replay="([^"]+)"', str(found.value))
    assert told is not None

    with pytest.raises(AssertionError, match="leak: "):
        lab.explore(MISTAKE.buggy, replay=told[1], **CELL)

    case = told[1].partition("/choices")[0]
    assert lab.explore(MISTAKE.repaired, replay=case, **CELL).found == ()


def test_a_case_that_no_longer_fits_is_told(lab: LabInTests) -> None:
    with pytest.raises(AssertionError, match="The case no longer fits"):
        lab.explore(MISTAKE.repaired, replay="1/choices=nobody~0~nobody", **CELL)


def test_what_is_no_case_is_refused(lab: LabInTests) -> None:
    with pytest.raises(UsageError, match="replay='first'"):
        lab.explore(MISTAKE.buggy, replay="first", **CELL)


def test_a_note_is_returned_and_raises_nothing(lab: LabInTests) -> None:
    explored = lab.explore(one_flight, scenario=SCENARIO, sessions=SESSIONS, schedules=10, seed=4)

    (note,) = explored.notes
    replay = case_text(note.case)
    again = lab.explore(one_flight, scenario=SCENARIO, sessions=SESSIONS, seed=4, replay=replay)
    assert [each.first for each in again.notes] == [note.first]
