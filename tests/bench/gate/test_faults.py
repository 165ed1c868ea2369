"""A fault of one line is caught by what it changes, and named: measured, compared, judged."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from warpbench.bench.gate.baseline import CellBaseline
from warpbench.bench.gate.judging import judge
from warpbench.bench.gate.measuring import Measured
from warpbench.bench.gate.structure.measure import structure_of
from warpbench.bench.gate.tolerances import Tolerances
from warpbench.bench.gate.work.measure import work_of
from warpbench.bench.results.verdict import CellVerdict, NoteKind, Verdict
from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.strategies import available_strategies
from warpbench.bench.trial.spec import NotApplicable, TrialSpec
from warpbench.bench.trial.trial import prepared_here
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import load_scenario
from warpbench.reports.comparison.gate import change_text

from .owner_agent import (
    ANSWER,
    ASK,
    COPY_TWICE,
    NO_LIMIT,
    TOOLS_AT_ONCE,
    TOOLS_IN_TURN,
    write_agent,
)
from .work.test_compare import BEFORE as NOT_COUNTED

FAULTS_OF_STRUCTURE = {
    "tools in turn": (
        (TOOLS_AT_ONCE, TOOLS_IN_TURN),
        ["the 4 tool calls of round 1 no longer overlap"],
    ),
    "one more model call in 1 of 20 sessions": (
        (ASK, f"if number == 9 and len(messages) == 1: await ask(messages)\n            {ASK}"),
        ["+1 model call in 20 sessions (40 → 41)", "1 repeated model call (was 0)"],
    ),
    "a sync call in a coroutine": (
        ("messages.append(answer)", "messages.append(answer); time.sleep(0.05)"),
        [
            "`owner_agent.py:build.<locals>.session` blocked the event loop 20 times, for 1.00 s",
            "makespan",
        ],
    ),
    "a lost semaphore": (NO_LIMIT, ["up to 10 model calls in flight (was 5)"]),
}
FAULTS_OF_WORK = {
    "context copied twice": (
        COPY_TWICE,
        [
            "Python calls per session",
            "`owner_agent.py:build.<locals>.session → copy.py:deepcopy` (+2)",
        ],
    ),
    "one in a hundred calls more": (
        (ANSWER, f"[name.partition('x') for name in map(str, range(120))]; {ANSWER}"),
        ["C calls per session", "str.partition` (+120)"],
    ),
}


def spec_of(sessions: int, concurrency: int) -> TrialSpec:
    factors = Factors(
        scenarios=(load_scenario("tools"),),
        targets=("owner_agent:build",),
        strategies=(available_strategies()["gather"],),
        loops=("asyncio",),
        concurrency=(concurrency,),
        clock=ClockMode.VIRTUAL,
        session_count=sessions,
        tool_workers=40,
    )
    (spec,) = cells_of(factors)
    return replace(spec, notes_waits=True)


# Calls are the same in every session, and to count them takes several times the CPU.
STRUCTURE, WORK = spec_of(20, 10), replace(spec_of(2, 2), counts_calls=True)


def measured(spec: TrialSpec, folder: Path, *changes: str) -> Measured:
    """Measure the agent with parts of its text changed, in this process."""
    write_agent(folder, *changes)
    with pytest.MonkeyPatch.context() as patches:
        patches.chdir(folder)
        patches.syspath_prepend(folder)
        patches.setattr(sys, "dont_write_bytecode", True)
        patches.delitem(sys.modules, "owner_agent", raising=False)
        try:
            with prepared_here(spec, "owner_agent:build") as trial:
                assert not isinstance(trial, NotApplicable)
                result = trial()
        finally:
            sys.modules.pop("owner_agent", None)
    work = NOT_COUNTED if result.calls is None else work_of(result)
    return Measured(structure_of(result), work, frozenset())


def before(spec: TrialSpec, folder: Path) -> CellBaseline:
    good = measured(spec, folder)
    return CellBaseline(cell=spec.cell, structure=good.structure, work=good.work)


@pytest.fixture(scope="module")
def structure(tmp_path_factory: pytest.TempPathFactory) -> CellBaseline:
    return before(STRUCTURE, tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> CellBaseline:
    return before(WORK, tmp_path_factory.mktemp("good"))


def assert_named(judged: CellVerdict, words: list[str]) -> None:
    assert judged.verdict is Verdict.REGRESSED
    texts = "\n".join(change_text(change) for change in judged.changes if change.is_worse)
    for word in words:
        assert word in texts


@pytest.mark.parametrize("fault", FAULTS_OF_STRUCTURE)
def test_a_fault_of_structure_is_caught_and_named(
    fault: str, tmp_path: Path, structure: CellBaseline
) -> None:
    change, words = FAULTS_OF_STRUCTURE[fault]
    found = measured(STRUCTURE, tmp_path, *change)
    assert_named(judge("cell", structure, found, Tolerances(), tiers=("structure",)), words)


@pytest.mark.parametrize("fault", FAULTS_OF_WORK)
def test_a_fault_of_work_is_caught_and_named(
    fault: str, tmp_path: Path, work: CellBaseline
) -> None:
    change, words = FAULTS_OF_WORK[fault]
    found = measured(WORK, tmp_path, *change)
    assert judge("cell", work, found, Tolerances(), tiers=("structure",)).verdict is Verdict.PASSED
    assert_named(judge("cell", work, found, Tolerances()), words)


def test_a_better_agent_has_improved_and_says_by_what(
    tmp_path: Path, structure: CellBaseline
) -> None:
    no_limit = ("Semaphore(5)", "Semaphore(100)")
    in_turn = measured(STRUCTURE, tmp_path, *no_limit, TOOLS_AT_ONCE, TOOLS_IN_TURN)
    at_once = measured(STRUCTURE, tmp_path, *no_limit)
    slow = replace(structure, structure=in_turn.structure, work=in_turn.work)
    judged = judge("cell", slow, at_once, Tolerances(), tiers=("structure",))
    assert judged.verdict is Verdict.IMPROVED
    texts = [change_text(change) for change in judged.changes]
    assert any(text.startswith("the 4 tool calls of round 1 now overlap") for text in texts)


def test_memory_that_sessions_leave_behind_is_noted(tmp_path: Path, work: CellBaseline) -> None:
    keep = f"[kept.append([number]) for number in range(1000)]; {ANSWER}"
    judged = judge("cell", work, measured(WORK, tmp_path, ANSWER, keep), Tolerances())
    (note,) = (note for note in judged.notes if note.kind is NoteKind.KEPT_MEMORY)
    assert note.change.is_worse


def test_what_has_not_changed_has_held(tmp_path: Path, structure: CellBaseline) -> None:
    found = measured(STRUCTURE, tmp_path)
    judged = judge("cell", structure, found, Tolerances(), tiers=("structure",))
    assert judged == CellVerdict("cell", Verdict.PASSED)
