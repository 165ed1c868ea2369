"""Where a run is made: versions, cores, commit. Read once, at the rim."""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version

from ...mocks.child_process import ChildError, run_to_end
from ...mocks.transports.registry import TRANSPORTS
from ..results.records import Environment
from ..trial.loops import LOOPS
from ..trial.machine import available_cores

# Those whose version can change a figure, but for those of loops and transports.
_PACKAGES = (
    "warpbench",
    "openai",
    "httpx2",
    "httpcore2",
    "httpx",
    "anyio",
    "pydantic",
    "pydantic_core",
    "msgspec",
)
_GIT_LIMIT_S = 5
_DESCRIBE = ("git", "describe", "--always", "--dirty", "--abbrev=12", "--match=")


def read_environment() -> Environment:
    """Return the versions, cores and commit of this process's surroundings."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=platform.platform(),
        cores=available_cores(),
        packages={name: found for name in _packages() if (found := _version(name)) is not None},
        commit=_commit(),
    )


def _packages() -> Iterable[str]:
    """Return the packages whose version can change a figure, each once."""
    of_loops = (loop.package for loop in LOOPS.values() if loop.package is not None)
    of_transports = (package for each in TRANSPORTS.values() for package in each.packages)
    return dict.fromkeys((*_PACKAGES, *of_loops, *of_transports))


@dataclass(frozen=True, slots=True)
class Difference:
    """A version that is not what it was.

    Attributes:
        what: The package, or ``Python``.
        before: Its version then; ``None`` if it took no part.
        now: Its version now; ``None`` if it takes none.
    """

    what: str
    before: str | None
    now: str | None

    @property
    def changes_calls(self) -> bool:
        """Whether counts of calls mean something else now.

        Another version of the same thing does that. A package that has come or gone was taken
        up or dropped by the code itself, whose doing counts.
        """
        return self.before is not None and self.now is not None

    def __str__(self) -> str:
        return f"{self.what} {self.before or 'absent'} → {self.now or 'absent'}"


def differences(
    python: str, before: Mapping[str, str], now: Mapping[str, str]
) -> tuple[Difference, ...]:
    """Return which versions are not what they were.

    Args:
        python: The version of Python then.
        before: The versions of packages then.
        now: Those of now.
    """
    found = [Difference("Python", python, platform.python_version())]
    found += [
        Difference(package, before.get(package), now.get(package))
        for package in sorted({*before, *now})
    ]
    return tuple(each for each in found if each.before != each.now)


def packages_of(modules: Iterable[str]) -> dict[str, str]:
    """Return the versions of the packages that hold these top-level modules, and the lab's."""
    blockers = packages_distributions()
    names = {name for module in modules for name in blockers.get(module, ())} | {"warpbench"}
    return {name: found for name in sorted(names) if (found := _version(name)) is not None}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the commit of the current directory, marked if there are changes."""
    try:
        described = run_to_end(_DESCRIBE, _GIT_LIMIT_S)
    except ChildError:
        return None
    return described.strip() or None
