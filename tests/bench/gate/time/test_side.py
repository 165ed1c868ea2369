"""A side is asked for trials until the budget ends: by a scripted process and a scripted clock."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from warpbench.bench.gate.time.budget import Budget, BudgetSpent
from warpbench.bench.gate.time.environments import environment_for
from warpbench.bench.gate.time.side import Cost, SideProcess, SideProcesses
from warpbench.bench.gate.time.worktrees import BASE, HEAD, SAME, Checkout, Worktree
from warpbench.mocks.child_process import ChildError, ChildTimeoutError
from warpbench.mocks.errors import TrialError, UsageError

from .simulated_machine import cell_named

pytestmark = pytest.mark.once

ANSWER = {"cpu_s_per_session": 0.001, "ideal_makespan_ns": 1}
CRASHED = ChildError("crashed: killed by SIGSEGV", has_ended=True)


class ScriptedChild:
    """A process that answers after so many seconds of a scripted clock."""

    def __init__(self, *answers: tuple[float, dict[str, object] | ChildError]) -> None:
        self.now_s = 0.0
        self.written = 0
        self._answers = list(answers)

    def write(self, content: bytes) -> None:
        self.written += 1

    def line(self, limit_s: float) -> str:
        after_s, answer = self._answers.pop(0)
        if after_s > limit_s:
            self.now_s += limit_s
            raise ChildTimeoutError(f"hung: no answer within {limit_s:g} s")
        self.now_s += after_s
        if isinstance(answer, ChildError):
            raise answer
        return json.dumps(answer)

    def hang_up(self) -> None: ...


def side_of(child: ScriptedChild, budget_s: float) -> SideProcess:
    return SideProcess("head (c0ffee)", child, Budget(budget_s, lambda: child.now_s))  # type: ignore[arg-type]


def test_a_trial_that_the_budget_cuts_short_has_not_failed() -> None:
    child = ScriptedChild((1.0, ANSWER), (200.0, ANSWER))
    side = side_of(child, 120.0)
    assert side.run(cell_named("a"), 10) == Cost(0.001, 1)
    with pytest.raises(BudgetSpent):
        side.run(cell_named("a"), 10)
    assert child.now_s == 115.0  # five seconds are kept for ending


def test_no_trial_begins_after_the_end_of_the_budget() -> None:
    child = ScriptedChild((115.0, ANSWER), (1.0, ANSWER))
    side = side_of(child, 120.0)
    side.run(cell_named("a"), 10)
    with pytest.raises(BudgetSpent):
        side.run(cell_named("a"), 10)
    assert child.written == 1


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ((1000.0, ANSWER), r"head \(c0ffee\): hung: no answer within 300 s"),
        ((1.0, CRASHED), r"head \(c0ffee\): crashed: killed by SIGSEGV"),
        ((1.0, {"error": "no luck"}), r"head \(c0ffee\): no luck"),
    ],
)
def test_a_trial_that_comes_to_nothing_before_has_failed(
    answer: tuple[float, dict[str, object] | ChildError], complaint: str
) -> None:
    with pytest.raises(TrialError, match=complaint):
        side_of(ScriptedChild(answer), 600.0).run(cell_named("a"), 10)


def test_a_side_that_is_not_ready_in_time_is_not_waited_for() -> None:
    child = ScriptedChild((100.0, {}))
    with pytest.raises(BudgetSpent):
        side_of(child, 10.0).ready()
    assert child.now_s == 8.0  # a fifth of a short budget is kept for ending


def test_all_sides_are_told_to_end_before_one_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[str] = []

    class Child(ScriptedChild, AbstractContextManager["Child"]):
        def __init__(self, command: Sequence[str], **_more: object) -> None:
            super().__init__((1.0, {}))

        def hang_up(self) -> None:
            happened.append("told")

        def __exit__(self, *_: object) -> None:
            happened.append("waited")

    monkeypatch.setattr("warpbench.bench.gate.time.side.Child", Child)
    names = (BASE, HEAD, SAME)
    worktrees = {name: Worktree(name, Path(), Path(), "c0ffee") for name in names}
    checkout = Checkout(Path(), Path(), "c0ffee", "c0ffee")
    pythons = dict.fromkeys(names, Path("python"))
    sides = SideProcesses(worktrees, checkout, pythons, ("agent",), Budget(100.0, lambda: 0.0))
    with pytest.raises(BudgetSpent), sides(1, names):
        raise BudgetSpent
    assert happened == ["told"] * 3 + ["waited"] * 3


@pytest.mark.parametrize(
    ("budget_s", "raised"), [(100.0, pytest.raises(BudgetSpent)), (1e6, pytest.raises(UsageError))]
)
def test_an_environment_that_the_budget_cuts_short_is_not_called_impossible(
    budget_s: float,
    raised: AbstractContextManager[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hangs(command: Sequence[str], limit_s: float, **_more: object) -> str:
        raise ChildTimeoutError(f"no result within {limit_s:g} s")

    monkeypatch.setattr("warpbench.bench.gate.time.environments.run_to_end", hangs)
    worktree = Worktree(BASE, tmp_path, tmp_path, "c0ffee")
    with raised, nullcontext():
        environment_for(worktree, ("x",), tmp_path / "venv", Budget(budget_s, lambda: 0.0))
