"""What the commands that measure a run begin with."""

import argparse
import os
import shlex
import sys
from datetime import UTC, datetime

from ...mocks.sandbox import secrets_of
from ..runner.environment import read_environment
from ..runner.runner import RunHeader
from .options import positive_number

EXIT_INTERRUPTED = 130
_TIME_LIMIT_S = "600"
_LONGEST_TIME_LIMIT_S = 1e6


def add_time_limit(parser: argparse.ArgumentParser) -> None:
    """Add the option that says when a trial is given up."""
    parser.add_argument(
        "--time-limit",
        default=_TIME_LIMIT_S,
        metavar="SECONDS",
        help=f"real time after which a trial is killed ({_TIME_LIMIT_S})",
    )


def time_limit_s(options: argparse.Namespace) -> float:
    """Return the real time after which a trial is given up.

    Raises:
        UsageError: It is no number above 0, or longer than eleven days.
    """
    return positive_number("--time-limit", options.time_limit, most=_LONGEST_TIME_LIMIT_S)


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
