"""``warpbench advise``: what to run, what limits it, and what a fix would gain."""

from dataclasses import dataclass

from cyclopts import Parameter

from ..options import (
    DEFAULT_NETWORK,
    DEFAULT_OUT,
    DEFAULT_SCENARIO,
    DEFAULT_TARGET,
    DEFAULT_TIME_LIMIT_S,
    FixedTrials,
    Loops,
    MaxFailed,
    Messages,
    Network,
    Objectives,
    Out,
    Scenario,
    Seed,
    Sessions,
    Strategies,
    Target,
    TimeLimit,
    ToolWorkers,
)
from ..values import POOL_OF_LOAD


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class AdviseOptions:
    """What ``advise`` takes: one target, and no load, which it finds itself."""

    target: Target = DEFAULT_TARGET
    strategy: Strategies = ("threads", "executor", "gather", "taskgroup")
    loop: Loops = ("asyncio", "uvloop")
    sessions: Sessions = None
    seed: Seed = 1
    tool_workers: ToolWorkers = POOL_OF_LOAD
    network: Network = DEFAULT_NETWORK
    trials: FixedTrials = 1
    time_limit: TimeLimit = DEFAULT_TIME_LIMIT_S
    slo: Objectives = None
    max_failed: MaxFailed = 0.0
    out: Out = DEFAULT_OUT


def advise(
    scenario: Scenario = DEFAULT_SCENARIO,
    /,
    *,
    options: AdviseOptions = AdviseOptions(),
    messages: Messages = Messages(),
) -> int:
    """Say what to run."""
    from ..advise import advise as advise_on

    return advise_on(scenario, options, messages)
