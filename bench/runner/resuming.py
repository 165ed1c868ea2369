"""Keeps the trials of a run in files as they end, and goes on where an earlier start stopped."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...mocks.errors import RunFileError
from ...mocks.redaction import redact
from ..results.records import Environment
from ..results.trial_file import TrialFolder, new_run, read_origin
from .measurement import RunHeader

# They say where a run is kept, not what is run.
_PLACES = ("--resume", "--out", "-o")


def begin_run(header: RunHeader, folder: Path) -> tuple[RunHeader, TrialFolder]:
    """Return a run that begins now, and where its trials are kept.

    What the folder holds of an earlier run is replaced when the first trial has ended.
    """
    origin = new_run(
        header.created_at, header.command, header.environment, header.objective, header.secrets
    )
    return header, TrialFolder(folder, origin, header.secrets)


def resume_run(header: RunHeader, folder: Path) -> tuple[RunHeader, TrialFolder]:
    """Return the run that a folder holds the trials of, to go on with it.

    Args:
        header: What is known of the run that is asked for now.
        folder: Where the run's results file is, or was to be.

    Returns:
        The run as it was begun, and its trials.

    Raises:
        RunFileError: There are no trials, they are of another command, or were made elsewhere.
    """
    origin = read_origin(folder)
    asked = redact(header.command, header.secrets)
    if _what_is_run(origin.command) != _what_is_run(asked):
        command = shlex.join([*_what_is_run(origin.command), "--resume", str(folder)])
        raise RunFileError(
            f"{folder}: holds the trials of another command; go on with `{command}`, or leave "
            "--resume out to begin anew"
        )
    change = _change(origin.environment, header.environment)
    if change is not None:
        raise RunFileError(
            f"{folder}: its trials were made with {change}: they cannot be put together with new "
            "ones; restore that, or leave --resume out to begin anew"
        )
    resumed = replace(header, created_at=origin.created_at, command=origin.command)
    return resumed, TrialFolder(folder, origin, header.secrets, is_resumed=True)


def _what_is_run(command: str) -> Sequence[str]:
    """Return a command's words without the options that say where a run is kept."""
    kept: list[str] = []
    try:
        words = iter(shlex.split(command))
    except ValueError:  # quotes that are not closed: no shell would have run it
        return [command]
    for word in words:
        if word in _PLACES:
            next(words, None)
        elif word.partition("=")[0] not in _PLACES:
            kept.append(word)
    return kept


def _change(before: Environment, now: Environment) -> str | None:
    """Return the first thing that is not what it was: ``Python 3.11.7, not 3.12.1``."""
    named = {
        "implementation": "",
        "python": "Python ",
        "platform": "",
        "cores": "cores: ",
        "commit": "commit ",
    }
    for name, title in named.items():
        was, is_now = getattr(before, name), getattr(now, name)
        if was != is_now:
            return f"{title}{was}, not {is_now}"
    for package in sorted({*before.packages, *now.packages}):
        was, is_now = before.packages.get(package), now.packages.get(package)
        if was != is_now:
            return f"{package} {was or 'absent'}, not {is_now or 'absent'}"
    return None
