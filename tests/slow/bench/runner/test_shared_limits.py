"""Processes that ask one model in real time: what it lets through, it lets through once."""

from dataclasses import replace

import pytest
from warpbench.bench.results.samples import Outcome
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.runner.shards import ShardedTrials
from warpbench.bench.runner.solo import SoloTrials
from warpbench.bench.strategies import strategy_named
from warpbench.mocks.clock import ClockMode, seconds
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.scenario.model import ModelLimits

TIME_LIMIT_S = 120
SESSIONS = 24
AT_ONE_TIME = 4


@pytest.mark.parametrize("transport", ["respx", "loopback"])
def test_two_processes_are_served_no_more_at_one_time_than_one(transport: str) -> None:
    limits = ModelLimits(concurrency=AT_ONE_TIME)
    (spec,) = cells_of(
        Factors(
            scenarios=(replace(load_scenario("busy-model"), limits=limits),),
            strategies=(strategy_named("gather"),),
            concurrency=(16,),
            session_count=SESSIONS,
            processes=(2,),
            transports=(transport,),
            clock=ClockMode.WALL,
        )
    )

    found = ShardedTrials(SoloTrials(TrialProcesses(TIME_LIMIT_S))).run(spec)

    assert isinstance(found, TrialResult)
    assert [each.outcome for each in found.samples] == [Outcome.SUCCEEDED] * SESSIONS
    # Two calls of 0.5 s a session, four at one time: that is a bound, whoever asks.
    assert seconds(found.ideal_makespan_ns) == SESSIONS * 2 * 0.5 / AT_ONE_TIME
    assert found.makespan_ns >= found.ideal_makespan_ns
