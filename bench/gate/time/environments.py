"""The environment of the other commit: this one, or one made for it where dependencies differ.

Made means: a virtual environment that sees this one's packages behind its own, so that only
what differs is installed.
"""

import sys
import sysconfig
import tomllib
from collections.abc import Sequence
from pathlib import Path

from ....mocks.child_process import ChildError, run_to_end
from ....mocks.errors import UsageError
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
_TIMEOUT_S = 900


def dependencies_differ(checkout: Checkout) -> bool:
    """Say whether the two commits name different dependencies."""
    return _named_at(checkout.base) != _named_at(checkout.head)


def environment_for(worktree: Worktree, recipe: Sequence[str], folder: Path) -> Path:
    """Make an environment for a commit.

    Args:
        worktree: The commit, checked out: pip runs in its folder.
        recipe: Arguments of ``pip install``; by default the commit's requirements files and
            the dependencies that its ``pyproject.toml`` names.
        folder: Where to make it.

    Returns:
        Its interpreter.

    Raises:
        UsageError: It cannot be made.
    """
    arguments = list(recipe) or _default_recipe(worktree.folder)
    _run([sys.executable, "-m", "venv", str(folder)], worktree.folder)
    python = folder / "bin" / "python"
    packages = Path(_run([str(python), "-c", _PRINT_PURELIB], worktree.folder).strip())
    behind = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    # A path file is read after the packages beside it: what is installed there comes first.
    # site.addsitedir reads the path files of the folder behind, editable installs included.
    lines = [f"import site; site.addsitedir({path!r})" for path in behind]
    (packages / "zz_behind.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if arguments:
        _run([str(python), "-m", "pip", "install", "--quiet", *arguments], worktree.folder)
    return python


_PRINT_PURELIB = "import sysconfig; print(sysconfig.get_path('purelib'))"


def _default_recipe(folder: Path) -> list[str]:
    recipe = []
    for file in sorted(folder.glob("requirements*.txt")):
        recipe += ["-r", file.name]
    project = folder / _PROJECT
    if project.is_file():
        recipe += (
            tomllib.loads(project.read_text(encoding="utf-8"))
            .get("project", {})
            .get("dependencies", [])
        )
    return recipe


def _named_at(commit: str) -> dict[str, object]:
    named: dict[str, object] = dict(files_at(commit, _FILES))
    for path, text in files_at(commit, (_PROJECT,)).items():
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{path} of {commit[:12]}: not TOML: {error}") from error
        project = document.get("project", {})
        tables = [project.get(table) for table in _TABLES]
        tables.append(document.get("dependency-groups"))
        if any(tables):
            named[path] = tables
    return named


def _run(command: Sequence[str], folder: Path) -> str:
    try:
        return run_to_end(command, _TIMEOUT_S, folder=folder)
    except ChildError as error:
        raise UsageError(
            f"--against: no environment could be made for the other commit, whose dependencies "
            f"differ: {error}; say what to install in tool.warpbench.environment"
        ) from error
