"""Keeps runs: in a folder of run files, or in one SQLite file."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from ...mocks.errors import RunFileError, UsageError
from ...mocks.input_files import file_name, system_reason
from ...mocks.redaction import redacted
from .encoding import encoded
from .records import Run
from .run_file import parse_run, read_run, write_run
from .trial_file import TRIALS

_SQLITE_SUFFIXES = frozenset({".sqlite", ".sqlite3", ".db"})
_CREATE = """
CREATE TABLE IF NOT EXISTS runs (
    created_at TEXT NOT NULL,
    "commit" TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (created_at, "commit")
)
"""


class Store(Protocol):
    """Where runs are kept."""

    def add(self, run: Run) -> None:
        """Keep a run; one that is kept already is replaced.

        Raises:
            UsageError: It cannot be written.
        """
        ...

    def runs(self) -> Iterator[Run]:
        """Yield the runs, the oldest first.

        Raises:
            UsageError: One cannot be read.
        """
        ...


def open_store(path: Path) -> Store:
    """Return the store at a path: SQLite if its name ends so, else a folder."""
    return _SqliteStore(path) if path.suffix in _SQLITE_SUFFIXES else _FolderStore(path)


class _FolderStore:
    """A folder with a run file for each run, wherever below it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, run: Run) -> None:
        parts = (run.created_at, run.environment.commit or "no-commit")
        name = "_".join(re.sub(r"[^0-9A-Za-z.-]+", "-", part) for part in parts)
        write_run(run, self._folder / f"{name}.json")

    def runs(self) -> Iterator[Run]:
        if not self._folder.is_dir():
            raise UsageError(f"{self._folder}: no such folder of runs; `warpbench history --add`")
        files = sorted(self._folder.rglob("*.json"))
        runs = [read_run(file) for file in files if file.parent.name != TRIALS]
        yield from sorted(runs, key=lambda run: run.created_at)


class _SqliteStore:
    """A SQLite file with a row for each run."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, run: Run) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunFileError(
                f"{file_name(self._file)}: cannot be written ({system_reason(error)}); choose "
                "another folder"
            ) from error
        row = (run.created_at, run.environment.commit or "", encoded(redacted(run)).decode())
        with self._connected() as connection:
            connection.execute(_CREATE)
            connection.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", row)

    def runs(self) -> Iterator[Run]:
        if not self._file.is_file():
            raise UsageError(f"{self._file}: no such file of runs; `warpbench history --add`")
        with self._connected() as connection:
            rows = connection.execute("SELECT document FROM runs ORDER BY created_at").fetchall()
        for (document,) in rows:
            if not isinstance(document, str):
                raise RunFileError(f"{file_name(self._file)}: not a history of runs: not text")
            yield parse_run(document, file_name(self._file))

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._file)) as connection, connection:
                yield connection
        except sqlite3.Error as error:
            name = file_name(self._file)
            raise RunFileError(f"{name}: not a history of runs: {error}") from error
