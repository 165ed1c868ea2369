"""What sessions leave behind is told by kind, name and place; what is there once does not grow."""

import asyncio
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any

import pytest
import uvloop
from warpbench.bench.exploration.left_behind import grown
from warpbench.bench.results.left_behind import LeftBehind, LeftKind
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.testing.lab import spec_of
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.scenario import parse_scenario

from ..isolation.sharing import SHARERS
from .leaving import HEALTHY, LEAVINGS, Leaving

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")

FEWER, MORE = 5, 10
SCENARIO = parse_scenario("""
    name = "left-behind"
    description = "Two calls, and a tool."
    sessions = 10
    [model]
    latency_s = 0.5
    [tools.weather]
    description = "Reports the weather."
    kind = "async"
    latency_s = 0.1
    parameters = { city = "string" }
    [[rounds]]
    tools = [{ tool = "weather", arguments = { city = "Vienna" } }]
    [[rounds]]
""")
RUNS = [
    (name, strategy, loop)
    for name, case in LEAVINGS.items()
    for strategy in case.strategies
    for loop in (("asyncio",) if strategy in {"threads", "sync"} else ("asyncio", "uvloop"))
]
EACH_RUN = pytest.mark.parametrize(("name", "strategy", "loop"), RUNS)


def trial(
    target: Any, strategy: str = "gather", loop: str = "asyncio", sessions: int = MORE, **more: Any
) -> TrialResult:
    spec = spec_of(target, scenario=SCENARIO, strategy=strategy, loop=loop, sessions=sessions)
    spec = replace(spec, **{"tells_left_behind": True, **more})
    with prepared_here(spec, target) as measure:
        assert callable(measure)
        return measure()


def grows(target: Any, strategy: str = "gather", loop: str = "asyncio") -> tuple[LeftBehind, ...]:
    fewer, more = (
        trial(target, strategy, loop, sessions).left_behind for sessions in (FEWER, MORE)
    )
    return grown(fewer, more)


@EACH_RUN
def test_what_each_session_leaves_is_told(name: str, strategy: str, loop: str) -> None:
    case = LEAVINGS[name]

    (left,) = grows(case.buggy, strategy, loop)

    assert (left.kind, left.what) == (case.kind, case.what)
    assert left.count >= MORE
    file, function = left.place.split(":")[:2]
    assert (file.rpartition("/")[2] in {"leaving.py", "leaking.py"}) is True
    assert function.rpartition(".")[2] == case.function


@EACH_RUN
def test_of_the_repaired_agent_nothing_grows(name: str, strategy: str, loop: str) -> None:
    assert grows(LEAVINGS[name].repaired, strategy, loop) == ()
