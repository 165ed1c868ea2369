"""The results file: a run as JSON, written whole or not at all, and read back strictly."""

from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ...mocks.errors import RunFileError
from ...mocks.redaction import redacted
from .cell import Cell
from .json_file import JsonFile
from .records import SCHEMA_VERSION, Run

RUN_FILE = "run.json"

_FACTORS = tuple(part.name for part in fields(Cell))
_ONE_AT_A_TIME_THEN = frozenset({"sync", "blocking"})
"""Strategies that schema 3 knew by name to have one session in flight."""


def _with_cells_apart(document: dict[str, Any]) -> dict[str, Any]:
    """Return a run of schema 3 as one of schema 4, in which a result holds its cell as a value.

    Places that blocked an event loop were called holders then.
    """
    return {
        **document,
        "cells": [_with_blockers(_cell_apart(each)) for each in document["cells"]],
        "fidelity": [_cell_apart(each) for each in document.get("fidelity", ())],
        "findings": [
            {**each, "kind": "loop_blocked" if each["kind"] == "loop_held" else each["kind"]}
            for each in document.get("findings", ())
        ],
    }


def _cell_apart(result: dict[str, Any]) -> dict[str, Any]:
    cell = {name: result[name] for name in _FACTORS if name in result}
    cell["one_at_a_time"] = cell["strategy"] in _ONE_AT_A_TIME_THEN
    return {"cell": cell, **{name: each for name, each in result.items() if name not in _FACTORS}}


def _with_blockers(result: dict[str, Any]) -> dict[str, Any]:
    result = {**result, "loop_blockers": result.get("loop_holders", [])}
    result.pop("loop_holders", None)
    if result.get("timeline") is not None:
        lanes, blocked = result["timeline"]["lanes"], result["timeline"]["held"]
        result["timeline"] = {"lanes": lanes, "blocked": blocked}
    return result


def _as_it_is(document: dict[str, Any]) -> dict[str, Any]:
    """Return a run whose next schema only has more fields, each with a default."""
    return document


_FILE = JsonFile(
    "warpbench run",
    SCHEMA_VERSION,
    RunFileError,
    older={1: _as_it_is, 2: _as_it_is, 3: _with_cells_apart},
)


def write_run(run: Run, path: Path | str) -> None:
    """Write a run to its results file, or leave the file as it was.

    Args:
        run: The run.
        path: The results file; missing folders above it are made.

    Raises:
        ValueError: A number is NaN or infinite; the message names its key.
        RunFileError: The file cannot be written.
    """
    _FILE.write_value(run, path)


def read_run(path: Path | str) -> Run:
    """Read a run from its results file.

    Args:
        path: The results file.

    Returns:
        The run, equal to the one that was written but for secrets.

    Raises:
        RunFileError: The file is missing, is not JSON, was written by another schema, or
            holds something that does not belong there. One line: file, key, what to do.
    """
    # Whoever wrote it may have known fewer kinds of secrets.
    return redacted(_FILE.read(path, _adapter()))


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
    return redacted(_FILE.parse(text, source, _adapter()))


@cache
def _adapter() -> TypeAdapter[Run]:
    """Build the validator at the first use: a command that reads no file pays nothing."""
    return TypeAdapter(Run)
