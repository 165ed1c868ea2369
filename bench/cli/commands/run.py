"""``warpbench run``: compare strategies; table, charts, page and results file."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from ..options import (
    DEFAULT_NETWORK,
    DEFAULT_OUT,
    DEFAULT_SCENARIO,
    DEFAULT_TIME_LIMIT_S,
    EFFORT,
    ArrivalPlans,
    Budget,
    Clock,
    ConcurrencyOrAuto,
    FactorOptions,
    Json,
    MaxFailed,
    Messages,
    Network,
    Objectives,
    On,
    Out,
    Processes,
    ReadyWithin,
    Resume,
    Scenario,
    Serve,
    ServiceWorkers,
    Shards,
    SplitLimits,
    TimeLimit,
    Transports,
    Trials,
)
from ..values import any_name, several


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RunOptions(FactorOptions):
    """What ``run`` takes."""

    serve: Serve = None
    workers: ServiceWorkers = ()
    concurrency: ConcurrencyOrAuto = ()
    clock: Clock = None
    transport: Transports = ("respx",)
    arrivals: ArrivalPlans = ("closed",)
    processes: Processes = (1,)
    shards: Shards = None
    split_limits: SplitLimits = False
    network: Network = DEFAULT_NETWORK
    trials: Trials = None
    budget: Budget = None
    on: On = None
    time_limit: TimeLimit = DEFAULT_TIME_LIMIT_S
    ready_within: ReadyWithin = None
    validate: Annotated[
        tuple[str, ...],
        several(any_name, "NAME"),
        Parameter(
            group=EFFORT,
            help="Run these cells with real waiting too, and report the accuracy of the warp "
            "clock: all, strategies, or cells.",
        ),
    ] = ()
    slo: Objectives = None
    max_failed: MaxFailed = 0.0
    out: Out = DEFAULT_OUT
    resume: Resume = None
    json: Json = False


def run(
    *scenarios: Scenario,
    options: RunOptions = RunOptions(),
    messages: Messages = Messages(),
) -> int:
    """Compare strategies."""
    from ..run import run as run_it

    return run_it(scenarios or (DEFAULT_SCENARIO,), options, messages)
