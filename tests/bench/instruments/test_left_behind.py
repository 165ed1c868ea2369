"""What sessions leave behind is told by kind, name and place; what is there once does not grow."""

import asyncio
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
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
from warpbench.bench.trial.warm_up import WARM_UP_SESSIONS
from warpbench.mocks.scenario import parse_scenario

from ...http_libraries import sdk_http
from ..isolation.sharing import SHARERS
from .leaving import HEALTHY, LEAVINGS

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")

FEWER, MORE = 2, 4
SCENARIO = parse_scenario("""
    name = "left-behind"
    description = "Two calls, and a tool."
    sessions = 6
    [model]
    ttft_s = 0.2
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
FIRST_RUNS = [(name, case.strategies[0]) for name, case in LEAVINGS.items()]
ON_EITHER_LOOP = {"task", "stream", "exception", "coroutine"}
"""What a loop has to do with, or holds itself."""


def in_the_fast_suite() -> Iterator[tuple[str, str, str]]:
    """Yield the first that is driven by threads in all ways, and others in one of them in turn."""
    turn = 0
    for name in LEAVINGS:
        ways = [run for run in RUNS if run[0] == name]
        if name in ON_EITHER_LOOP or name == "thread":
            yield from ways
        else:
            turn += 1
            yield ways[turn % len(ways)]


def each_on_a_loop(count: int) -> list[str]:
    return [("asyncio", "uvloop")[number % 2] for number in range(count)]


ONE_OF_A_KIND = {case.kind: run for case, run in zip(LEAVINGS.values(), FIRST_RUNS, strict=True)}


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


@pytest.mark.parametrize(("name", "strategy", "loop"), [*in_the_fast_suite()])
def test_what_each_session_leaves_is_told(name: str, strategy: str, loop: str) -> None:
    """The slow suite has the other ways to drive them."""
    check_told(name, strategy, loop)


def check_told(name: str, strategy: str, loop: str) -> None:
    case = LEAVINGS[name]

    (left,) = grows(case.buggy, strategy, loop)

    assert (left.kind, left.what) == (case.kind, case.what)
    assert left.count >= MORE
    file, function = left.place.split(":")[:2]
    assert file in {"tests/bench/instruments/leaving.py", "tests/bench/isolation/leaking.py"}
    assert function.rpartition(".")[2] == case.function


@pytest.mark.parametrize(
    ("name", "strategy", "loop"),
    [
        (*run, loop if run[1] == "gather" else "asyncio")
        for run, loop in zip(FIRST_RUNS, each_on_a_loop(len(FIRST_RUNS)), strict=True)
    ],
)
def test_of_the_repaired_agent_nothing_grows(name: str, strategy: str, loop: str) -> None:
    """The slow suite has the other loops and strategies."""
    assert grows(LEAVINGS[name].repaired, strategy, loop) == ()


THERE_ONCE = {**HEALTHY, **SHARERS}


@pytest.mark.parametrize(
    ("name", "loop"), list(zip(THERE_ONCE, each_on_a_loop(len(THERE_ONCE)), strict=True))
)
def test_what_is_there_once_for_all_sessions_does_not_grow(name: str, loop: str) -> None:
    """The slow suite has the other loops."""
    assert grows(THERE_ONCE[name], "gather", loop) == ()


@pytest.mark.parametrize(
    ("target", "strategy", "loop"),
    [
        ("agent", "gather", "uvloop"),
        ("agent", "threads", "asyncio"),
        ("bare-sdk", "executor", "asyncio"),
        ("agent-streaming", "workers", "asyncio"),
    ],
)
def test_the_targets_that_come_with_the_lab_leave_nothing_that_grows(
    target: str, strategy: str, loop: str
) -> None:
    assert grows(target, strategy, loop) == ()


def test_a_task_that_is_there_once_is_told_once() -> None:
    (left,) = trial(HEALTHY["refresher"]).left_behind

    assert (left.kind, left.what, left.count) == (LeftKind.TASK, "ticks_for_ever", 1)


def test_without_being_asked_a_trial_tells_nothing() -> None:
    assert trial(LEAVINGS["task"].buggy, tells_left_behind=False).left_behind == ()


REAL_TIME = {"cpu_s", "elapsed_s", "peak_rss_bytes", "probe_cpu_s", "vitals"}


@pytest.mark.parametrize(
    ("name", "strategy", "loop"),
    [(*run, "asyncio") for kind, run in ONE_OF_A_KIND.items() if kind is not LeftKind.TASK]
    + [("task", "gather", "uvloop"), ("permit in threads", "executor", "uvloop")],
)
def test_to_tell_it_changes_no_other_figure(name: str, strategy: str, loop: str) -> None:
    build = LEAVINGS[name].buggy
    plain = trial(build, strategy, loop, tells_left_behind=False)
    telling = trial(build, strategy, loop)

    for field in {each.name for each in fields(TrialResult)} - REAL_TIME - {"left_behind"}:
        assert getattr(telling, field) == getattr(plain, field), field


def test_each_time_it_is_told_what_the_sessions_of_that_time_left() -> None:
    build = LEAVINGS["coroutine"].buggy
    spec = spec_of(build, scenario=SCENARIO, sessions=FEWER)
    with prepared_here(replace(spec, tells_left_behind=True), build) as measure:
        assert callable(measure)
        counts = [[each.count for each in measure().left_behind] for _ in range(2)]

    assert counts == [[FEWER], [FEWER]]


async def cancels_all() -> None:
    await asyncio.sleep(20)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(100)


async def stops_the_loop() -> None:
    await asyncio.sleep(20)
    asyncio.get_running_loop().stop()
    await asyncio.sleep(100)


async def leaves_the_process() -> None:
    await asyncio.sleep(20)
    raise SystemExit


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("rogue", [cancels_all, stops_the_loop, leaves_the_process])
def test_whatever_is_left_does_to_the_loop_time_runs_on(
    rogue: Callable[[], Coroutine[Any, Any, None]], loop: str
) -> None:
    tasks: list[asyncio.Task[None]] = []
    ends_s: list[float] = []

    async def session(_task: str) -> str:
        if not tasks:
            tasks.append(asyncio.create_task(rogue()))
            asyncio.get_running_loop().call_later(59, ends_s.append, 59)
        return ""

    left = trial(session, "gather", loop).left_behind

    assert ends_s == [59]
    assert [each.what for each in left] == ([] if rogue is leaves_the_process else [rogue.__name__])


def test_what_ends_within_a_minute_is_not_left() -> None:
    async def session(_task: str) -> str:
        asyncio.get_running_loop().create_task(asyncio.sleep(59))
        threading.Timer(59, str).start()
        return ""

    assert trial(session).left_behind == ()


def test_a_timer_that_is_not_due_within_a_minute_is_a_thread() -> None:
    async def session(_task: str) -> str:
        threading.Timer(61, str).start()
        return ""

    (left,) = trial(session).left_behind

    assert (left.kind, left.what, left.count) == (LeftKind.THREAD, "str", WARM_UP_SESSIONS + MORE)


def test_the_scope_leaves_everything_as_it_was() -> None:
    def patched() -> list[object]:
        owners = [asyncio.Semaphore, asyncio.Lock, threading.Semaphore, threading.Thread]
        loops = [asyncio.BaseEventLoop, uvloop.Loop]
        return [
            *(vars(owner)["__init__"] for owner in (*owners, ThreadPoolExecutor, sdk_http.Client)),
            *(loop.call_exception_handler for loop in loops),
            "call_exception_handler" in vars(uvloop.Loop),
            warnings._warn_unawaited_coroutine,  # type: ignore[attr-defined]
        ]

    before = patched()
    trial("agent")

    assert patched() == before


def test_what_grows_is_more_of_the_same_or_new() -> None:
    pool, task = (
        LeftBehind(kind, "it", "agent.py:session:3", 5) for kind in (LeftKind.THREAD, LeftKind.TASK)
    )
    other_place = replace(task, place="agent.py:session:4")

    assert grown([pool, task], [pool, replace(task, count=6)]) == (replace(task, count=6),)
    assert grown([task], [replace(task, count=4), other_place]) == (other_place,)
