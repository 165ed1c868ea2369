"""On a busy machine no trial in virtual time is taken for a deadlock, and all are the same."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.strategies import available_strategies
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.errors import TrialError
from warpbench.mocks.scenario import load_scenario

from .busy_machine import busy_machine

TRIALS_OF_A_CELL = 30
CELLS = (
    ("threads", "asyncio"),
    ("executor", "asyncio"),
    ("executor", "uvloop"),
    ("gather", "asyncio"),
    ("gather", "uvloop"),
)
TIME_LIMIT_S = 900
TRIALS_AT_ONCE = 4
TOLD_WITHIN_S = 10
BLOCKS_FOR_EVER = """
import asyncio, os

READING, WRITING = os.pipe()

def build():
    async def session(task):
        await asyncio.to_thread(os.read, READING, 1)
        return "never"
    return session

def build_threads():
    def session(task):
        os.read(READING, 1)
        return "never"
    return session
"""


def structure_of(trial: TrialResult) -> dict[str, Any]:
    """All of a trial that must not differ between two runs, by what it is."""
    calls = trial.calls
    assert calls is not None
    return {
        "makespan_ns": trial.makespan_ns,
        "llm_calls": trial.llm_calls,
        "tool_calls": trial.tool_calls,
        "loop_iterations": calls.loop_iterations,
        "tasks": calls.tasks,
        **{f"session {each.session}": each for each in trial.samples},
        **{f"calls of {name}": count for name, count in calls.python.items()},
        **{f"C calls of {name}": count for name, count in calls.c.items()},
    }


def differences(first: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs between two trials, so that a failure names it."""
    return {
        name: (first.get(name), other.get(name))
        for name in sorted({*first, *other})
        if first.get(name) != other.get(name)
    }


def spec_of(strategy: str, loop: str, target: str = "agent") -> Any:
    (spec,) = cells_of(
        Factors(
            scenarios=(load_scenario("tools"),),
            strategies=(available_strategies()[strategy],),
            targets=(target,),
            loops=(loop,),
            concurrency=(10,),
            session_count=20,
            clock=ClockMode.VIRTUAL,
        )
    )
    return replace(spec, counts_calls=True)


@pytest.mark.timeout(3600)
def test_150_trials_beside_twenty_busy_loops_are_all_the_same_and_none_is_a_deadlock() -> None:
    processes = TrialProcesses(TIME_LIMIT_S)

    def outcome(cell: tuple[str, str]) -> Any:
        try:
            trial = processes.run(spec_of(*cell))
        except TrialError as error:
            return str(error)
        assert isinstance(trial, TrialResult)
        return structure_of(trial)

    cells = [cell for cell in CELLS for _ in range(TRIALS_OF_A_CELL)]
    with busy_machine(loops=20, nice=5), ThreadPoolExecutor(TRIALS_AT_ONCE) as pool:
        found = list(zip(cells, pool.map(outcome, cells), strict=True))
    stopped = [(cell, each) for cell, each in found if isinstance(each, str)]
    print(f"{len(found)} trials: {len(stopped)} stopped")  # noqa: T201
    assert stopped == []
    for cell in CELLS:
        first, *others = (each for which, each in found if which == cell)
        for other in others:
            assert differences(first, other) == {}, cell


@pytest.mark.parametrize(
    ("factory", "strategy"), [("build", "gather"), ("build_threads", "threads")]
)
def test_a_true_deadlock_is_told_within_ten_seconds(
    factory: str, strategy: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocks_for_ever.py").write_text(BLOCKS_FOR_EVER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    processes = TrialProcesses(60)
    processes.check_target("agent")  # the server that trials are forked from has started then
    began_s = time.monotonic()
    with pytest.raises(TrialError, match="blocks where the clock cannot see it"):
        processes.run(spec_of(strategy, "asyncio", f"blocks_for_ever:{factory}"))
    assert time.monotonic() - began_s < TOLD_WITHIN_S
