"""Checks out commits beside each other, so that both can be measured in turn."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from ....mocks.child_process import ChildError, run_to_end
from ....mocks.errors import UsageError
from .budget import Budget
from .owned_folders import owned_folder, remove_ownerless, was_owned

# Of one length, so that not even the length of a path tells the sides apart.
BASE, HEAD, SAME = "base", "head", "same"
_GIT_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Checkout:
    """The project's own checkout.

    Attributes:
        root: Its topmost folder.
        folder: The current directory, relative to it.
        head: The commit that it is at.
        base: The commit to compare with.
    """

    root: Path
    folder: Path
    head: str
    base: str


@dataclass(frozen=True, slots=True)
class Worktree:
    """A commit, checked out.

    Attributes:
        name: Which side it is.
        root: Its topmost folder.
        folder: What is the current directory in the checkout.
        commit: The commit.
    """

    name: str
    root: Path
    folder: Path
    commit: str


def find_checkout(reference: str) -> Checkout:
    """Return the checkout around the current directory.

    Raises:
        UsageError: There is none, it has changes that no commit holds, or no such commit.
    """
    root = Path(_git("rev-parse", "--show-toplevel", failing="--against: not a git checkout"))
    changed = _git("status", "--porcelain", "--untracked-files=no", failing="--against")
    if changed:
        first = changed.splitlines()[0].split(maxsplit=1)[-1]
        raise UsageError(
            f"--against {reference}: the checkout has changes that are in no commit ({first}, "
            "…): commit or stash them, so that a commit is what is measured"
        )
    unknown = (
        f"--against {reference!r}: git knows no such commit here; in CI, fetch it first "
        "(fetch-depth: 0)"
    )
    # The option's value may begin with a hyphen.
    base = _git(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}",
        failing=unknown,
    )  # fmt: skip
    head = _git("rev-parse", "HEAD", failing="--against")
    return Checkout(root.resolve(), Path.cwd().resolve().relative_to(root.resolve()), head, base)


@contextmanager
def worktrees(checkout: Checkout, budget: Budget) -> Iterator[dict[str, Worktree]]:
    """Check both commits out, the base a second time to be compared with itself.

    What an earlier process has left, because it was killed, is removed first.

    Args:
        checkout: The commits.
        budget: When checking them out is to end at the latest.

    Raises:
        UsageError: git cannot do so.
        BudgetSpent: The budget ended first.
    """
    remove_ownerless()
    _forget_lost()
    with owned_folder() as parent:
        commits = {BASE: checkout.base, HEAD: checkout.head, SAME: checkout.base}
        made = {
            name: Worktree(name, parent / name, parent / name / checkout.folder, commit)
            for name, commit in commits.items()
        }
        try:
            for worktree in made.values():
                _git(
                    "worktree", "add", "--detach", "--quiet", str(worktree.root), worktree.commit,
                    failing=f"--against: {worktree.commit[:12]} cannot be checked out",
                    budget=budget,
                )  # fmt: skip
            yield made
        finally:
            for worktree in made.values():
                _remove(worktree.root)


def _forget_lost() -> None:
    """Let git forget worktrees in folders that have been removed because nobody owned them."""
    listed = _git("worktree", "list", "--porcelain", failing="--against")
    for line in listed.splitlines():
        what, _, path = line.partition(" ")
        if what == "worktree" and was_owned(Path(path).parent):
            _remove(Path(path))


def _remove(root: Path) -> None:
    # Twice --force: git locks one for as long as it makes it, and may have been ended in between.
    with suppress(UsageError):  # there is none, or git was ended before it knew of it
        _git("worktree", "remove", "--force", "--force", str(root), failing="--against")


def files_at(commit: str, names: Sequence[str], budget: Budget) -> dict[str, str]:
    """Return the files of a commit that match any of the patterns, by path.

    Raises:
        UsageError: git cannot tell.
        BudgetSpent: The budget ended first.
    """
    failing = "--against"
    listed = _git(
        "ls-tree", "-r", "--name-only", "--full-tree", commit, failing=failing, budget=budget
    )
    matching = [
        path for path in listed.splitlines() if any(Path(path).match(name) for name in names)
    ]
    return {
        path: _git("show", f"{commit}:{path}", failing=failing, budget=budget) for path in matching
    }


def _git(*arguments: str, failing: str, budget: Budget | None = None) -> str:
    waiting = nullcontext(_GIT_LIMIT_S) if budget is None else budget.waiting(_GIT_LIMIT_S)
    try:
        with waiting as limit_s:
            return run_to_end(["git", *arguments], limit_s).rstrip("\n")
    except ChildError as error:
        output = error.output or ("" if error.has_ended else str(error))
        raise UsageError(f"{failing}{f' ({output})' if output else ''}") from error
