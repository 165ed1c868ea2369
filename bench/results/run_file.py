"""The results file: a run as JSON, written whole or not at all, and read back strictly."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ...mocks.errors import RunFileError
from ...mocks.input_files import file_name
from ...mocks.redaction import redacted
from ...mocks.scenario.diagnostics import shown
from .cell import Cell
from .json_file import JsonFile
from .records import SCHEMA_VERSION, CellResult, Run

RUN_FILE = "run.json"

_MOST_QUANTILES = 101
_SHORTEST_S = 1e-12
"""Less than a nanosecond, in which latencies are counted, however they are averaged."""

_NAMES = ("scenario", "target", "strategy", "loop", "transport", "arrivals")
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
    older={1: _as_it_is, 2: _as_it_is, 3: _with_cells_apart, 4: _as_it_is},
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
    return redacted(_sound(_FILE.read(path, _adapter()), file_name(path)))


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
    return redacted(_sound(_FILE.parse(text, source, _adapter()), source))


def _sound(run: Run, name: str) -> Run:
    """Return a run that can be one: no rate is below 0, and no name would move a cursor."""
    for number, cell in enumerate(run.cells):
        for key in _NAMES:
            text = getattr(cell.cell, key)
            if not text.isprintable():
                raise RunFileError(
                    f"{name}: cells.{number}.cell.{key}: expected printable text, found "
                    f"{shown(text)}; make the file again with `warpbench run`"
                )
        if len(cell.latency_quantiles_s) > _MOST_QUANTILES:
            raise RunFileError(
                f"{name}: cells.{number}.latency_quantiles_s: expected at most {_MOST_QUANTILES} "
                f"values, found {len(cell.latency_quantiles_s)}; make the file again with "
                "`warpbench run`"
            )
        for at, latency_s in enumerate(cell.latency_quantiles_s):
            _require_sound(name, f"cells.{number}.latency_quantiles_s.{at}", latency_s)
        for key, figure in _rates_and_durations(cell):
            if figure is not None:
                _require_sound(name, f"cells.{number}.{key}", figure)
    return run


def _require_sound(name: str, key: str, figure: float) -> None:
    """Refuse a rate or a length of time that none can have: one over it would be no number."""
    expected = "0 or more"
    if figure >= 0:
        if figure == 0 or figure >= _SHORTEST_S:
            return
        expected = f"0 or at least {_SHORTEST_S:g}"
    raise RunFileError(
        f"{name}: {key}: expected {expected}, found {figure:g}; make the file again with "
        "`warpbench run`"
    )


def _rates_and_durations(cell: CellResult) -> Iterator[tuple[str, float | None]]:
    for key in ("makespan_s", "elapsed_s", "throughput_per_s", "asked_per_s", "delivered_per_s"):
        yield key, getattr(cell, key)
    for number, trial in enumerate(cell.trial_figures):
        for key in ("makespan_s", "elapsed_s", "throughput_per_s"):
            yield f"trial_figures.{number}.{key}", getattr(trial, key)


@cache
def _adapter() -> TypeAdapter[Run]:
    """Build the validator at the first use: a command that reads no file pays nothing."""
    return TypeAdapter(Run)
