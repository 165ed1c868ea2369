"""``warpbench explore``: looks for an order of events in which an agent goes wrong."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from ...results.case import Case, parse_case
from ..options import (
    DEFAULT_SCENARIO,
    DEFAULT_TARGET,
    EFFORT,
    FACTORS,
    Json,
    Loops,
    Messages,
    OptionalOut,
    Scenario,
    Seed,
    Strategies,
    Target,
    TimeLimit,
)
from ..values import Count, Duration, single, whole

_SCHEDULES = 200
_SESSIONS = 10
_TIME_LIMIT_S = 60.0


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ExploreOptions:
    """What ``explore`` takes: one target, always in virtual time."""

    target: Target = DEFAULT_TARGET
    strategy: Strategies = ("gather",)
    loop: Loops = ("asyncio",)
    sessions: Annotated[Count, Parameter(group=FACTORS, help="Sessions of a schedule.")] = _SESSIONS
    concurrency: Annotated[
        Count | None,
        Parameter(group=FACTORS, help="Sessions in flight at most. Default: all of them."),
    ] = None
    seed: Seed = 1
    schedules: Annotated[Count, Parameter(group=EFFORT, help="Schedules of each cell.")] = (
        _SCHEDULES
    )
    begins_at: Annotated[
        int,
        single(whole(least=0), "N"),
        Parameter(
            name="--from",
            group=EFFORT,
            help="Begin with schedule N, to go on after an exploration that ended before.",
        ),
    ] = 0
    budget: Annotated[
        Duration | None,
        Parameter(group=EFFORT, help="Time after which no further schedule of a cell is begun."),
    ] = None
    replay: Annotated[
        Case | None,
        single(parse_case, "CASE"),
        Parameter(
            group=EFFORT,
            help="Run a schedule again, by its number, or a case as an exploration prints it.",
        ),
    ] = None
    time_limit: TimeLimit = _TIME_LIMIT_S
    out: OptionalOut = None
    json: Json = False


def explore(
    scenario: Scenario = DEFAULT_SCENARIO,
    /,
    *,
    options: ExploreOptions = ExploreOptions(),
    messages: Messages = Messages(),
) -> int:
    """Look for an order of events in which an agent goes wrong."""
    from ..explore import explore as explore_target

    return explore_target(scenario, options, messages)
