"""Cells whose sessions several processes share."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.results.samples import Outcome
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.runner.shards import (
    ShardedTrials,
    shard_specs,
    shares_limits,
    with_split_limits,
)
from warpbench.bench.runner.solo import SoloTrials
from warpbench.bench.strategies import strategy_named
from warpbench.bench.trial.planned import script_of
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import run_trial
from warpbench.bench.trial.turn import Turn
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TrialError
from warpbench.mocks.model.shared_capacity import SharedCapacity
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.scenario.model import ModelLimits
from warpbench.mocks.workload.arrivals import parse_arrivals
from warpbench.mocks.workload.ideal import Waits, ideal_makespan_ns

TIME_LIMIT_S = 60


@pytest.fixture(autouse=True)
def trials_find_this_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])


def specification(
    processes: int, *, sessions: int = 10, load: int = 4, arrivals: str = "closed", **more: object
) -> TrialSpec:
    factors = Factors(
        scenarios=(load_scenario("tools"),),
        strategies=(strategy_named("gather"),),
        concurrency=(load,),
        session_count=sessions,
        processes=(processes,),
        arrivals=(parse_arrivals(arrivals),),
        clock=ClockMode.VIRTUAL,
    )
    (spec,) = cells_of(factors)
    return replace(spec, accounts_time=True, **more)  # type: ignore[arg-type]


def test_sessions_and_places_are_dealt_out_in_turn() -> None:
    first, second, third = shard_specs(specification(3))

    assert (first.only, second.only, third.only) == ((0, 3, 6, 9), (1, 4, 7), (2, 5, 8))
    assert [each.cell.concurrency for each in (first, second, third)] == [2, 1, 1]
    assert {each.cell.processes for each in (first, second, third)} == {1}


def test_limits_are_split_only_if_that_is_asked_for() -> None:
    limited = replace(load_scenario("tools"), limits=ModelLimits(600, None, 5))

    assert with_split_limits(limited, 2).limits == ModelLimits(300, None, 2)
    spec = replace(specification(2), scenario=limited)
    assert {each.scenario.limits for each in shard_specs(spec)} == {limited.limits}
    split = replace(spec, cell=replace(spec.cell, split_limits=True))
    assert {each.scenario.limits for each in shard_specs(split)} == {ModelLimits(300, None, 2)}


LIMITED = replace(load_scenario("tools"), limits=ModelLimits(600, None, 5))


@pytest.mark.parametrize(
    ("clock", "processes", "is_split", "is_shared"),
    [
        (ClockMode.WALL, 2, False, True),
        (ClockMode.WALL, 2, True, False),
        (ClockMode.WALL, 1, False, False),
        (ClockMode.VIRTUAL, 2, False, False),
        (ClockMode.WARP, 2, False, False),
    ],
)
def test_limits_are_shared_in_real_time_unless_each_has_its_part(
    clock: ClockMode, processes: int, *, is_split: bool, is_shared: bool
) -> None:
    spec = specification(processes, scenario=LIMITED)
    spec = replace(spec, cell=replace(spec.cell, clock=clock, split_limits=is_split))

    assert shares_limits(spec) is is_shared
    assert not shares_limits(replace(spec, scenario=load_scenario("tools")))


class WarmsUp:
    """Processes that ask for their limits before they begin, and then note how full these are."""

    def __init__(self) -> None:
        self.files: list[Path | None] = []
        self.admitted: list[int] = []

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> NotApplicable:
        raise AssertionError(spec, then)

    def run_together(
        self, specs: Sequence[TrialSpec], at_start: Callable[[], object] = lambda: None
    ) -> tuple[NotApplicable, ...]:
        self.files = [each.limits_file for each in specs]
        limits = ModelLimits(requests_per_minute=4)
        asked = [SharedCapacity(limits, file) for file in self.files if file is not None]
        for _ in range(2):
            admitted = [each.admit(0, 1, 1).retry_after_ns is None for each in asked * 4]
            self.admitted.append(sum(admitted))
            at_start()
        return tuple(NotApplicable("no more") for _ in specs)


def test_what_is_let_through_while_sessions_warm_up_is_forgotten() -> None:
    noted = WarmsUp()
    spec = specification(2, scenario=LIMITED)
    spec = replace(spec, cell=replace(spec.cell, clock=ClockMode.WALL))

    assert ShardedTrials(noted).run(spec) == NotApplicable("no more")
    assert noted.admitted == [4, 4]
    (file,) = set(noted.files)
    assert file is not None
    assert not file.parent.exists()


def test_the_ideal_of_a_shared_limit_is_that_of_all_sessions() -> None:
    spec = specification(2, scenario=LIMITED, limits_file=Path("unused"), sessions=40, load=40)
    shards = shard_specs(spec)

    def ideal_ns(spec: TrialSpec) -> int:
        return ideal_makespan_ns(script_of(spec), Waits.ALL, 2, 100)

    whole = replace(spec, limits_file=None)
    assert {ideal_ns(each) for each in shards} == {ideal_ns(whole)}
    assert ideal_ns(replace(shards[0], limits_file=None)) < ideal_ns(whole)


def test_processes_do_in_virtual_time_what_one_does() -> None:
    trials = ShardedTrials(SoloTrials(TrialProcesses(TIME_LIMIT_S)))

    one, two = (trials.run(specification(count, sessions=8)) for count in (1, 2))

    assert isinstance(one, TrialResult)
    assert isinstance(two, TrialResult)
    assert sorted(each.session for each in two.samples) == list(range(8))
    assert (two.llm_calls, two.tool_calls) == (one.llm_calls, one.tool_calls)
    assert two.ideal_latencies_ns == one.ideal_latencies_ns
    assert two.makespan_ns == two.ideal_makespan_ns == one.makespan_ns
    assert len(two.time_parts_ns) == 8


def test_a_plan_of_arrivals_falls_on_all_processes_alike() -> None:
    trials = ShardedTrials(TrialProcesses(TIME_LIMIT_S))

    found = trials.run(specification(2, sessions=6, load=6, arrivals="constant:10"))

    assert isinstance(found, TrialResult)
    intended_ns = {each.session: each.intended_ns for each in found.samples}
    assert intended_ns == {number: number * 100_000_000 for number in range(6)}


def test_processes_without_a_session_are_no_cell() -> None:
    found = ShardedTrials(TrialProcesses(TIME_LIMIT_S)).run(specification(4, load=2))

    assert found == NotApplicable("concurrency 2 leaves some of 4 processes without a session")


def dies_if_it_has_session_1(spec: TrialSpec, turn: Turn) -> TrialResult | NotApplicable:
    if spec.only is not None and 1 in spec.only:
        turn.begin()
        os.kill(os.getpid(), signal.SIGKILL)
    return run_trial(spec, turn)


def test_a_process_that_dies_is_named_and_takes_its_trial_with_it() -> None:
    trials = ShardedTrials(TrialProcesses(TIME_LIMIT_S, dies_if_it_has_session_1))

    with pytest.raises(TrialError, match="process 2 of 2: crashed: killed by SIGKILL"):
        trials.run(specification(2))


def waits_for_ever_if_it_has_session_1(spec: TrialSpec, turn: Turn) -> TrialResult | NotApplicable:
    if spec.only is not None and 1 in spec.only:
        signal.pause()
    return run_trial(spec, turn)


def test_one_that_is_never_ready_ends_at_the_limit() -> None:
    trials = ShardedTrials(TrialProcesses(0.5, waits_for_ever_if_it_has_session_1))

    with pytest.raises(TrialError, match=r"hung: no result within 0\.5 s"):
        trials.run(specification(2))


class NotesWhatIsPrepared:
    """Trials that note what they are told of the next one."""

    def __init__(self) -> None:
        self.then: list[TrialSpec | None] = []

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> NotApplicable:
        self.then.append(then)
        return NotApplicable(spec.cell.name)

    def run_together(
        self, specs: Sequence[TrialSpec], at_start: Callable[[], object] = lambda: None
    ) -> tuple[NotApplicable, ...]:
        return tuple(NotApplicable(spec.cell.name) for spec in specs)


def test_a_trial_of_several_processes_is_not_prepared_while_another_ends() -> None:
    noted = NotesWhatIsPrepared()
    trials = ShardedTrials(noted)

    trials.run(specification(1), specification(2))
    trials.run(specification(1), specification(1))

    assert noted.then == [None, specification(1)]


def test_every_session_of_every_process_is_accounted_for() -> None:
    found = ShardedTrials(TrialProcesses(TIME_LIMIT_S)).run(specification(3, sessions=7))

    assert isinstance(found, TrialResult)
    assert [each.outcome for each in found.samples] == [Outcome.SUCCEEDED] * 7
