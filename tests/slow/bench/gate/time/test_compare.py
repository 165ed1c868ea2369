"""The time tier, on real commits: what it finds, and what it says no to.

How often it errs is no question for a test: see ``test_error_rates.py``.
"""

import time
from pathlib import Path

import pytest

from .....bench.gate.owner_agent import write_agent
from .....bench.gate.time.test_worktrees import commit, git
from .....conftest import Warpbench

CELL = "two-sleeps/owner_agent:build/gather/asyncio@5"
CHEAP = ("two-sleeps", "--target", "owner_agent:build", "--concurrency", "5", "--sessions", "5")
ANSWER = "return answer.content or"


@pytest.fixture
def project(tmp_path: Path, warpbench: Warpbench) -> Path:
    """A project with one commit, and a baseline that is in none."""
    git(tmp_path, "init", "--quiet")
    write_agent(tmp_path)
    commit(tmp_path)
    (tmp_path / ".gitignore").write_text("warpbench-baseline.json\n__pycache__\n*.xml\n")
    assert warpbench("baseline", *CHEAP).status == 0
    return tmp_path


def test_a_commit_that_doubles_the_cpu_is_found_and_its_parent_is_not(
    project: Path, warpbench: Warpbench
) -> None:
    write_agent(project, ANSWER, f"sum(range(300_000)); {ANSWER}")
    commit(project)
    judged = warpbench(
        *("gate", "--against", "HEAD~1", "--tier", "time", "--budget", "10m"),
        *("--junit", "gate.xml"),
    )
    assert judged.status == 1, judged.out + judged.err
    assert f"✗ {CELL} (time): regressed\n    CPU per session +" in judged.out
    assert "8 blocks" in judged.out
    assert git(project, "worktree", "list").count("\n") == 0


def test_the_budget_ends_a_trial_that_goes_on(project: Path, warpbench: Warpbench) -> None:
    write_agent(project, ANSWER, f"__import__('time').sleep(0) or sum(range(10**11)); {ANSWER}")
    commit(project)
    began_s = time.monotonic()
    judged = warpbench("gate", "--against", "HEAD~1", "--tier", "time", "--budget", "15s")
    took_s = time.monotonic() - began_s
    assert judged.status == 2, judged.out + judged.err
    assert "the budget of 15.0 s ended before the first block" in judged.out
    assert took_s < 20.0  # the command's own start, on a busy machine, included
    assert git(project, "worktree", "list").count("\n") == 0


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("def build(lab):", "def build(lab):\n    raise RuntimeError('no luck')"), "head ("),
        (("import asyncio,", "import asyncio, nowhere,"), "No module named 'nowhere'"),
        ((ANSWER, f"raise OSError('gone'); {ANSWER}"), "sessions did not succeed; the first: OSEr"),
        ((ANSWER, f"import os; os._exit(3); {ANSWER}"), "crashed: exited with status 3"),
        ((ANSWER, f"import os; os.abort(); {ANSWER}"), "crashed: killed by SIGABRT"),
    ],
)
def test_a_side_that_fails_cannot_be_judged(
    change: tuple[str, str], complaint: str, project: Path, warpbench: Warpbench
) -> None:
    write_agent(project, *change)
    commit(project)
    judged = warpbench("gate", "--against", "HEAD~1", "--tier", "time")
    assert judged.status == 2, judged.out + judged.err
    assert f"? {CELL} (time): could not judge" in judged.out
    assert complaint in judged.out


def test_a_target_that_is_not_there_at_the_other_commit_cannot_be_judged(
    project: Path, warpbench: Warpbench
) -> None:
    (project / "owner_agent.py").rename(project / "kept.txt")
    commit(project)
    (project / "kept.txt").rename(project / "owner_agent.py")
    commit(project)
    judged = warpbench("gate", "--against", "HEAD~1", "--tier", "time")
    assert judged.status == 2, judged.out + judged.err
    assert "base (" in judged.out
    assert "No module named 'owner_agent'" in judged.out
