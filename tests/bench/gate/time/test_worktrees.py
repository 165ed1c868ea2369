"""Two commits beside each other, and what git must say no to."""

import math
import subprocess
import tempfile
from pathlib import Path

import pytest
from warpbench.bench.gate.time.budget import Budget, BudgetSpent
from warpbench.bench.gate.time.environments import dependencies_differ
from warpbench.bench.gate.time.owned_folders import owned_folder
from warpbench.bench.gate.time.worktrees import BASE, HEAD, SAME, find_checkout, worktrees
from warpbench.mocks.errors import UsageError

pytestmark = pytest.mark.once

UNLIMITED = Budget(math.inf)


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "a commit")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet")
    monkeypatch.chdir(folder)
    return folder


def test_both_commits_are_checked_out_and_gone_afterwards(checkout: Path) -> None:
    base = commit(checkout, agent__py="one")
    head = commit(checkout, agent__py="two")
    with worktrees(find_checkout("HEAD~1"), UNLIMITED) as sides:
        text = {name: (side.folder / "agent.py").read_text() for name, side in sides.items()}
        assert text == {BASE: "one", HEAD: "two", SAME: "one"}
        assert (sides[BASE].commit, sides[HEAD].commit) == (base, head)
        # Not even the length of a path tells them apart.
        assert len({len(str(side.root)) for side in sides.values()}) == 1
        roots = [side.root for side in sides.values()]
    assert not any(root.exists() for root in roots)
    assert git(checkout, "worktree", "list").count("\n") == 0


def test_a_budget_that_is_spent_checks_nothing_out_and_leaves_nothing(checkout: Path) -> None:
    commit(checkout, agent__py="one")
    with pytest.raises(BudgetSpent), worktrees(find_checkout("HEAD"), Budget(1e-9)):
        pass
    assert git(checkout, "worktree", "list").count("\n") == 0


def test_what_a_killed_gate_has_left_is_removed_and_what_is_in_use_is_not(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(checkout, agent__py="one")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with owned_folder() as in_use:
        left = temporary / in_use.with_name(f"{in_use.name}-left").name
        left.mkdir()
        (left / "lock").touch()  # nobody holds it any more
        swept = left.with_name(f"{left.name}-by-another")  # whose folder has been removed
        for root in (in_use / BASE, left / BASE, swept / BASE, temporary / "of-the-user"):
            git(checkout, "worktree", "add", "--detach", "--quiet", str(root))
        git(checkout, "worktree", "lock", str(left / BASE))  # git was ended while it made it
        subprocess.run(["rm", "-r", str(swept), str(temporary / "of-the-user")], check=True)

        with worktrees(find_checkout("HEAD"), UNLIMITED):
            assert not left.exists()
            assert (in_use / BASE / "agent.py").exists()

        listed = git(checkout, "worktree", "list", "--porcelain")
    assert str(left) not in listed
    assert str(in_use / BASE) in listed
    assert str(temporary / "of-the-user") in listed
    assert [file.name for file in temporary.iterdir()] == []


def test_a_project_in_a_folder_of_its_repository_stays_in_that_folder(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "inner").mkdir()
    commit(checkout / "inner", agent__py="one")
    commit(checkout / "inner", agent__py="two")
    monkeypatch.chdir(checkout / "inner")
    with worktrees(find_checkout("HEAD~1"), UNLIMITED) as sides:
        assert (sides[BASE].folder / "agent.py").read_text() == "one"
        assert sides[BASE].folder == sides[BASE].root / "inner"


def test_what_is_in_no_commit_is_not_measured(checkout: Path) -> None:
    commit(checkout, agent__py="one")
    (checkout / "untracked.py").write_text("results of a run, say")
    find_checkout("HEAD")
    (checkout / "agent.py").write_text("changed")
    with pytest.raises(UsageError, match=r"in no commit \(agent\.py, …\): commit or stash"):
        find_checkout("HEAD")


@pytest.mark.parametrize("reference", ["nowhere", "--help", "", "HEAD~99"])
def test_an_unknown_commit_is_told_in_one_line(checkout: Path, reference: str) -> None:
    commit(checkout, agent__py="one")
    with pytest.raises(UsageError, match="git knows no such commit here") as raised:
        find_checkout(reference)
    assert "\n" not in str(raised.value)


def test_outside_of_a_checkout_there_is_nothing_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match="not a git checkout"):
        find_checkout("HEAD")


@pytest.mark.parametrize(
    ("files", "differ"),
    [
        ({"agent__py": "two"}, False),
        ({"requirements__txt": "openai==4\n"}, True),
        ({"pyproject__toml": '[project]\nname = "x"\ndependencies = ["openai>=4"]\n'}, True),
        ({"pyproject__toml": '[project]\nname = "x"\n\n[tool.ruff]\nline-length = 99\n'}, False),
        ({"uv__lock": "version = 2"}, True),
    ],
)
def test_dependencies_differ_where_a_commit_names_others(
    checkout: Path, files: dict[str, str], *, differ: bool
) -> None:
    commit(
        checkout,
        agent__py="one",
        requirements__txt="openai==3\n",
        pyproject__toml='[project]\nname = "x"\n',
    )
    commit(checkout, **files)
    assert dependencies_differ(find_checkout("HEAD~1"), UNLIMITED) is differ
