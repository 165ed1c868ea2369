"""Where the time went: known by construction, and in sum what it was."""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI
from warpbench.bench.attribution.breakdown import split_times
from warpbench.bench.attribution.observations import Observations
from warpbench.bench.results.blocked_loop import BlockedLoop
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.time_parts import TimeParts, mean_parts
from warpbench.bench.strategies import BUILT_IN, Drives, Strategy
from warpbench.bench.targets.loading import Lab, Target
from warpbench.bench.testing.lab import LabResult, run_cell, spec_of
from warpbench.mocks.observe.refusals import Refusal
from warpbench.mocks.observe.waits import SentRequest, Wait, WaitEnding, WaitKind
from warpbench.mocks.scenario import Scenario, parse_scenario
from warpbench.mocks.workload.script import ModelCallScript, SessionScript, ToolCallScript, ToolKind

MS = 1_000_000
CELLS = [
    pytest.param(strategy, loop, id=f"{strategy.name}-{loop}")
    for strategy in BUILT_IN
    for loop in (("asyncio", "uvloop") if strategy.on_loop else ("asyncio",))
]
ON_A_LOOP = [
    pytest.param(strategy, loop, id=f"{strategy.name}-{loop}")
    for strategy in BUILT_IN
    for loop in ("asyncio", "uvloop")
    if strategy.drives is Drives.ASYNC and strategy.on_loop
]
EVERY_CELL = pytest.mark.parametrize(("strategy", "loop"), CELLS)


def scenario(kind: str = "async", tools: int = 3, more: str = "", faults: str = "") -> Scenario:
    """A model call of 1 s, tools of 0.5 s each, and the answer after another second."""
    calls = ", ".join(['{ tool = "look_up" }'] * tools)
    return parse_scenario(f"""
        name = "known"
        description = "Known by construction."
        sessions = 2
        [model]
        latency_s = 1.0
        [tools.look_up]
        description = "Looks something up."
        kind = "{kind}"
        latency_s = 0.5
        {more}
        [[rounds]]
        tools = [{calls}]
        [[rounds]]
        {faults}
    """)


def by_hand(  # noqa: C901 - an agent's two forms in one place
    *, in_turn: bool = False, threads: int | None = None, pause_s: float = 0.0
) -> Callable[[Lab], Target]:
    """An agent of a few lines; what it does with its tools is said here.

    Args:
        in_turn: Whether it calls them one after another.
        threads: Threads for those that block.
        pause_s: What it sleeps, on its own account, before it answers.
    """

    def build(lab: Lab) -> Target:  # noqa: C901
        (tool,) = lab.tools
        pool = ThreadPoolExecutor(threads or lab.tool_workers)
        parameters = dict(tool.parameters)
        function = {"name": tool.name, "description": "d", "parameters": parameters}
        declared: Any = [{"type": "function", "function": function}]
        client = AsyncOpenAI(api_key=lab.api_key, base_url=lab.base_url)
        sync_client = OpenAI(api_key=lab.api_key, base_url=lab.base_url)

        async def call(arguments: dict[str, Any]) -> str:
            if asyncio.iscoroutinefunction(tool.function):
                return await tool.function(**arguments)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, lambda: tool.sync_function(**arguments))

        async def session(task: str) -> str:
            messages: list[Any] = [{"role": "user", "content": task}]
            while True:
                answer = await client.chat.completions.create(
                    model="m", messages=messages, tools=declared
                )
                asked = answer.choices[0].message.tool_calls
                if not asked:
                    await asyncio.sleep(pause_s)
                    return "done"
                calls = [call(json.loads(each.function.arguments)) for each in asked]
                if in_turn:
                    results = [await each for each in calls]
                else:
                    results = await asyncio.gather(*calls)
                messages += followed(answer, results)

        def sync_session(task: str) -> str:
            messages: list[Any] = [{"role": "user", "content": task}]
            while True:
                answer = sync_client.chat.completions.create(
                    model="m", messages=messages, tools=declared
                )
                asked = answer.choices[0].message.tool_calls
                if not asked:
                    time.sleep(pause_s)
                    return "done"
                arguments = [json.loads(each.function.arguments) for each in asked]
                if in_turn:
                    results = [tool.sync_function(**each) for each in arguments]
                else:
                    results = list(pool.map(lambda each: tool.sync_function(**each), arguments))
                messages += followed(answer, results)

        return Target(session=session, sync_session=sync_session)

    return build


