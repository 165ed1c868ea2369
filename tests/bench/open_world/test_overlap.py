"""The overlap of waits: every saving is right, and none is claimed where data flows."""

from dataclasses import replace

import pytest
from warpbench.bench.results.data_flow import DataFlow
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.testing.lab import spec_of
from warpbench.bench.trial.spec import NotApplicable
from warpbench.bench.trial.trial import prepared_here

from .overlap_agents import AGENTS, CAN, CANNOT, Agent, target_of

pytestmark = pytest.mark.once

SEEDS = (1, 2)


def run(agent: Agent, session_of: object, seed: int) -> TrialResult:
    build = target_of(session_of)  # type: ignore[arg-type]
    spec = spec_of(build, scenario=agent.scenario, sessions=1, seed=seed)
    spec = replace(spec, accounts_time=False, finds_data_flow=True)
    with prepared_here(spec, build) as measure:
        assert not isinstance(measure, NotApplicable)
        return measure()


def data_flow_of(agent: Agent, seed: int = 1) -> DataFlow:
    found = run(agent, agent.written, seed).data_flow
    assert found is not None
    return found


def names(agents: tuple[Agent, ...]) -> list[str]:
    return [agent.name for agent in agents]


def test_there_are_sixteen_of_them() -> None:
    assert (len(CANNOT), len(CAN), len(set(names(AGENTS)))) == (10, 6, 16)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("agent", CANNOT, ids=names(CANNOT))
def test_nothing_is_claimed_where_a_later_wait_needs_the_earlier(agent: Agent, seed: int) -> None:
    flow = data_flow_of(agent, seed)

    assert flow.overlaps == ()
    assert flow.bound_ns == flow.latency_ns
    assert flow.needs == tuple((number, number + 1) for number in range(len(flow.nodes) - 1))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("agent", CAN, ids=names(CAN))
def test_a_saving_is_what_the_best_structure_saves(agent: Agent, seed: int) -> None:
    flow = data_flow_of(agent, seed)
    (best,) = run(agent, agent.best, seed).samples

    (overlap,) = flow.overlaps
    assert overlap.saving_ns == flow.saving_ns == flow.latency_ns - best.latency_ns > 0


@pytest.mark.parametrize("agent", CAN, ids=names(CAN))
def test_the_best_structure_saves_nothing_more(agent: Agent) -> None:
    flow = run(agent, agent.best, 1).data_flow

    assert flow is not None
    assert flow.overlaps == ()
    assert flow.saving_ns == 0
