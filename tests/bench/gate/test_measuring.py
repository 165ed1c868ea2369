"""Cells are measured by whatever runs their trials: processes of this machine, or others."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from warpbench.bench.gate.measuring import Measured, NotMeasured, measure
from warpbench.bench.results.call_counts import CallCounts
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.strategies import strategy_named
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TargetError, TrialError
from warpbench.mocks.scenario import load_scenario

from ...built import TRIAL

pytestmark = pytest.mark.once

CELLS = cells_of(
    Factors(
        scenarios=(load_scenario("tools"),),
        strategies=tuple(map(strategy_named, ("gather", "threads", "taskgroup"))),
        concurrency=(1, 2),
        session_count=4,
        clock=ClockMode.VIRTUAL,
    )
)
COUNTS = CallCounts(
    python={},
    c={},
    own={},
    modules=frozenset({"my_agent"}),
    loop_iterations=0,
    tasks=0,
    blocks_kept=0,
)


@dataclass
class FakeTrials:
    """Trials of which nothing is run: each has as many tool calls as its load."""

    at_once: int = 1
    fails: str = ""
    checked: list[str] = field(default_factory=list)
    together: threading.Barrier | None = None
    has_ended: bool = False

    def check_target(self, name: str) -> None:
        self.checked.append(name)

    def run(self, spec: TrialSpec) -> TrialResult | NotApplicable:
        if self.together is not None:
            self.together.wait(timeout=60)
        if spec.cell.strategy == self.fails:
            raise TrialError("its worker was lost 3 times")
        calls = COUNTS if spec.counts_calls else None
        return replace(TRIAL, tool_calls=spec.cell.concurrency, calls=calls)

    def kill(self) -> None:
        self.has_ended = True


def all_of(results: Iterator[object]) -> Iterator[object]:
    return results


def test_what_trials_find_comes_in_the_order_of_the_cells() -> None:
    trials = FakeTrials()

    found = measure(CELLS, all_of, trials=trials)

    assert trials.checked == ["agent"]
    assert [each.structure.tool_calls for each in found if isinstance(each, Measured)] == [
        spec.cell.concurrency for spec in CELLS
    ]


def test_as_many_cells_are_measured_at_one_time_as_trials_may_run() -> None:
    trials = FakeTrials(at_once=3, together=threading.Barrier(3))  # it breaks unless three come

    assert len(measure(CELLS, all_of, trials=trials)) == len(CELLS)


def test_a_cell_whose_trial_fails_is_not_measured_and_the_others_are() -> None:
    found = measure(CELLS, all_of, trials=FakeTrials(fails="threads"))

    assert [isinstance(each, Measured) for each in found] == [
        spec.cell.strategy != "threads" for spec in CELLS
    ]
    assert NotMeasured("its worker was lost 3 times") in found


def test_whatever_ends_it_ends_the_trials_too() -> None:
    trials = FakeTrials()

    def interrupted(_results: Iterator[object]) -> Iterator[object]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(CELLS, interrupted, trials=trials)
    assert trials.has_ended


def test_a_target_that_cannot_be_loaded_is_told_before_a_trial() -> None:
    class Unloadable(FakeTrials):
        def check_target(self, name: str) -> None:
            raise TargetError(name)

    with pytest.raises(TargetError, match="agent"):
        measure(CELLS, all_of, trials=Unloadable())
