"""The gate's configuration: the table ``[tool.warpbench]`` of ``pyproject.toml``."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from ...mocks.errors import UsageError
from ...mocks.input_files import UnreadableError, parse_toml, read_content
from ...mocks.network import Network
from ...mocks.printable import clipped
from ...mocks.scenario import MAX_SESSIONS
from ...mocks.scenario.diagnostics import shown
from ..statistics.objectives import parse_objectives
from .baseline import BASELINE_FILE
from .tolerances import Tolerances

CONFIGURATION_FILE = "pyproject.toml"
DEFAULT_BUDGET_S = 120.0
_MOST_BYTES = 1 << 24
_LONGEST_KEY = 100
_MOST_WORKERS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a project says of its gate.

    Attributes:
        baseline: Path of the baseline file.
        cells: Names of the cells to measure and to judge; empty for all of the baseline.
        sessions: Sessions of each; ``None`` for what the scenario says.
        seed: Seed of the scripts.
        tool_workers: Threads for blocking tools, as ``--tool-workers`` has it.
        time_cells: Names of the cells that the time tier judges; empty for the first four.
        budget_s: Seconds that the time tier may take.
        slo: The objectives of each cell, as ``--slo`` has them; ``None`` for none.
        network: The network that trials are in, as ``--network`` has it.
        environment: What pip installs where the dependencies of the other commit differ.
        tolerances: How far a figure may move.
    """

    # For pydantic, before version 2.12 as well: keys that are not known are refused at any depth.
    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    baseline: str = BASELINE_FILE
    cells: tuple[str, ...] = ()
    sessions: int | None = None
    seed: int = 1
    tool_workers: int | str = "load"
    time_cells: tuple[str, ...] = ()
    budget_s: float = DEFAULT_BUDGET_S
    slo: str | None = None
    network: Network = Network.SHARED
    environment: tuple[str, ...] = ()
    tolerances: Tolerances = field(default_factory=Tolerances)


def read_configuration(folder: Path) -> Configuration:
    """Read the configuration of the project in a folder: the defaults if it has none.

    Keys are spelled with hyphens: ``time-cells``.

    Raises:
        UsageError: The file cannot be read, or holds something that does not belong there.
    """
    file = folder / CONFIGURATION_FILE
    try:
        table: Any = parse_toml(read_content(file, _MOST_BYTES))
    except UnreadableError as error:
        if error.is_missing:
            return Configuration()
        raise UsageError(f"{file.name}: {error.reason}") from error
    place = file.name
    for name in ("tool", "warpbench"):
        table = table.get(name, {})
        place = f"{place}: {name}" if place == file.name else f"{place}.{name}"
        if not isinstance(table, dict):
            raise UsageError(f"{place}: expected a table, found {shown(table)}")
    return _validated(table, file.name)


def _validated(table: dict[str, Any], file: str) -> Configuration:
    spelled = {
        key.replace("-", "_"): _with_underscores(value) if key == "tolerances" else value
        for key, value in table.items()
    }
    try:
        configuration = TypeAdapter(Configuration).validate_python(spelled)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part).replace("_", "-") for part in first["loc"])
        raise UsageError(
            f"{file}: tool.warpbench.{clipped(key, _LONGEST_KEY)}: {first['msg']}, "
            f"found {shown(first['input'])}"
        ) from error
    for name, tolerance in configuration.tolerances.named().items():
        if not 0 <= tolerance <= 1:
            raise UsageError(
                f"{file}: tool.warpbench.tolerances.{name}: expected a fraction from 0 to 1, "
                f"found {tolerance}"
            )
    if configuration.sessions is not None and not 1 <= configuration.sessions <= MAX_SESSIONS:
        raise UsageError(
            f"{file}: tool.warpbench.sessions: expected a whole number from 1 to {MAX_SESSIONS:,}, "
            f"found {shown(configuration.sessions)}"
        )
    _require_workers(configuration.tool_workers, file)
    if not 0 < configuration.budget_s < math.inf:
        raise UsageError(f"{file}: tool.warpbench.budget-s: expected a number above 0")
    if configuration.slo is not None:
        try:
            parse_objectives(configuration.slo)
        except ValueError as error:
            raise UsageError(f"{file}: tool.warpbench.slo: {error}") from None
    return configuration


def _require_workers(workers: int | str, file: str) -> None:
    known = ("load", "default")
    if workers in known or (isinstance(workers, int) and 1 <= workers <= _MOST_WORKERS):
        return
    raise UsageError(
        f"{file}: tool.warpbench.tool-workers: expected {', '.join(map(repr, known))} or a whole "
        f"number from 1 to {_MOST_WORKERS:,}, found {shown(workers)}"
    )


def _with_underscores(table: object) -> object:
    if not isinstance(table, dict):
        return table
    return {str(key).replace("-", "_"): value for key, value in table.items()}
