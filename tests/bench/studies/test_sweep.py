"""A sweep raises the load until throughput stops growing, for each strategy by itself."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.results.records import FindingKind, Run
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors
from warpbench.bench.runner.runner import run_cells
from warpbench.bench.statistics.objectives import Objectives, parse_objectives
from warpbench.bench.statistics.scaling import ScalingLaw, law_of
from warpbench.bench.statistics.stopping import Sampling
from warpbench.bench.strategies import available_strategies
from warpbench.bench.studies.sweep import MOST_LOAD, Sweep
from warpbench.bench.trial.spec import TrialSpec
from warpbench.mocks.errors import TrialError
from warpbench.mocks.scenario import load_scenario

from ...built import HEADER, TRIAL, Nobody

pytestmark = pytest.mark.once

SECOND_NS = 1_000_000_000
ONCE = Sampling(trials=1)


class Scaling:
    """Trials whose throughput follows a law, one for each strategy."""

    def __init__(self, **laws: Callable[[int], float]) -> None:
        self.laws = laws
        self.loads: dict[str, list[int]] = {name: [] for name in laws}

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult:
        cell = spec.cell
        self.loads[cell.strategy].append(cell.concurrency)
        per_s = self.laws[cell.strategy](cell.concurrency)
        sample = SessionSample(0, Outcome.SUCCEEDED, 0, SECOND_NS)
        return replace(TRIAL, samples=(sample,), makespan_ns=round(SECOND_NS / per_s))


def sweep(
    trials: Scaling,
    *,
    scenario: str = "tools",
    sampling: Sampling = ONCE,
    objectives: Objectives | None = None,
    **more: Any,
) -> tuple[Run, bool]:
    """Sweep the strategies that trials have a law for; return the run, and whether it was ended."""
    known = available_strategies()
    factors = Factors(
        scenarios=(load_scenario(scenario),),
        strategies=tuple(known[name] for name in trials.laws),
    )
    wiring = {"observer": Nobody(), "save": lambda _: None, **more}
    plan = Sweep(factors, objectives, sampling.trials)
    return run_cells(HEADER, (), sampling=sampling, runner=trials, more=plan.next, **wiring)


def swept(trials: Scaling) -> Run:
    run, was_interrupted = sweep(trials)
    assert not was_interrupted
    return run


def usl(knee: int) -> Callable[[int], float]:
    return ScalingLaw(
        one_per_s=0.8, contention=0.01, coherency=0.99 / knee**2, error=0.0
    ).throughput_per_s


def test_each_strategy_is_followed_as_far_as_it_grows() -> None:
    trials = Scaling(sync=lambda _: 0.8, gather=usl(60))
    swept(trials)
    assert trials.loads["sync"] == [1, 2, 4]  # flat from the begin
    assert trials.loads["gather"][:8] == [1, 2, 4, 8, 16, 32, 64, 128]


def test_what_creeps_up_by_less_than_a_twentieth_a_doubling_is_flat() -> None:
    creeps = Scaling(gather=lambda load: min(load, 8) * 1.03 ** math.log2(load))
    swept(creeps)
    assert creeps.loads["gather"][:6] == [1, 2, 4, 8, 16, 32]
    assert max(creeps.loads["gather"]) == 32


@pytest.mark.parametrize("knee", [12, 45, 100, 400])
def test_the_knee_is_measured_and_fitted_within_one_step(knee: int) -> None:
    run = swept(Scaling(gather=usl(knee)))
    best = max(run.cells, key=lambda cell: cell.throughput_per_s or 0)
    assert abs(math.log2(best.cell.concurrency / knee)) <= 0.5
    law = law_of(run.cells)
    assert law is not None
    assert law.knee == pytest.approx(knee, rel=0.05)


def test_what_grows_for_ever_ends_at_the_greatest_load() -> None:
    trials = Scaling(gather=lambda load: 0.8 * load)
    swept(trials)
    assert max(trials.loads["gather"]) == MOST_LOAD


def test_what_a_budget_leaves_goes_to_what_is_uncertain_once_the_loads_are_found() -> None:
    def scatters(load: int) -> float:
        ran.append(load)
        return 0.8 * min(load, 4) * (1.5 if load == 2 and len(ran) % 2 else 1.0)

    ran: list[int] = []
    run, _ = sweep(
        Scaling(gather=scatters),
        sampling=Sampling(trials=2, budget_s=40),
        now_s=lambda: float(len(ran)),
    )
    trials = {result.cell.concurrency: result.trials for result in run.cells}
    assert trials.pop(2) == 2 + 40 - len(run.cells) * 2
    assert set(trials.values()) == {2}
    assert ran[-1] == 2


def test_each_load_has_the_sessions_that_an_objective_takes() -> None:
    run, _ = sweep(
        Scaling(gather=lambda load: 0.8 * min(load, 4)),
        scenario="research",
        objectives=parse_objectives("ttft_p50=1s,p99=2s"),
    )
    assert load_scenario("research").sessions == 60
    assert min(result.cell.session_count for result in run.cells) == 100


def test_sessions_grow_with_the_load_and_workers_do_not() -> None:
    run = swept(Scaling(gather=usl(30)))
    assert len({result.cell.tool_workers for result in run.cells}) == 1
    assert all(result.cell.session_count >= 4 * result.cell.concurrency for result in run.cells)


def test_a_small_load_has_no_more_sessions_than_it_takes() -> None:
    run = swept(Scaling(gather=usl(30)))
    sessions = {result.cell.concurrency: result.cell.session_count for result in run.cells}
    assert load_scenario("tools").sessions == 250
    assert (sessions[1], sessions[16], sessions[64]) == (63, 64, 256)


def test_a_load_that_fails_ends_its_strategy_only() -> None:
    def breaks(load: int) -> float:
        if load >= 8:
            raise TrialError("out of memory")
        return 0.8 * load

    trials = Scaling(threads=breaks, gather=usl(30))
    run = swept(trials)
    assert [load for load in trials.loads["threads"] if load >= 8] == [8]
    assert max(trials.loads["gather"]) >= 64
    assert sum(cell.error == "out of memory" for cell in run.cells) == 1


@pytest.mark.parametrize("at_load", [1, 8])
def test_ctrl_c_keeps_what_is_finished(at_load: int) -> None:
    def interrupts(load: int) -> float:
        if load == at_load:
            raise KeyboardInterrupt
        return 0.8 * load

    saved: list[Run] = []
    run, was_interrupted = sweep(
        Scaling(threads=lambda load: 0.8 * load, gather=interrupts), save=saved.append
    )
    assert was_interrupted
    assert [
        result.cell.concurrency for result in run.cells if result.cell.strategy == "gather"
    ] == [load for load in (1, 2, 4) if load < at_load]
    assert run.findings[0].kind is FindingKind.INTERRUPTED
    assert saved[-1] == run
