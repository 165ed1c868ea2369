"""What the time tier says no to before anything is measured; it measures in ``tests/slow``."""

import shutil
from pathlib import Path

import pytest

from ....conftest import Warpbench, run_warpbench_here
from ..owner_agent import ANSWER, write_agent
from ..trials_here import run_trials_here
from .test_worktrees import commit, git

pytestmark = pytest.mark.once

CHEAP = ("two-sleeps", "--target", "owner_agent:build", "--concurrency", "2", "--sessions", "2")


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baseline")
    write_agent(folder)
    with pytest.MonkeyPatch.context() as patches:
        run_trials_here(patches, folder)
        assert run_warpbench_here(folder, "baseline", *CHEAP).status == 0
    return folder / "warpbench-baseline.json"


@pytest.fixture
def project(tmp_path: Path, baseline: Path) -> Path:
    """A project with one commit, and a baseline that is in none."""
    git(tmp_path, "init", "--quiet")
    write_agent(tmp_path)
    commit(tmp_path)
    (tmp_path / ".gitignore").write_text("warpbench-baseline.json\n__pycache__\n*.xml\n")
    shutil.copy(baseline, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--against", "nowhere"), "git knows no such commit here"),
        (("--tier", "time"), "--against REF"),
        (("--tier", "speed"), "--tier 'speed': expected one of structure, work, time"),
        (("--against", "HEAD", "--budget", "soon"), "--budget 'soon': expected a time above 0"),
        (("--against", "HEAD", "--cell", "x"), "--cell 'x': expected one of"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_status_2(
    arguments: tuple[str, ...], complaint: str, project: Path, warpbench: Warpbench
) -> None:
    judged = warpbench("gate", *arguments)
    assert judged.status == 2
    (line,) = judged.err.splitlines()
    assert complaint in line


def test_a_checkout_with_changes_is_not_measured(project: Path, warpbench: Warpbench) -> None:
    write_agent(project, ANSWER, f"print(); {ANSWER}")
    judged = warpbench("gate", "--against", "HEAD")
    assert judged.status == 2
    (line,) = judged.err.splitlines()
    assert "commit or stash" in line


def test_a_budget_that_is_spent_at_once_is_told_and_not_taken_for_a_verdict(
    project: Path, warpbench: Warpbench
) -> None:
    judged = warpbench("gate", "--against", "HEAD", "--tier", "time", "--budget", "1ms")
    assert judged.status == 2
    assert "inconclusive" in judged.out
    assert "the budget of 1.00 ms ended before the first block" in judged.out
    assert "time tier: 0 blocks; the budget of 1.00 ms was too short: 1 of 1 cell" in judged.out
    assert git(project, "worktree", "list").count("\n") == 0
