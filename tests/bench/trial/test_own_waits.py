"""The waits of a target's own: exact where the clock skips, told by place, part of the ideal."""

import asyncio
import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import Any

import pytest
from openai import AsyncOpenAI, RateLimitError
from warpbench.bench.results.own_waits import OwnWait
from warpbench.bench.results.reference import Reference
from warpbench.bench.results.timeline import LaneState
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import parse_scenario

from . import own_tools
from .own_tools import TOOL_S, Build, agent, plain_agent

_TWO_TOOLS = """
    name = "two-tools"
    description = "Two rounds that ask for two tools each, and the answer."
    sessions = 4
    [model]
    latency_s = 1.0
    [tools.search]
    description = "Searches."
    kind = "async"
    latency_s = 9.0
    [[rounds]]
    tools = [{ tool = "search" }, { tool = "search" }]
    repeat = 2
    [[rounds]]
"""
TWO_TOOLS = parse_scenario(_TWO_TOOLS)
FLAKY = parse_scenario(
    _TWO_TOOLS
    + """
    [[faults]]
    kind = "status"
    status = 503
    retry_after_s = 1
    probability = 0.15
"""
)
LIMITED = parse_scenario("""
    name = "limited"
    description = "Two requests are admitted at the start, and another one every 30 s."
    sessions = 3
    [model]
    latency_s = 1.0
    [model.limits]
    requests_per_minute = 2
    [[rounds]]
""")
SESSIONS, ROUNDS, MODEL_S = 2, 2, 3.0
MEETING = 4
"""So many sessions, where they run at one time."""
ON_LOOPS = [
    (strategy, loop)
    for strategy in ("gather", "taskgroup", "workers")
    for loop in ("asyncio", "uvloop")
]
# The first target of a kind on either loop and by every strategy, each other one on one loop;
# the slow suite has all of each.
GATHER = ("gather", "asyncio"), ("gather", "uvloop")
EVERY_STRATEGY = (*GATHER, ("taskgroup", "uvloop"), ("workers", "asyncio"))
IN_THREADS = [
    ("sync", "asyncio"),
    ("threads", "asyncio"),
    ("executor", "asyncio"),
    ("executor", "uvloop"),
]


def run(target: object, strategy: str = "gather", loop: str = "asyncio", **more: Any) -> LabResult:
    settings = {"scenario": TWO_TOOLS, "sessions": SESSIONS, "concurrency": 1, **more}
    result = run_cell(spec_of(target, strategy=strategy, loop=loop, **settings), target)
    result.held.is_known = True  # before anything is run alone
    assert result.sessions.succeeded == result.sessions.started, result.errors
    return result


@functools.cache
def run_once(target: Build, strategy: str, loop: str) -> LabResult:
    """Run it as others do, who only look at it."""
    return run(target, strategy, loop)


def where(result: LabResult) -> list[tuple[str, str, int | None]]:
    """The functions in which sessions waited, for what, and how often."""
    return [(each.place.split(":")[1], each.awaits, each.waits) for each in result.own_waits]


def each_on_a_loop(count: int) -> list[tuple[int, str, str]]:
    """Return which of so many targets is run by which strategy on which loop."""
    others = [(number, *GATHER[number % 2]) for number in range(1, count)]
    return [*((0, *how) for how in EVERY_STRATEGY), *others]


ASYNC_IN_TURN = [
    (own_tools.in_turn, "sleeps", "asyncio.sleep", 2),
    (own_tools.written_out, "written_out", "asyncio.sleep", 2),
    (own_tools.by_anyio, "sleeps_by_anyio", "anyio.sleep", 2),
    (own_tools.with_a_timeout, "sleeps", "asyncio.sleep", 2),
    (own_tools.in_threads_in_turn, "blocks", "time.sleep", 2),
    (own_tools.pages_in_turn, "sleeps", "asyncio.sleep", 6),
]


