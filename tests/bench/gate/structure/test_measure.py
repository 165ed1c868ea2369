"""The numbers that virtual time gives: exact, on every loop, in every repeat.

Whole runs through the command line, as a user makes them.
"""

from typing import Any

import pytest
from warpbench.bench.results.records import SessionCounts
from warpbench.bench.testing.lab import run_cell, spec_of

Warpbench = Any
VIRTUAL = ("--json", "--clock", "virtual")
EVERY_STRATEGY = "sync,threads,executor,gather,taskgroup,workers,blocking"


def makespans(finished: Any) -> dict[tuple[str, str], float]:
    assert finished.status == 0, finished.err
    return {
        (cell["cell"]["strategy"], cell["cell"]["loop"]): cell["makespan_s"]
        for cell in finished.cells
    }


def test_two_sleeps_take_two_seconds_in_turn_and_one_together(warpbench: Warpbench) -> None:
    finished = warpbench(
        "run", "two-sleeps", *VIRTUAL, "--concurrency", "2", "--strategy", EVERY_STRATEGY
    )

    for (strategy, _), makespan_s in makespans(finished).items():
        assert makespan_s == (2.0 if strategy in {"sync", "blocking"} else 1.0), strategy


def test_async_tools_under_gather_reach_the_ideal_exactly_on_both_loops(
    warpbench: Warpbench,
) -> None:
    finished = warpbench(
        "run",
        "research",
        *VIRTUAL,
        "--sessions",
        "40",
        "--concurrency",
        "40",
        "--strategy",
        "gather",
    )

    assert [cell["cell"]["loop"] for cell in finished.cells] == ["asyncio", "uvloop"]
    for cell in finished.cells:
        assert cell["makespan_s"] == cell["ideal_makespan_s"]
        assert cell["latency_s"] == cell["ideal_latency_s"]
        assert cell["efficiency"] == 1.0


@pytest.mark.parametrize(("workers", "reaches_ideal"), [("load", True), ("default", False)])
def test_blocking_tools_queue_in_an_executor_of_the_default_size(
    workers: str, reaches_ideal: bool, warpbench: Warpbench
) -> None:
    finished = warpbench(
        "run", "tools", *VIRTUAL, "--sessions", "40", "--concurrency", "40",
        "--strategy", "gather", "--tool-workers", workers,
    )  # fmt: skip

    for cell in finished.cells:
        assert (cell["makespan_s"] == cell["ideal_makespan_s"]) is reaches_ideal
        # 40 calls of 0.2 s through the 6 threads of two cores: 7 rounds instead of 1.
        assert cell["makespan_s"] == (1.2 if reaches_ideal else 2.4)


def test_a_tool_that_blocks_inside_a_coroutine_holds_up_every_session(
    warpbench: Warpbench,
) -> None:
    finished = warpbench(
        "run", "blocking-blunder", *VIRTUAL, "--sessions", "20", "--concurrency", "20",
        "--strategy", "threads,gather",
    )  # fmt: skip

    # Two model calls of 0.5 s, and 20 tools of 0.05 s: together in threads, in turn on a loop.
    for (strategy, _), makespan_s in makespans(finished).items():
        assert makespan_s == (1.05 if strategy == "threads" else 2.0), strategy


def test_computing_holds_everybody_back(warpbench: Warpbench) -> None:
    finished = warpbench(
        "run",
        "cpu-tool",
        *VIRTUAL,
        "--concurrency",
        "20",
        "--strategy",
        "gather",
        "--loop",
        "asyncio",
    )

    (cell,) = finished.cells
    # One interpreter computes on one core, the ideal on two.
    assert cell["ideal_makespan_s"] < cell["makespan_s"]


@pytest.mark.parametrize("clock", ["warp", "virtual"])
@pytest.mark.parametrize("strategy", EVERY_STRATEGY.split(","))
def test_warp_and_virtual_account_for_every_session(strategy: str, clock: str) -> None:
    spec = spec_of("agent", strategy=strategy, sessions=7, concurrency=3, clock=clock)

    result = run_cell(spec, "agent")

    assert result.sessions == SessionCounts(started=7, succeeded=7)
    assert result.efficiency is not None
    assert result.efficiency <= 1