def followed(answer: Any, results: list[str]) -> list[Any]:
    message = answer.choices[0].message
    return [
        message,
        *(
            {"role": "tool", "tool_call_id": call.id, "content": result}
            for call, result in zip(message.tool_calls, results, strict=True)
        ),
    ]


def run(
    target: object,
    strategy: Strategy,
    loop: str,
    of: Scenario,
    sessions: int = 2,
    clock: str = "virtual",
) -> LabResult:
    spec = spec_of(
        target, scenario=of, strategy=strategy.name, loop=loop, sessions=sessions, clock=clock
    )
    result = run_cell(spec, target)
    assert result.errors == ()
    for parts, latency in zip(result.time_parts, result.latencies, strict=True):
        assert sum(asdict(parts).values()) == pytest.approx(latency, abs=1e-9)
    return result


def parts(**known: float) -> TimeParts:
    return TimeParts(**known)


@EVERY_CELL
def test_tools_side_by_side_take_as_long_as_one(strategy: Strategy, loop: str) -> None:
    result = run(by_hand(), strategy, loop, scenario())

    assert result.time_parts == (parts(llm=2.0, tool=0.5),) * 2


@EVERY_CELL
def test_tools_in_turn_could_have_overlapped(strategy: Strategy, loop: str) -> None:
    result = run(by_hand(in_turn=True), strategy, loop, scenario())

    assert result.time_parts == (parts(llm=2.0, tool=0.5, serialised=1.0),) * 2


@EVERY_CELL
def test_what_no_mock_knows_of_remains(strategy: Strategy, loop: str) -> None:
    result = run(by_hand(pause_s=0.25), strategy, loop, scenario())

    assert result.time_parts == (parts(llm=2.0, tool=0.5, remainder=0.25),) * 2


@EVERY_CELL
def test_a_failed_attempt_and_its_back_off_are_retries(strategy: Strategy, loop: str) -> None:
    fault = """
        [[faults]]
        kind = "status"
        status = 429
        retry_after_s = 3
        sessions = [1]
        steps = [1]
        attempts = [1]
    """
    result = run(by_hand(), strategy, loop, scenario(faults=fault))

    failed_s = result.time_parts[1].retry
    assert failed_s >= 3.0
    assert result.time_parts == (parts(llm=2.0, tool=0.5), parts(llm=2.0, tool=0.5, retry=failed_s))
    assert result.latencies[1] == pytest.approx(2.5 + failed_s)


@pytest.mark.parametrize(("strategy", "loop"), ON_A_LOOP)
def test_who_finds_no_free_thread_waits_for_admission(strategy: Strategy, loop: str) -> None:
    if strategy.name == "blocking":
        pytest.skip("it has one session at a time")
    one_thread = run(by_hand(threads=1), strategy, loop, scenario("blocking", tools=1), sessions=3)

    assert one_thread.time_parts == tuple(
        parts(llm=2.0, tool=0.5, admission=waited_s) for waited_s in (0.0, 0.5, 1.0)
    )


def test_who_is_back_from_a_call_a_moment_after_its_wait_still_waits_for_a_thread() -> None:
    """The first tool's wait is taken up at 100; it is back at 101. The other begins at 300."""
    tool = ToolCallScript("t", "{}", ToolKind.ASYNC, 100)
    script = SessionScript(0, (ModelCallScript(0, 1, 1, (tool, tool)),))
    sample = SessionSample(0, Outcome.SUCCEEDED, 0, 400, idle_at_end_ns=390)
    first = Wait(WaitKind.TOOL, 0, 0, 0, "t", 0, 101, 100, 0, 0, 97)
    second = Wait(WaitKind.TOOL, 0, 0, 1, "t", 300, 400, 100, 0, 290, 390)
    observations = Observations(
        scripts={0: script},
        waits=(first, second),
        cpu_ns={},
        blocked_loop=(),
        origin_ns=0,
        cores=1,
    )

    ((found, _),) = split_times([sample], observations)

    assert found == parts(tool=100, serialised=100, admission=193, ready=7)


