"""What the commands that measure a run begin with."""

import os
import shlex
import sys
from datetime import UTC, datetime

from ...mocks.sandbox import secrets_of
from ..runner.environment import read_environment
from ..runner.measurement import RunHeader


def header_of(objective: str | None) -> RunHeader:
    """Return what is known of a run before its first trial.

    Args:
        objective: The latency objective that was asked for.
    """
    return RunHeader(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=shlex.join(["warpbench", *sys.argv[1:]]),
        environment=read_environment(),
        objective=objective,
        secrets=secrets_of(os.environ),
    )
