"""The fixture ``lab``: an agent against the mocked world, inside a test."""

import asyncio
import gc
import json
import os
import random
import select
import socket
import subprocess
import sys
import threading
import time
from typing import Any, NamedTuple

import freezegun
import openai
import pytest
import time_machine
from warpbench.bench.targets.loading import Target
from warpbench.bench.testing.pytest_plugin import LabInTests
from warpbench.mocks.clock import virtual
from warpbench.mocks.errors import ClockHangError, TargetError, TrialError, UsageError

from ...conftest import TIMEOUT_S
from ..gate.owner_agent import AGENT


def test_the_agent_reaches_the_ideal(lab: LabInTests) -> None:
    result = lab.run("agent", scenario="tools", sessions=10)
    assert result.makespan == result.ideal.makespan == 1.2
    assert result.efficiency == 1.0
    assert result.latencies == (1.2,) * 10
    assert result.llm_calls == result.http_requests == 20
    assert result.tool_calls == 40
    assert result.peak_in_flight == 10
    assert result.blocked_loop == []
    assert result.errors == ()
    assert result.sessions.succeeded == result.sessions.started == 10


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("strategy", ["sync", "threads", "executor", "gather", "taskgroup"])
def test_every_strategy_runs_on_every_loop(lab: LabInTests, strategy: str, loop: str) -> None:
    result = lab.run("agent", scenario="two-sleeps", strategy=strategy, loop=loop, sessions=2)
    assert result.makespan == (2.0 if strategy == "sync" else 1.0)


async def ask(task: str) -> str:
    """A session of one's own: the target may be the coroutine function itself."""
    answer = await openai.AsyncOpenAI().chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": task}]
    )
    return answer.choices[0].message.content or ""


def test_a_target_is_a_name_a_factory_a_session_or_a_target(lab: LabInTests) -> None:
    def factory() -> Any:
        return ask

    def sync_session(task: str) -> str:
        return asyncio.run(ask(task))

    for target in (ask, factory, Target(session=ask)):
        assert lab.run(target, scenario="chat", sessions=3).sessions.succeeded == 3
    result = lab.run(Target(sync_session=sync_session), strategy="sync", scenario="chat")
    assert result.sessions.succeeded == 10


def test_a_blocked_loop_is_named(lab: LabInTests) -> None:
    async def blunder(task: str) -> str:
        time.sleep(0.5)  # noqa: ASYNC251 - the blunder
        return await ask(task)

    result = lab.run(blunder, scenario="chat", sessions=2)
    assert [(each.start, each.duration) for each in result.blocked_loop] == [(0.0, 0.5), (0.5, 0.5)]
    assert result.blocked_loop[0].place.endswith("test_a_blocked_loop_is_named.<locals>.blunder")


def test_sessions_that_fail_are_counted_and_say_why(lab: LabInTests) -> None:
    async def broken(task: str) -> str:
        raise ValueError("no luck")

    result = lab.run(broken, sessions=3)
    assert result.sessions.failed == 3
    assert result.errors == ("ValueError: no luck",) * 3
    assert result.efficiency is None