@pytest.mark.parametrize(("strategy", "loop"), ON_A_LOOP)
def test_a_loop_that_somebody_blocks_leaves_the_others_ready(strategy: Strategy, loop: str) -> None:
    if strategy.name == "blocking":
        pytest.skip("it has one session at a time")
    held = scenario("blocking", tools=1, more="in_coroutine = true")
    result = run(by_hand(), strategy, loop, held, sessions=3)

    # One after another they block it; who was first waits for the last.
    assert [each.tool for each in result.time_parts] == [0.5] * 3
    assert sum(each.ready for each in result.time_parts) == pytest.approx(3.0)
    assert all(
        each.remainder == each.admission == each.serialised == 0 for each in result.time_parts
    )
    assert {each.session for each in result.lanes.blocked_loop} == {0, 1, 2}


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_where_one_computes_the_others_are_ready(loop: str) -> None:
    (gather,) = (strategy for strategy in BUILT_IN if strategy.name == "gather")
    computing = scenario("cpu", tools=1, more="in_coroutine = true")
    result = run(by_hand(), gather, loop, computing, sessions=3)

    assert [each.tool for each in result.time_parts] == [0.5] * 3
    assert sum(each.ready for each in result.time_parts) == pytest.approx(3.0)


@EVERY_CELL
def test_in_warp_computing_is_booked_to_who_computes(strategy: Strategy, loop: str) -> None:
    def build(lab: Lab) -> Target:
        plain = by_hand()(lab)
        assert plain.session is not None
        assert plain.sync_session is not None
        session, sync_session = plain.session, plain.sync_session

        async def computing(task: str) -> str:
            burn_s(0.02)
            return await session(task)

        def sync_computing(task: str) -> str:
            burn_s(0.02)
            return sync_session(task)

        return Target(session=computing, sync_session=sync_computing, takes_lab=True)

    result = run(build, strategy, loop, scenario(), clock="warp")

    for each in result.time_parts:
        assert each.cpu >= 0.02
        assert each.llm == pytest.approx(2.0, abs=1e-6)
        assert each.tool + each.serialised >= 0.5
        assert each.admission == each.retry == 0


def burn_s(duration_s: float) -> None:
    until_s = time.thread_time() + duration_s
    while time.thread_time() < until_s:
        pass


