"""Whether a process may have a network of its own here; elsewhere tests of it are skipped."""

import subprocess
import sys
from functools import cache

import pytest


@cache
def why_not_isolated() -> str | None:
    """Say why a process may not have a network of its own; ``None`` if it may."""
    tried = subprocess.run(
        [sys.executable, "-m", "warpbench.mocks.network"],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if tried.returncode == 0 else tried.stderr.strip()


needs_isolation = pytest.mark.skipif(
    why_not_isolated() is not None, reason=f"no network of its own here: {why_not_isolated()}"
)
