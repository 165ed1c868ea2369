"""What the sessions of a trial are to do."""

from dataclasses import replace

from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.strategies import strategy_named
from warpbench.bench.trial.planned import script_of
from warpbench.mocks.scenario import load_scenario


def test_the_sessions_of_a_shard_are_those_of_the_whole() -> None:
    factors = Factors(
        scenarios=(load_scenario("research"),),
        strategies=(strategy_named("gather"),),
        concurrency=(2,),
        session_count=9,
    )
    (spec,) = cells_of(factors)
    whole = script_of(spec)

    part = script_of(replace(spec, only=(7, 1, 4, 12)))

    assert part.sessions == tuple(whole.sessions[number] for number in (1, 4, 7))
    assert part.limits == whole.limits
