"""The results file: a run as JSON, written whole or not at all, and read back strictly."""

from dataclasses import asdict
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from ...mocks.errors import RunFileError
from .json_file import JsonFile
from .records import SCHEMA_VERSION, Run

RUN_FILE = "run.json"

_FILE = JsonFile("warpbench run", SCHEMA_VERSION, RunFileError)


def write_run(run: Run, path: Path | str) -> None:
    """Write a run to its results file, or leave the file as it was.

    Args:
        run: The run.
        path: The results file; missing folders above it are made.

    Raises:
        ValueError: A number is NaN or infinite; the message names its key.
        RunFileError: The file cannot be written.
    """
    _FILE.write(asdict(run), path)


def read_run(path: Path | str) -> Run:
    """Read a run from its results file.

    Args:
        path: The results file.

    Returns:
        The run, equal to the one that was written.

    Raises:
        RunFileError: The file is missing, is not JSON, was written by another schema, or
            holds something that does not belong there. One line: file, key, what to do.
    """
    return _FILE.read(path, _adapter())


def run_file_of(name: Path | str) -> Path:
    """Return the results file that a file's or a folder's name stands for."""
    path = Path(name)
    return path / RUN_FILE if path.is_dir() else path


def parse_run(text: str, source: str) -> Run:
    """Read a run from the text of a results file.

    Args:
        text: The text.
        source: What errors call it.

    Raises:
        RunFileError: As ``read_run``.
    """
    return _FILE.parse(text, source, _adapter())


@cache
def _adapter() -> TypeAdapter[Run]:
    """Build the validator at the first use: a command that reads no file pays nothing."""
    return TypeAdapter(Run)