@pytest.mark.parametrize(
    ("target", "function", "awaits", "waits", "strategy", "loop"),
    [(*ASYNC_IN_TURN[number], *how) for number, *how in each_on_a_loop(len(ASYNC_IN_TURN))],
)
def test_own_tools_in_turn_are_told_with_their_place_and_what_at_once_saves(
    target: Build, function: str, awaits: str, waits: int, strategy: str, loop: str
) -> None:
    check_in_turn(run_once(target, strategy, loop), function, awaits, waits)


@pytest.mark.parametrize(("strategy", "loop"), [*IN_THREADS[:2], IN_THREADS[3]])
def test_so_are_those_of_plain_code(strategy: str, loop: str) -> None:
    result = run_once(own_tools.plainly_in_turn, strategy, loop)
    check_in_turn(result, "blocks", "time.sleep", 2)


def check_in_turn(result: LabResult, function: str, awaits: str, waits: int) -> None:
    tool_s = TOOL_S * waits / 2
    assert where(result) == [(function, awaits, SESSIONS * ROUNDS * waits)]
    (place,) = result.own_waits
    assert place.in_turn
    assert place.seen_s == pytest.approx(SESSIONS * ROUNDS * 2 * tool_s, abs=1e-9)
    for parts in result.time_parts:
        assert (parts.llm, parts.remainder, parts.ready) == (MODEL_S, 0, 0)
        assert parts.tool == parts.serialised == pytest.approx(ROUNDS * tool_s, abs=1e-9)
    assert result.reference is Reference.CONVERSATION
    needed_s = MODEL_S + ROUNDS * tool_s
    assert result.ideal.makespan == pytest.approx(SESSIONS * needed_s, abs=1e-9)
    assert result.efficiency == pytest.approx(needed_s / (needed_s + ROUNDS * tool_s))


ASYNC_AT_ONCE = [
    own_tools.at_once,
    own_tools.in_a_group,
    own_tools.in_threads_at_once,
    own_tools.pages_at_once,
    own_tools.one_of_two_tools_asks_for_three_pages,
]


@pytest.mark.parametrize(
    ("target", "strategy", "loop"),
    [(ASYNC_AT_ONCE[number], *how) for number, *how in each_on_a_loop(len(ASYNC_AT_ONCE))],
)
def test_at_once_they_reach_the_ideal(target: Build, strategy: str, loop: str) -> None:
    check_ideal(run(target, strategy, loop))


@pytest.mark.parametrize(("strategy", "loop"), IN_THREADS[1:3])
def test_so_they_do_in_a_pool_of_threads(strategy: str, loop: str) -> None:
    check_ideal(run(own_tools.plainly_at_once, strategy, loop))


def check_ideal(result: LabResult) -> None:
    assert result.efficiency == 1
    assert not any(place.in_turn for place in result.own_waits)
    for parts in result.time_parts:
        assert (parts.llm, parts.serialised, parts.remainder) == (MODEL_S, 0, 0)
        assert parts.tool > 0


def test_tools_that_block_the_loop_could_not_have_overlapped_as_they_are_written() -> None:
    result = run(own_tools.blocking_the_loop)
    (place,) = result.own_waits
    assert (place.blocks_loop, place.in_turn) == (True, False)
    assert place.lost_s == SESSIONS * ROUNDS * TOOL_S
    assert {(parts.tool, parts.serialised, parts.remainder) for parts in result.time_parts} == {
        (ROUNDS * TOOL_S, 0, ROUNDS * TOOL_S)
    }
    assert len(result.blocked_loop) == SESSIONS * ROUNDS * 2


def test_a_limit_that_keeps_tools_apart_is_named_and_no_order_of_tools() -> None:
    result = run(own_tools.one_at_a_time)
    sleep, lock = sorted(result.own_waits, key=lambda each: each.place)[::-1]
    assert (sleep.awaits, sleep.lost_s) == ("asyncio.sleep", 0)
    assert (lock.awaits, lock.waits) == ("asyncio.Lock.acquire", SESSIONS * ROUNDS)
    assert lock.lost_s == SESSIONS * ROUNDS * TOOL_S
    assert [parts.serialised for parts in result.time_parts] == [0] * SESSIONS


