"""The gate's baseline file: what chosen cells looked like when all was well."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import TypeAdapter

from ...mocks.clock import ClockMode
from ...mocks.errors import BaselineError
from ...mocks.scenario import load_scenario
from ...mocks.transports.registry import RESPX
from ..results.cell import Cell
from ..results.json_file import JsonFile
from ..trial.spec import TrialSpec
from .measuring import Measured
from .structure.measure import Structure
from .work.measure import Work

SCHEMA_VERSION = 5
BASELINE_FILE = "warpbench-baseline.json"


def _with_cells_apart(document: dict[str, Any]) -> dict[str, Any]:
    """Return a baseline of schema 2 as one of schema 3, which holds each cell as a value."""
    return {
        **document,
        "cells": {name: _cell_apart(each) for name, each in document["cells"].items()},
    }


def _cell_apart(old: dict[str, Any]) -> dict[str, Any]:
    kept = {"structure", "work"}
    factors = {name: value for name, value in old.items() if name not in kept}
    cell = {
        **factors,
        "session_count": factors.pop("sessions"),
        "transport": RESPX.name,
        "clock": ClockMode.VIRTUAL,
    }
    del cell["sessions"]
    return {"cell": cell, **{name: old[name] for name in kept & old.keys()}}


def _as_it_is(document: dict[str, Any]) -> dict[str, Any]:
    """Return a baseline whose next schema only has more figures, which it does not have."""
    return document


_FILE = JsonFile(
    "warpbench baseline",
    SCHEMA_VERSION,
    BaselineError,
    older={2: _with_cells_apart, 3: _as_it_is, 4: _as_it_is},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellBaseline:
    """One cell: what to run to get it again, and what it looked like.

    Attributes:
        cell: The cell; its scenario is a built-in name or the path of a file, as it was given.
        structure: What it looked like in virtual time.
        work: What it computed.
    """

    cell: Cell
    structure: Structure
    work: Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Cells by name, and what they were made with.

    Attributes:
        python: Version of Python.
        packages: Versions of the packages that took part.
        cells: The cells.
        schema_version: Version of the file's layout.
    """

    # For pydantic, before version 2.12 as well: keys that are not known are refused at any depth.
    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    python: str
    packages: Mapping[str, str]
    cells: Mapping[str, CellBaseline]
    schema_version: int = SCHEMA_VERSION


def baseline_of(cell: Cell, scenario: str, measured: Measured) -> CellBaseline:
    """Return the baseline of a cell, its scenario named as it was given."""
    return CellBaseline(
        cell=replace(cell, scenario=scenario), structure=measured.structure, work=measured.work
    )


def not_recorded(cells: Iterable[CellBaseline]) -> tuple[str, ...]:
    """Return the figures that a baseline of an older schema lacks, by their names."""
    chosen = tuple(cells)
    structure = (
        "request_bytes",
        "streamed_model_calls",
        "service_request_bytes",
        "refused_requests",
        "prompt_tokens",
        "completion_tokens",
        "ttft_s",
        "itl_s",
        "first_output_s",
        "equal_model_calls",
    )
    work = ("own_calls", "bytes_kept")
    return tuple(
        name
        for names, parts in (
            (structure, [each.structure for each in chosen]),
            (work, [each.work for each in chosen]),
        )
        for name in names
        if any(getattr(part, name) is None for part in parts)
    )


def spec_of(result: CellBaseline) -> TrialSpec:
    """Return what to run to measure a cell again.

    Raises:
        UsageError: Its scenario has gone.
    """
    scenario = load_scenario(result.cell.scenario)
    return TrialSpec(scenario, replace(result.cell, scenario=scenario.name))


def write_baseline(baseline: Baseline, path: Path | str) -> None:
    """Write a baseline: sorted, so that a change of one figure is a change of one line.

    Raises:
        BaselineError: The file cannot be written.
    """
    _FILE.write(_sorted(asdict(baseline)), path)


def read_baseline(path: Path | str) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: The file is missing, corrupt, or of another schema.
    """
    return _FILE.read(path, _adapter())


@cache
def _adapter() -> TypeAdapter[Baseline]:
    return TypeAdapter(Baseline)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return value
