"""Where the time went: what sessions lost beside the waits that they must."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from ...bench.results.records import CellResult, Status
from .ranking import ComparisonGroup, is_serial

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "llm": "model",
        "tool": "tools",
        "serialised": "tools run one after another",
        "admission": "waiting for a free slot",
        "connection": "waiting for a free connection",
        "ready": "waiting for loop or GIL",
        "retry": "failed attempts and back-off",
        "cpu": "computing",
        "remainder": "waiting inside your own code",
    }
)
"""What each part of ``TimeParts`` is called in a legend, in their order."""

CAUSES = ("serialised", "admission", "connection", "ready", "retry", "cpu", "remainder")
"""The parts of ``TimeParts`` that are a loss."""

_WORTH_REPORTING = 0.05


@dataclass(frozen=True, slots=True)
class TimeLost:
    """What sessions lost time on.

    Attributes:
        load: The concurrency.
        part: The part of ``TimeParts``.
        losers: The share of their time and the cell, the greatest share first.
    """

    load: int
    part: str
    losers: tuple[tuple[float, CellResult], ...]


def parts_load(group: ComparisonGroup) -> int | None:
    """Return the highest concurrency at which time was accounted for."""
    return next((load for load in reversed(group.loads) if _accounted(group, load)), None)


def cells_with_parts(group: ComparisonGroup) -> tuple[CellResult, ...]:
    """Return the cells to compare: those at that load, in the order of the run."""
    load = parts_load(group)
    return () if load is None else tuple(cell for cell in group.at(load) if _has_parts(cell))


def times_lost(group: ComparisonGroup) -> tuple[TimeLost, ...]:
    """Return what the sessions of each strategy lost time on.

    Returns:
        A value for each cause that takes a twentieth of a session, the greatest first; none
        where sessions wait for the model and their tools almost all the time.
    """
    load = parts_load(group)
    if load is None:
        return ()
    lost: dict[str, list[tuple[float, CellResult]]] = {}
    for cell in cells_with_parts(group):
        for part, share in lost_shares(cell).items():
            lost.setdefault(part, []).append((share, cell))
    found = (
        TimeLost(load, part, tuple(sorted(losers, key=lambda loser: loser[0], reverse=True)))
        for part, losers in lost.items()
    )
    return tuple(sorted(found, key=lambda each: each.losers[0][0], reverse=True))


def lost_shares(cell: CellResult) -> Mapping[str, float]:
    """Return what a cell's sessions lost time on, as shares; only what takes a twentieth."""
    parts = {} if cell.time_parts_s is None else asdict(cell.time_parts_s)
    whole_s = sum(parts.values())
    shares = {part: parts[part] / whole_s for part in CAUSES} if whole_s else {}
    return {part: share for part, share in shares.items() if share >= _WORTH_REPORTING}


def _accounted(group: ComparisonGroup, load: int) -> bool:
    return any(_has_parts(cell) for cell in group.at(load) if not is_serial(cell))


def _has_parts(cell: CellResult) -> bool:
    return cell.status is Status.MEASURED and cell.time_parts_s is not None