@pytest.mark.parametrize(
    ("target", "awaits", "strategies"),
    [
        (own_tools.for_an_event, "asyncio.Event.wait", ON_LOOPS[::3]),
        (own_tools.for_a_queue, "asyncio.Queue.get", GATHER[1:]),
        (own_tools.plainly_for_an_event, "threading.Event.wait", IN_THREADS[1:2]),
        (own_tools.plainly_for_a_queue, "queue.Queue.get", IN_THREADS[3:]),
    ],
)
def test_what_others_end_is_told_by_place_and_is_no_part_of_the_ideal(
    target: Build, awaits: str, strategies: Sequence[tuple[str, str]]
) -> None:
    for strategy, loop in strategies:
        check_what_others_end(run(target, strategy, loop), awaits)


def check_what_others_end(result: LabResult, awaits: str) -> None:
    (place,) = result.own_waits
    assert (place.awaits, place.waits) == (awaits, SESSIONS * ROUNDS)
    assert place.lost_s == place.seen_s == SESSIONS * ROUNDS * TOOL_S
    assert result.ideal.makespan == SESSIONS * MODEL_S
    assert [parts.remainder for parts in result.time_parts] == [ROUNDS * TOOL_S] * SESSIONS


def test_a_lock_of_threads_is_seen_where_sessions_meet() -> None:
    many = {"sessions": MEETING, "concurrency": MEETING}
    result = run(own_tools.plainly_for_a_lock, "threads", **many)
    lock = next(each for each in result.own_waits if each.awaits == "threading.Lock.acquire")
    # All ask at one time: the first has it, and the others wait for those before them.
    assert lock.waits == (MEETING - 1) + MEETING - 1
    assert lock.lost_s == lock.seen_s


REPEATED = [
    (own_tools.in_turn, "gather"),
    (own_tools.one_at_a_time, "taskgroup"),
    (own_tools.in_threads_at_once, "gather"),
    (own_tools.plainly_at_once, "executor"),
    (own_tools.plainly_for_a_lock, "executor"),
]


@pytest.mark.parametrize(
    ("target", "strategy", "loop"),
    [(*each, ("asyncio", "uvloop")[number % 2]) for number, each in enumerate(REPEATED)],
)
def test_every_run_notes_the_same(target: Build, strategy: str, loop: str) -> None:
    check_repeats(target, strategy, loop)


def check_repeats(target: Build, strategy: str, loop: str) -> None:
    many = {"sessions": MEETING, "concurrency": MEETING}
    one, other = (run(target, strategy, loop, **many) for _ in range(2))
    assert one.own_waits == other.own_waits
    assert one.time_parts == other.time_parts
    assert one.ideal == other.ideal


@pytest.mark.parametrize(
    ("target", "strategy", "loop"),
    [
        *((each[0], *GATHER[number % 2]) for number, each in enumerate(ASYNC_IN_TURN)),
        (own_tools.in_turn, "gather", "uvloop"),
        (own_tools.plainly_in_turn, "threads", "asyncio"),
    ],
)
def test_in_warp_the_same_waits_are_noted(target: Build, strategy: str, loop: str) -> None:
    check_warp(target, strategy, loop)


def check_warp(target: Build, strategy: str, loop: str) -> None:
    exact = run_once(target, strategy, loop)
    warped = run(target, strategy, loop, clock=ClockMode.WARP)
    assert where(warped) == where(exact)
    assert [each.in_turn for each in warped.own_waits] == [True]
    assert (warped.efficiency or 0) <= 1
    assert warped.ideal.makespan <= exact.ideal.makespan


