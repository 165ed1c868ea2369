"""Where a run is made: versions, cores, commit. Read once, at the rim."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version

from .machine import available_cores
from .record import Environment

# Those whose version can change a figure.
_PACKAGES = (
    "warpbench",
    "openai",
    "httpx2",
    "httpcore2",
    "httpx",
    "respx",
    "pytest-httpx2",
    "uvloop",
    "anyio",
    "pydantic",
    "pydantic_core",
    "jiter",
)
_GIT_TIMEOUT_S = 5


def read_environment() -> Environment:
    """Return the versions, cores and commit of this process's surroundings."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=platform.platform(),
        cores=available_cores(),
        packages={name: found for name in _PACKAGES if (found := _version(name)) is not None},
        commit=_commit(),
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the commit of the current directory, marked if there are changes."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--match="],  # noqa: S607 - the user's own git
            capture_output=True,
            check=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None