@st.composite
def trials(draw: st.DrawFn) -> tuple[list[SessionSample], Observations]:
    times = st.integers(0, 1000)
    tools = tuple(
        ToolCallScript("t", "{}", kind, draw(times))
        for kind in draw(st.lists(st.sampled_from(ToolKind), max_size=3))
    )
    calls = (ModelCallScript(draw(times), 1, 1, tools), ModelCallScript(draw(times), 1, 1, ()))
    samples, waits, cpu = [], [], {}
    count = draw(st.integers(1, 3))
    for session in range(count):
        start, length = draw(times), draw(times)
        idle = draw(times)
        samples.append(
            SessionSample(
                session,
                Outcome.SUCCEEDED,
                start,
                start + length,
                intended_ns=draw(st.none() | st.integers(0, start)),
                idle_at_start_ns=idle,
                idle_at_end_ns=idle + draw(times),
            )
        )
        cpu[session] = draw(times)
        for _ in range(draw(st.integers(0, 6))):
            kind = draw(st.sampled_from(WaitKind))
            begin, waited, ready, code = (draw(times) for _ in range(4))
            waits.append(
                Wait(
                    kind,
                    session,
                    draw(st.integers(0, 1)),
                    None if kind is WaitKind.MODEL else 0,
                    "",
                    begin,
                    begin + waited + ready + code,
                    waited,
                    ready,
                    draw(times),
                    draw(times),
                    draw(st.sampled_from(WaitEnding)),
                )
            )
    blocked = []
    at = 0
    for _ in range(draw(st.integers(0, 4))):
        at += draw(times)
        until = at + draw(times)
        blocked.append(BlockedLoop("place", at, until, draw(st.none() | st.integers(0, 2))))
        at = until
    observations = Observations(
        scripts={number: SessionScript(number, calls) for number in range(count)},
        waits=waits,
        cpu_ns=cpu,
        blocked_loop=blocked,
        origin_ns=0,
        cores=draw(st.integers(1, 2)),
        idle_is_known=draw(st.booleans()),
        places=draw(st.none() | st.integers(1, 3)),
        sent=[
            SentRequest(
                draw(st.integers(0, 2)),
                begin,
                begin + draw(times),
                idle,
                idle + draw(times),
                refusal=draw(st.none() | st.integers(0, 2)),
            )
            for begin, idle in draw(st.lists(st.tuples(times, times), max_size=4))
        ],
        refusals=[
            Refusal("a.example", "", draw(st.integers(0, 2)), at, idle)
            for at, idle in draw(st.lists(st.tuples(times, times), max_size=3))
        ],
    )
    return samples, observations


@pytest.mark.once
@settings(max_examples=40, deadline=None)
@given(trials())
def test_whatever_was_seen_the_parts_add_up(
    drawn: tuple[list[SessionSample], Observations],
) -> None:
    samples, observations = drawn

    found = [parts for parts, _ in split_times(samples, observations)]

    for sample, split in zip(samples, found, strict=True):
        intended_ns = sample.start_ns if sample.intended_ns is None else sample.intended_ns
        assert all(value >= 0 for value in asdict(split).values())
        assert sum(asdict(split).values()) == sample.end_ns - intended_ns
    means = asdict(mean_parts(found))
    latencies = [sum(asdict(split).values()) for split in found]
    assert sum(means.values()) == pytest.approx(sum(latencies) / len(latencies))


RANDOM: dict[str, st.SearchStrategy[Any]] = {
    "strategy": st.sampled_from(BUILT_IN),
    "loop": st.sampled_from(["asyncio", "uvloop"]),
    "kind": st.sampled_from(["async", "blocking"]),
    "tools": st.integers(1, 4),
    "sessions": st.integers(1, 5),
    "in_turn": st.booleans(),
    "seed": st.integers(0, 99),
}


@settings(max_examples=10, deadline=None)
@given(**RANDOM)
def test_in_random_scenarios_nothing_is_left_over(
    strategy: Strategy, loop: str, kind: str, tools: int, sessions: int, in_turn: bool, seed: int
) -> None:
    calls = ", ".join(['{ tool = "look_up" }'] * tools)
    drawn = parse_scenario(f"""
        name = "random"
        description = "Drawn."
        sessions = {sessions}
        [model]
        latency_s = {{ uniform = {{ low = 0.5, high = 1.5 }} }}
        [tools.look_up]
        description = "Looks something up."
        kind = "{kind}"
        latency_s = {{ uniform = {{ low = 0.1, high = 0.9 }} }}
        [[rounds]]
        tools = [{calls}]
        [[rounds]]
    """)
    target = by_hand(in_turn=in_turn)
    spec = spec_of(
        target, scenario=drawn, strategy=strategy.name, loop=loop, sessions=sessions, seed=seed
    )

    result = run_cell(spec, target)

    for split, latency in zip(result.time_parts, result.latencies, strict=True):
        assert sum(asdict(split).values()) == pytest.approx(latency, abs=1e-9)
        assert split.remainder == pytest.approx(0, abs=1e-9)
        assert split.ready == split.cpu == split.retry == split.admission == 0
        assert in_turn or split.serialised == 0