def test_the_process_is_left_as_it_was(lab: LabInTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-one's-own")
    random.seed(5)
    expected = random.random()
    random.seed(5)
    environ = dict(os.environ)
    before = set(threading.enumerate())
    lab.run("agent")
    assert os.environ == environ
    assert random.random() == expected
    # What the target keeps ends with it: the agent's pool of threads.
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before
    with pytest.raises(OSError, match="refused"), socket.socket() as plain:
        plain.connect(("127.0.0.1", 1))  # nothing is in the way of real connections
    assert asyncio.run(asyncio.sleep(0, "loops are real again")) == "loops are real again"


@pytest.mark.usefixtures("what_freezes_leave_is_undone")
@pytest.mark.parametrize(
    ("clock", "loop"), [("virtual", "asyncio"), ("virtual", "uvloop"), ("warp", "asyncio")]
)
def test_a_target_that_freezes_time_leaves_the_next_run_as_it_is(
    lab: LabInTests, clock: str, loop: str
) -> None:
    """With the warm-up, two such sessions overlap, and freezegun forgets to put something back."""

    async def freezing(task: str) -> str:
        # It looks into every module, and so has these import all that they could.
        ignored = ["openai", "scipy"]
        with freezegun.freeze_time("2024-02-29", real_asyncio=True, ignore=ignored):
            await asyncio.sleep(1)
        return await ask(task)

    async def travelling(task: str) -> str:
        with time_machine.travel("2024-02-29", tick=False):
            await asyncio.sleep(1)
        return await ask(task)

    for target, takes_s in ((freezing, 1.5), (ask, 0.5), (travelling, 1.5), (ask, 0.5)):
        result = lab.run(target, scenario="chat", sessions=1, clock=clock, loop=loop)
        assert result.sessions.succeeded == 1
        if clock == "virtual":
            assert result.makespan == takes_s
        assert takes_s - 0.002 <= result.makespan < takes_s + 60


def test_the_same_run_gives_the_same_numbers(lab: LabInTests) -> None:
    first, second = lab.run("agent", seed=7), lab.run("agent", seed=7)
    assert first.latencies == second.latencies
    assert first.waits == second.waits


@pytest.mark.parametrize(
    ("options", "error", "complaint"),
    [
        ({"strategy": "gathr"}, UsageError, "did you mean 'gather'"),
        ({"loop": "uv"}, UsageError, "expected one of"),
        ({"clock": "sundial"}, UsageError, "expected one of"),
        ({"scenario": "nowhere"}, UsageError, "nowhere"),
        ({"sessions": 0}, UsageError, "sessions=0: expected a whole number from 1"),
        ({"slo": "max=5"}, UsageError, "slo='5' has no unit"),
        ({"slo": "p99=5s"}, UsageError, "p99 takes 100 sessions, and this cell has 10"),
        (
            {"slo": "max=1s,first_output_p90=5s", "sessions": 9},
            UsageError,
            "first output p90 takes",
        ),
        ({"target": "nowhere:build"}, TargetError, "cannot be imported"),
        ({"target": 3}, TargetError, "found int"),
        ({"target": ask, "strategy": "sync"}, TrialError, "no sync session"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(
    lab: LabInTests, options: dict[str, Any], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        lab.run(**options)


@pytest.mark.parametrize("clock", ["virtual", "warp"])
def test_an_objective_that_is_met_gives_the_result(lab: LabInTests, clock: str) -> None:
    result = lab.run("agent", scenario="tools", sessions=10, clock=clock, slo="max=1h")
    assert result.latency.max is not None


def test_one_that_is_missed_is_a_failed_assertion(lab: LabInTests) -> None:
    at_the_limit = lab.run("agent", scenario="tools", slo="max=1200ms")
    assert at_the_limit.latency.max == 1.2
    with pytest.raises(AssertionError) as missed:
        lab.run("agent", scenario="tools", slo="max=1199ms")
    assert str(missed.value) == (
        "tools/agent/gather/asyncio@10: latency max of 1.200 s misses the objective of 1.199 s"
    )


def test_several_are_asked_for_at_once_and_each_that_is_missed_is_told(lab: LabInTests) -> None:
    met = lab.run("agent-streaming", scenario="tools", slo="ttft_max=600ms,p50=2s")
    assert met.ttft.max is not None
    assert met.streamed_calls == met.llm_calls
    assert met.first_outputs == (None,) * 10
    with pytest.raises(AssertionError) as missed:
        lab.run("agent-streaming", scenario="tools", slo="ttft_max=1ms,p50=2s,max=1ms")
    assert "TTFT max of " in str(missed.value)
    assert "; latency max of " in str(missed.value)
    with pytest.raises(AssertionError, match="it takes 1 streamed model call"):
        lab.run("agent", scenario="tools", slo="ttft_max=1h")


def test_sessions_that_fail_miss_an_objective(lab: LabInTests) -> None:
    async def broken(task: str) -> str:
        raise ValueError("no luck")

    with pytest.raises(AssertionError, match="0 of 10 sessions succeeded"):
        lab.run(broken, slo="max=1h")


def test_inside_a_running_loop_it_says_where_to_go(lab: LabInTests) -> None:
    async def main() -> None:
        lab.run("agent")

    with pytest.raises(TrialError, match="call it from a plain test"):
        asyncio.run(main())


SUITE = """
import pytest

def test_run(lab):
    lab.run("agent", scenario="tools", sessions=2, slo="mean=1s")

def test_benchmark(lab, benchmark):
    lab.benchmark(benchmark, "agent", scenario="tools", sessions=2, rounds=1, slo="mean=1s")

def test_the_tools_overlap(lab):
    result = lab.run("owner_agent:build", scenario="tools", sessions=2)
    assert result.makespan == result.ideal.makespan

@pytest.mark.parametrize("strategy", ["gather", "threads"])
def test_cell(lab, benchmark, strategy):
    result = lab.benchmark(benchmark, "agent", scenario="tools", strategy=strategy, rounds=2)
    assert result.efficiency == 1.0
"""
# Each run collects garbage, and would go through all that was imported.
NO_GARBAGE = """
import gc
import openai

def pytest_collection_finish():
    gc.collect()
    gc.freeze()
"""
TOOLS_IN_TURN = AGENT.replace(
    "results = await asyncio.gather(*map(call, answer.tool_calls))",
    "results = [await call(asked) for asked in answer.tool_calls]",
)


class Suite(NamedTuple):
    """What became of a user's tests: what pytest printed, and the benchmarks that it wrote."""

    printed: pytest.LineMatcher
    benchmarks: list[dict[str, Any]]


@pytest.fixture(scope="module")
def of_a_user(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Tests of a user's own, run by a pytest of their own, once for all that look at them."""
    folder = tmp_path_factory.mktemp("of-a-user")
    (folder / "test_it.py").write_text(SUITE)
    (folder / "owner_agent.py").write_text(TOOLS_IN_TURN)
    (folder / "conftest.py").write_text(NO_GARBAGE)
    # Under pytest-xdist, pytest-benchmark measures nothing.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "--benchmark-json=out.json", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert "3 failed, 2 passed" in finished.stdout, finished.stdout + finished.stderr
    return Suite(
        pytest.LineMatcher(finished.stdout.splitlines()),
        json.loads((folder / "out.json").read_text())["benchmarks"],
    )


@pytest.mark.once
def test_a_missed_objective_is_shown_at_the_line_of_the_test_with_what_it_ran(
    of_a_user: Suite,
) -> None:
    of_a_user.printed.fnmatch_lines(
        [
            ">*lab.run(*",
            "E*AssertionError: tools/*: latency mean of 1.20 s misses the objective of 1.00 s",
            "*.py:5: AssertionError",
            "*warpbench: what the test ran*",
            ">*lab.benchmark(*",
        ]
    )


@pytest.mark.once
def test_a_failing_test_shows_its_swim_lanes(of_a_user: Suite) -> None:
    of_a_user.printed.fnmatch_lines(
        [
            "*assert 1.8* == 1.2*",
            "*warpbench: what the test ran*",
            "<tools/owner_agent:build/gather/asyncio@2: 2 of 2 sessions in 1.8* s, ideal 1.200 s>",
            "*0 s*1.8* s",
            "*0 *█▒*▒█*",
            "*model *a tool *tools in parallel*neither",
        ]
    )


def test_a_cell_is_a_benchmark(of_a_user: Suite) -> None:
    first, second = (each for each in of_a_user.benchmarks if "test_cell" in each["name"])
    assert [each["extra_info"]["strategy"] for each in (first, second)] == ["gather", "threads"]
    assert first["stats"]["rounds"] == 2
    assert first["stats"]["data"][0] > 0
    assert first["stats"]["data"] != pytest.approx([1.2, 1.2])  # computing, not waits on the clock
    assert first["extra_info"]["makespan_s"] == 1.2
    assert first["extra_info"]["efficiency"] == 1.0
    assert first["extra_info"]["latency_p90_s"] == 1.2


def test_a_session_that_blocks_out_of_sight_is_told_where(
    lab: LabInTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold the test up for ever."""
    monkeypatch.setattr(virtual, "STALL_AFTER_S", 0.1)
    monkeypatch.setattr(virtual, "STALL_LOOK_S", 0.02)
    here, there = socket.socketpair()

    async def blocks(task: str) -> str:
        select.select([here], [], [])
        return task

    with here, there, pytest.raises(ClockHangError, match=r"MainThread.*blocks.*in .*blocks"):
        lab.run(blocks, scenario="chat", sessions=1)