def test_on_the_wall_clock_the_ideal_is_the_scripts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_tools, "TOOL_S", 0.01)
    scenario = parse_scenario("""
        name = "quick"
        description = "A round with two tools."
        sessions = 1
        [model]
        latency_s = 0.01
        [tools.search]
        description = "Searches."
        kind = "async"
        latency_s = 0.01
        [[rounds]]
        tools = [{ tool = "search" }, { tool = "search" }]
        [[rounds]]
    """)
    result = run(own_tools.in_turn, scenario=scenario, sessions=1, clock=ClockMode.WALL)
    assert result.reference is Reference.CONVERSATION
    assert result.ideal.makespan == 0.02


def test_a_target_with_the_labs_tools_is_compared_with_the_script() -> None:
    result = run("agent", scenario="tools", sessions=2)
    assert result.reference is Reference.SCRIPT
    assert result.own_waits == ()


def test_a_sleep_that_no_answer_asked_for_is_lost_and_told_by_its_line() -> None:
    target = own_tools.at_once

    def build() -> Callable[[str], Any]:
        session = target()

        async def later(task: str) -> Any:
            await asyncio.sleep(0.5)
            return await session(task)

        return later

    result = run(build)
    pause = next(
        each for each in result.own_waits if each.place.rpartition(":")[0].endswith("later")
    )
    code: Any = build
    assert pause == OwnWait(
        place=pause.place, awaits="asyncio.sleep", seen_s=1.0, waits=2, sessions=2, lost_s=1.0
    )
    assert int(pause.place.rpartition(":")[2]) == code.__code__.co_firstlineno + 4
    assert [parts.remainder for parts in result.time_parts] == [0.5] * SESSIONS
    assert result.efficiency == 3.5 / 4


@pytest.mark.parametrize("clock", [ClockMode.VIRTUAL, ClockMode.WARP])
def test_a_heartbeat_is_no_tool_and_holds_nobody_up(clock: ClockMode) -> None:
    target = own_tools.in_turn

    async def beats() -> None:
        while True:  # noqa: ASYNC110 (that is what it is)
            await asyncio.sleep(0.9)

    def build() -> Callable[[str], Any]:
        session = target()

        async def with_a_heart(task: str) -> Any:
            heart = asyncio.ensure_future(beats())
            try:
                return await session(task)
            finally:
                heart.cancel()

        return with_a_heart

    result = run(build, clock=clock)
    assert where(result) == [("sleeps", "asyncio.sleep", SESSIONS * ROUNDS * 2)]
    for parts in result.time_parts:
        # In `warp` a wait is seen from when the session has computed until it waits.
        computed_s = parts.cpu + parts.ready
        assert parts.serialised == pytest.approx(ROUNDS * TOOL_S, abs=computed_s, rel=1e-9)
        assert parts.remainder == pytest.approx(0, abs=computed_s)
        assert computed_s == 0 or clock is ClockMode.WARP
    assert [wait.in_turn for wait in result.own_waits] == [True]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_pauses_of_an_sdk_are_retries_and_told_where_the_model_is_asked(loop: str) -> None:
    result = run(own_tools.in_turn, loop=loop, scenario=FLAKY, sessions=9, concurrency=9)
    tools, pauses = result.own_waits
    assert (tools.place.split(":")[1], tools.awaits) == ("sleeps", "asyncio.sleep")
    assert (tools.waits, tools.retry_s) == (9 * ROUNDS * 2, 0)
    assert pauses.place.split(":")[1] == "agent.<locals>.build.<locals>.session"
    assert pauses.awaits == "openai.AsyncCompletions.create"
    # A refusal takes no time here, so that the pauses after it are all of the retries.
    assert (pauses.retry_s, pauses.lost_s) == (pytest.approx(pauses.seen_s), 0)
    assert sum(parts.retry for parts in result.time_parts) == pytest.approx(pauses.retry_s)
    for parts in result.time_parts:
        assert (parts.serialised, parts.remainder) == (ROUNDS * TOOL_S, 0)


