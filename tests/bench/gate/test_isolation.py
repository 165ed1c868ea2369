"""The tier isolation: what an exploration finds in a cell is a regression, without a baseline."""

from collections.abc import Callable
from typing import Any

import pytest
from warpbench.bench.gate.isolation import TIER, explored
from warpbench.bench.results.exploration import FailureKind
from warpbench.bench.results.verdict import CellVerdict, ChangeKind, Verdict
from warpbench.bench.testing.explore import TrialsHere
from warpbench.bench.testing.lab import spec_of

from ..isolation.leaking import CASES

pytestmark = pytest.mark.once

LEAKING = CASES["singleton"]


def verdict_on(build: Callable[..., Any], sessions: int = 3, schedules: int = 2) -> CellVerdict:
    spec = spec_of(build, scenario="chat", sessions=sessions, clock="virtual")
    trials = TrialsHere(build)
    return explored("the cell", spec, schedules, trials, scenario="./chat.toml", at_once=1)


def test_a_failure_is_a_regression_and_says_how_to_see_it() -> None:
    verdict = verdict_on(LEAKING.buggy)

    assert (verdict.cell, verdict.tier, verdict.verdict) == ("the cell", TIER, Verdict.REGRESSED)
    (change,) = verdict.changes
    assert change.kind is ChangeKind.EXPLORED_FAILURE
    assert change.found is not None
    assert change.found.failure.kind is FailureKind.LEAK
    assert change.explored is not None
    assert change.explored.scenario == "./chat.toml"
    assert (change.after, change.count) == (2, 2)


def test_without_one_the_cell_passes() -> None:
    assert verdict_on(LEAKING.repaired).verdict is Verdict.PASSED


def test_of_many_sessions_some_are_explored() -> None:
    (change,) = verdict_on(LEAKING.buggy, sessions=40, schedules=1).changes

    assert change.explored is not None
    assert (change.explored.session_count, change.explored.concurrency) == (10, 10)
