"""The environment of the other commit: this one, or one made for it where dependencies differ.

Made means: a virtual environment that sees this one's packages behind its own, so that only
what differs is installed.
"""

import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ....mocks.child_process import ChildError, run_to_end
from ....mocks.errors import UsageError
from ....mocks.input_files import UnreadableError, file_name, parse_toml, read_content
from .budget import Budget
from .worktrees import Checkout, Worktree, files_at

_FILES = (
    "requirements*.txt",
    "constraints*.txt",
    "*.lock",
    "setup.cfg",
    "setup.py",
)
_PROJECT = "pyproject.toml"
_TABLES = ("dependencies", "optional-dependencies")
_TIMEOUT_S = 900.0
_MOST_BYTES = 1 << 24


def dependencies_differ(checkout: Checkout, budget: Budget) -> bool:
    """Say whether the two commits name different dependencies.

    Raises:
        UsageError: A file that names them cannot be read.
        BudgetSpent: The budget ended first.
    """
    return _named_at(checkout.base, budget) != _named_at(checkout.head, budget)


def environment_for(
    worktree: Worktree, recipe: Sequence[str], folder: Path, budget: Budget
) -> Path:
    """Make an environment for a commit.

    Args:
        worktree: The commit, checked out: pip runs in its folder.
        recipe: Arguments of ``pip install``; by default the commit's requirements files and
            the dependencies that its ``pyproject.toml`` names.
        folder: Where to make it.
        budget: When making it is to end at the latest.

    Returns:
        Its interpreter.

    Raises:
        UsageError: It cannot be made.
        BudgetSpent: The budget ended first.
    """
    arguments = list(recipe) or _default_recipe(worktree.folder)
    _run([sys.executable, "-m", "venv", str(folder)], worktree.folder, budget)
    python = folder / "bin" / "python"
    packages = Path(_run([str(python), "-c", _PRINT_PURELIB], worktree.folder, budget).strip())
    behind = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    # A path file is read after the packages beside it: what is installed there comes first.
    # site.addsitedir reads the path files of the folder behind, editable installs included.
    lines = [f"import site; site.addsitedir({path!r})" for path in behind]
    (packages / "zz_behind.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if arguments:
        _run([str(python), "-m", "pip", "install", "--quiet", *arguments], worktree.folder, budget)
    return python


_PRINT_PURELIB = "import sysconfig; print(sysconfig.get_path('purelib'))"


def _default_recipe(folder: Path) -> list[str]:
    recipe = []
    for file in sorted(folder.glob("requirements*.txt")):
        recipe += ["-r", file.name]
    project = folder / _PROJECT
    if project.is_file():
        table = _project_table(_read(project), str(project))
        dependencies = table.get("dependencies", [])
        recipe += dependencies if isinstance(dependencies, list) else []
    return recipe


def _read(file: Path) -> bytes:
    try:
        return read_content(file, _MOST_BYTES)
    except UnreadableError as error:
        raise UsageError(f"{file_name(file)}: {error.reason}") from error


def _project_table(text: str | bytes, name: str) -> dict[str, Any]:
    table = _toml(text, name).get("project", {})
    if not isinstance(table, dict):
        raise UsageError(f"{name}: project: expected a table")
    return table


def _toml(text: str | bytes, name: str) -> dict[str, object]:
    try:
        return parse_toml(text)
    except UnreadableError as error:
        raise UsageError(f"{name}: {error.reason}") from error


def _named_at(commit: str, budget: Budget) -> dict[str, object]:
    named: dict[str, object] = dict(files_at(commit, _FILES, budget))
    for path, text in files_at(commit, (_PROJECT,), budget).items():
        name = f"{path} of {commit[:12]}"
        project = _project_table(text, name)
        tables = [project.get(table) for table in _TABLES]
        tables.append(_toml(text, name).get("dependency-groups"))
        if any(tables):
            named[path] = tables
    return named


def _run(command: Sequence[str], folder: Path, budget: Budget) -> str:
    try:
        with budget.waiting(_TIMEOUT_S) as limit_s:
            return run_to_end(command, limit_s, folder=folder)
    except ChildError as error:
        raise UsageError(
            f"--against: no environment could be made for the other commit, whose dependencies "
            f"differ: {error}; say what to install in tool.warpbench.environment"
        ) from error