def test_a_back_off_of_the_targets_own_is_told_by_its_line_and_the_limit_by_its_count() -> None:
    pause_s = 20.0

    def build() -> Callable[[str], Any]:
        client = AsyncOpenAI(max_retries=0)

        async def session(task: str) -> str:
            while True:
                try:
                    completion = await client.chat.completions.create(
                        model="m", messages=[{"role": "user", "content": task}]
                    )
                except RateLimitError:
                    await asyncio.sleep(pause_s)
                else:
                    return completion.choices[0].message.content or ""

        return session

    # Of three sessions two are admitted at once, and the last after 30 s: at its third attempt.
    result = run(build, scenario=LIMITED, sessions=3, concurrency=3)
    (pause,) = result.own_waits
    assert pause == OwnWait(
        place=pause.place,
        awaits="asyncio.sleep",
        seen_s=2 * pause_s,
        waits=2,
        sessions=1,
        lost_s=0.0,
        retry_s=2 * pause_s,
    )
    code: Any = build
    assert int(pause.place.rpartition(":")[2]) == code.__code__.co_firstlineno + 10
    assert sorted(parts.retry for parts in result.time_parts) == [0, 0, 2 * pause_s]
    assert (result.model_requests.limited, result.model_requests.retries) == (2, 2)


def test_a_session_that_fails_adds_nothing_to_the_ideal() -> None:
    @plain_agent
    def tools(_calls: Any) -> None:
        own_tools.blocks()
        raise ValueError("no such customer")

    spec = spec_of(tools, scenario=TWO_TOOLS, strategy="threads", sessions=2)
    result = run_cell(spec, tools)
    result.held.is_known = True
    assert result.sessions.failed == 2
    assert result.ideal.makespan == MODEL_S


def test_the_lane_of_a_session_shows_its_own_waits_with_their_place() -> None:
    target = own_tools.in_turn
    spec = spec_of(target, scenario=TWO_TOOLS, sessions=1)
    with prepared_here(spec, target) as measure:
        assert callable(measure)
        timeline = measure().timeline
    assert timeline is not None
    (lane,) = timeline.lanes
    model, own = LaneState.MODEL, LaneState.OWN_WAIT
    # Both tools of a round wait at one place.
    assert lane.state == (model, own, model, own, model)
    assert lane.place == (-1, 0, -1, 0, -1)
    (place,) = timeline.places
    assert place.split(":")[1] == "sleeps"


def any_tools(seed: int) -> Build:
    """An agent whose tools wait in a manner that is drawn for each answer."""
    draw = random.Random(seed)
    lock = asyncio.Semaphore(2)

    async def wanders() -> None:
        for _ in range(draw.randint(0, 2)):
            kind = draw.randrange(4)
            if kind == 0:
                async with lock:
                    await asyncio.sleep(draw.choice([0.1, 0.2]))
            elif kind == 1:
                await asyncio.to_thread(own_tools.blocks)
            elif kind == 2:
                await asyncio.gather(own_tools.sleeps(), asyncio.sleep(0.1))
            else:
                await own_tools.asks_for_three_pages()

    @agent
    async def tools(calls: Any) -> None:
        if draw.random() < 0.5:
            await asyncio.gather(*(wanders() for _ in calls))
        else:
            for _ in calls:
                await wanders()
        await asyncio.sleep(draw.choice([0, 0, 0.05]))

    return tools


@pytest.mark.parametrize("seed", range(4))
def test_whatever_tools_do_the_ideal_is_never_beaten_and_the_parts_add_up(seed: int) -> None:
    check_that_parts_add_up(seed, ("asyncio", "uvloop")[seed % 2])


def check_that_parts_add_up(seed: int, loop: str) -> None:
    result = run(any_tools(seed), loop=loop, sessions=6, concurrency=3)
    assert 0 < (result.efficiency or 0) <= 1
    for latency_s, parts in zip(result.latencies, result.time_parts, strict=True):
        assert sum(astuple(parts)) == pytest.approx(latency_s, abs=1e-9)
