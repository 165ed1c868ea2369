"""The gate's baseline file: what chosen cells looked like when all was well."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ...mocks.clock import ClockMode
from ...mocks.errors import BaselineError
from ...mocks.scenario import load_scenario
from ...mocks.transports.transports import RESPX
from ..results.cell import Cell
from ..results.json_file import JsonFile
from ..trial.spec import TrialSpec
from .measuring import Measured
from .structure.measure import Structure
from .work.measure import Work

SCHEMA_VERSION = 2
BASELINE_FILE = "warpbench-baseline.json"

_FILE = JsonFile("warpbench baseline", SCHEMA_VERSION, BaselineError)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellBaseline:
    """One cell: what to run to get it again, and what it looked like.

    Attributes:
        scenario: A built-in name or the path of a file, as it was given.
        target: Name of the agent under test.
        strategy: How sessions are driven.
        loop: The event loop, or ``none``.
        concurrency: Sessions in flight at most.
        sessions: Sessions of a trial.
        seed: Seed of the script.
        tool_workers: Threads for blocking tools.
        structure: What it looked like in virtual time.
        work: What it computed.
    """

    scenario: str
    target: str
    strategy: str
    loop: str
    concurrency: int
    sessions: int
    seed: int
    tool_workers: int
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

    python: str
    packages: Mapping[str, str]
    cells: Mapping[str, CellBaseline]
    schema_version: int = SCHEMA_VERSION


def baseline_of(cell: Cell, scenario: str, measured: Measured) -> CellBaseline:
    """Return the baseline of a cell, its scenario named as it was given."""
    return CellBaseline(
        scenario=scenario,
        target=cell.target,
        strategy=cell.strategy,
        loop=cell.loop,
        concurrency=cell.concurrency,
        sessions=cell.session_count,
        seed=cell.seed,
        tool_workers=cell.tool_workers,
        structure=measured.structure,
        work=measured.work,
    )


def spec_of(cell: CellBaseline) -> TrialSpec:
    """Return what to run to measure a cell again.

    Raises:
        UsageError: Its scenario has gone.
    """
    scenario = load_scenario(cell.scenario)
    return TrialSpec(
        scenario,
        Cell(
            scenario=scenario.name,
            target=cell.target,
            strategy=cell.strategy,
            loop=cell.loop,
            transport=RESPX.name,
            clock=ClockMode.VIRTUAL,
            concurrency=cell.concurrency,
            session_count=cell.sessions,
            seed=cell.seed,
            tool_workers=cell.tool_workers,
        ),
    )


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
