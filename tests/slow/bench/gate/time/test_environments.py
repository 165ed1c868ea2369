"""The environment of a commit whose dependencies differ: its own packages before those of here."""

import math
import subprocess
from pathlib import Path

import pytest
from warpbench.bench.gate.time.budget import Budget
from warpbench.bench.gate.time.environments import environment_for
from warpbench.bench.gate.time.worktrees import Worktree
from warpbench.mocks.errors import UsageError

OFFLINE = ("--no-index", "--no-deps", "--no-build-isolation")


@pytest.fixture
def worktree(tmp_path: Path) -> Worktree:
    """A commit that brings a package of its own along."""
    root = tmp_path / "base"
    package = root / "vendored"
    package.mkdir(parents=True)
    (package / "pyproject.toml").write_text(
        """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "vendored"
version = "1.0"

[tool.setuptools]
py-modules = ["vendored"]
"""
    )
    (package / "vendored.py").write_text("VERSION = 1")
    return Worktree("base", root, root, commit="c0ffee")


def said_by(python: Path, code: str) -> str:
    finished = subprocess.run(
        [str(python), "-c", code], check=True, capture_output=True, text=True, cwd="/"
    )
    return finished.stdout.strip()


def test_it_has_what_the_recipe_installs_and_sees_the_rest(
    worktree: Worktree, tmp_path: Path
) -> None:
    python = environment_for(
        worktree, (*OFFLINE, "./vendored"), tmp_path / "venv", Budget(math.inf)
    )
    assert said_by(python, "import vendored; print(vendored.VERSION)") == "1"
    # What is not its own comes from here: the lab, installed editable or not, and its packages.
    assert said_by(python, "import warpbench.bench.trial.trial, openai; print('both')") == "both"
    # And what is its own comes first.
    own = said_by(python, "import sys; print([p for p in sys.path if 'site-packages' in p][0])")
    assert own.startswith(str(tmp_path))


def test_what_cannot_be_installed_is_told_in_one_line(worktree: Worktree, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"tool\.warpbench\.environment") as raised:
        environment_for(worktree, (*OFFLINE, "./nowhere"), tmp_path / "venv", Budget(math.inf))
    assert "\n" not in str(raised.value)
