"""Keeps what sessions do alone in files, and takes it from there while it is still true.

It is, while none of these has changed: the workload, Python, each installed package, the variables
of the environment, and each file of the project that the target imported or read.
"""

import hashlib
import os
import platform
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path

import msgspec

from ...mocks.errors import RunFileError
from ...mocks.input_files import UnreadableError, read_content
from ...mocks.sandbox import hold_no_secrets
from ..results.encoding import encoded
from ..results.json_file import write_whole
from ..results.played import Solo, SoloSession
from ..trial.project_files import are_unchanged

SOLO = "solo"
"""The folder of what sessions do alone, beside the results file."""

_SCHEMA_VERSION = 1
_MOST_BYTES = 1 << 26
_NAME_LENGTH = 16
# They differ from one terminal to the next, and say nothing to an agent.
_OF_THE_TERMINAL = re.compile(
    r"_|SHLVL|PWD|OLDPWD|COLUMNS|LINES|WINDOWID|TERM(_.*)?|SSH_.*|XDG_SESSION_.*|PYTEST_.*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saved:
    """What is kept of one workload."""

    workload: str
    made_with: str
    sessions: int
    alone: tuple[tuple[int, int, int], ...]
    files: Mapping[str, str]
    schema_version: int = _SCHEMA_VERSION


class SoloFolder:
    """What sessions do alone, a file for each workload.

    Args:
        folder: Where the run's results file is to be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / SOLO

    @cached_property
    def _made_with(self) -> str:
        return made_with()

    def taken(self, workload: str, sessions: int) -> Solo | None:
        """Return what is kept of at least so many sessions, if it is still true."""
        try:
            content = read_content(self._file(workload), _MOST_BYTES)
            saved = msgspec.json.decode(content, type=_Saved)
        except (UnreadableError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None  # it is made again
        known = (saved.schema_version, saved.workload, saved.made_with)
        if known != (_SCHEMA_VERSION, workload, self._made_with) or saved.sessions < sessions:
            return None
        if not are_unchanged(saved.files):
            return None
        alone = {number: SoloSession(took_ns, calls) for number, took_ns, calls in saved.alone}
        return Solo(alone, saved.files)

    def keep(self, workload: str, sessions: int, solo: Solo) -> None:
        """Keep what so many sessions did, unless it is not known what that depends on.

        Raises:
            RunFileError: The file cannot be written.
        """
        if solo.files is None:
            return
        saved = _Saved(
            workload=workload,
            made_with=self._made_with,
            sessions=sessions,
            alone=tuple(
                (number, each.latency_ns, each.model_calls)
                for number, each in solo.sessions.items()
            ),
            files=solo.files,
        )
        content = encoded(saved) + b"\n"
        write_whole(self._file(workload), content, RunFileError, is_flushed=False)

    def _file(self, workload: str) -> Path:
        return self._folder / f"{workload[:_NAME_LENGTH]}.json"


def made_with() -> str:
    """Return a digest of what is the same for all trials: Python, packages, environment, folder.

    The environment is taken as a trial sees it, without secrets.
    """
    environ = dict(os.environ)
    hold_no_secrets(environ)
    parts = (
        platform.python_implementation(),
        platform.python_version(),
        sorted(installed_versions()),
        sorted(item for item in environ.items() if not _OF_THE_TERMINAL.fullmatch(item[0])),
        str(Path.cwd()),
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def installed_versions() -> Set[tuple[str, str]]:
    """Return each installed package with its version."""
    # It is parsed each time that it is asked for: of two hundred packages for a tenth of a second.
    read = (each.metadata for each in distributions())
    return {(metadata["Name"], metadata["Version"]) for metadata in read}
