"""The numbers that virtual time gives: exact, on every loop, in every repeat."""

import pytest
from warpbench.bench.cli.values import pool_size
from warpbench.bench.results.records import SessionCounts
from warpbench.bench.strategies import strategy_named
from warpbench.bench.testing.lab import run_cell, spec_of

EVERY_STRATEGY = ("sync", "threads", "executor", "gather", "taskgroup", "workers", "blocking")
ON_EITHER_LOOP = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@pytest.mark.parametrize(
    ("strategy", "loop"),
    [
        (strategy, loop)
        for strategy in EVERY_STRATEGY
        for loop in (("asyncio", "uvloop") if strategy_named(strategy).on_loop else ("asyncio",))
    ],
)
def test_two_sleeps_take_two_seconds_in_turn_and_one_together(strategy: str, loop: str) -> None:
    spec = spec_of("agent", scenario="two-sleeps", strategy=strategy, loop=loop, sessions=2)

    assert run_cell(spec, "agent").makespan == (2 if strategy in {"sync", "blocking"} else 1)


@ON_EITHER_LOOP
def test_async_tools_under_gather_reach_the_ideal_exactly(loop: str) -> None:
    found = run_cell(spec_of("agent", scenario="research", loop=loop, sessions=10), "agent")

    assert found.makespan == found.ideal.makespan
    assert found.latency == found.ideal.latency
    assert found.efficiency == 1


@pytest.mark.parametrize(
    ("loop", "workers", "makespan_s"),
    [
        ("asyncio", "load", 1.2),
        ("uvloop", "load", 1.2),
        # 40 calls of 0.2 s through the 6 threads of two cores: 7 rounds instead of 1.
        ("asyncio", "default", 2.4),
        ("uvloop", "default", 2.4),
    ],
)
def test_blocking_tools_queue_in_an_executor_of_the_default_size(
    loop: str, workers: str, makespan_s: float
) -> None:
    spec = spec_of(
        "agent", scenario="tools", loop=loop, sessions=40, tool_workers=pool_size(workers)
    )
    found = run_cell(spec, "agent")

    assert found.makespan == makespan_s
    assert (found.makespan == found.ideal.makespan) is (workers == "load")


@pytest.mark.parametrize(
    # Two model calls of 0.5 s, and 20 tools of 0.05 s: together in threads, in turn on a loop.
    ("strategy", "loop", "makespan_s"),
    [("threads", "asyncio", 1.05), ("gather", "asyncio", 2.0), ("gather", "uvloop", 2.0)],
)
def test_a_tool_that_blocks_inside_a_coroutine_holds_up_every_session(
    strategy: str, loop: str, makespan_s: float
) -> None:
    spec = spec_of("agent", scenario="blocking-blunder", strategy=strategy, loop=loop, sessions=20)

    assert run_cell(spec, "agent").makespan == makespan_s


def test_computing_holds_everybody_back() -> None:
    found = run_cell(spec_of("agent", scenario="cpu-tool", sessions=20), "agent")

    # One interpreter computes on one core, the ideal on two.
    assert found.ideal.makespan < found.makespan


@pytest.mark.parametrize("clock", ["warp", "virtual"])
@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
def test_warp_and_virtual_account_for_every_session(strategy: str, clock: str) -> None:
    spec = spec_of("agent", strategy=strategy, sessions=7, concurrency=3, clock=clock)

    result = run_cell(spec, "agent")

    assert result.sessions == SessionCounts(started=7, succeeded=7)
    assert result.efficiency is not None
    assert result.efficiency <= 1
