"""Where the time went, in words: what holds a strategy back beside the waits that it must."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

from ...bench.results.formatting import counted, percent
from ...bench.results.records import CellResult, Status
from .ranking import Field, grouped, is_serial, named

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "llm": "model",
        "tool": "tools",
        "serialised": "tools in turn",
        "admission": "no free place",
        "ready": "ready, not running",
        "retry": "retries",
        "cpu": "own computing",
        "remainder": "unknown waits",
    }
)
"""What each part of ``TimeParts`` is called where there is little room, in their order."""

CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "serialised": "on tools that could have run side by side, and ran in turn",
        "admission": "waiting for a free place, in a pool of threads or under the limit",
        "ready": "ready to go on, while the event loop or the interpreter was busy",
        "retry": "on attempts that failed, and the pauses after them",
        "cpu": "computing",
        "remainder": "on waits that no mock knows of: a sleep or a lock of its own",
    }
)
"""How each cause of a loss continues "time was lost"."""

_WORTH_A_WORD = 0.05
_MOST_NAMED = 4


def parts_load(field: Field) -> int | None:
    """The highest load at which it was accounted for."""
    return next((load for load in reversed(field.loads) if _accounted(field, load)), None)


def cells_with_parts(field: Field) -> tuple[CellResult, ...]:
    """The cells to compare: those at that load, in the run's order."""
    load = parts_load(field)
    return () if load is None else tuple(cell for cell in field.at(load) if _has_parts(cell))


def time_sentences(field: Field) -> list[str]:
    """Say what the sessions of each strategy lost their time on, those alike together.

    Returns:
        A sentence for each cause that takes a twentieth of a session, the greatest first; none
        where sessions wait for the model and their tools almost all the time.
    """
    load = parts_load(field)
    if load is None:
        return []
    lost: dict[str, list[tuple[float, CellResult]]] = {}
    for cell in cells_with_parts(field):
        for part, share in lost_shares(cell).items():
            lost.setdefault(part, []).append((share, cell))
    by_part = sorted(lost, key=lambda part: max(share for share, _ in lost[part]), reverse=True)
    return [_sentence(load, part, lost[part]) for part in by_part]


def lost_shares(cell: CellResult) -> Mapping[str, float]:
    """Return what a cell's sessions lost time on, as shares; only what takes a twentieth."""
    parts = {} if cell.time_parts_s is None else asdict(cell.time_parts_s)
    whole_s = sum(parts.values())
    shares = {part: parts[part] / whole_s for part in CAUSES} if whole_s else {}
    return {part: share for part, share in shares.items() if share >= _WORTH_A_WORD}


def _sentence(load: int, part: str, losers: list[tuple[float, CellResult]]) -> str:
    in_order = sorted(losers, key=lambda loser: loser[0], reverse=True)
    alike = grouped(in_order, lambda loser: percent(loser[0]))
    texts = [
        f"{share} by {named(cell for _, cell in group)}"
        for share, group in list(alike.items())[:_MOST_NAMED]
    ]
    if len(alike) > _MOST_NAMED:
        texts.append("less by others")
    return f"With {counted(load, 'session')}, time was lost {CAUSES[part]}: {', '.join(texts)}."


def _accounted(field: Field, load: int) -> bool:
    return any(_has_parts(cell) for cell in field.at(load) if not is_serial(cell))


def _has_parts(cell: CellResult) -> bool:
    return cell.status is Status.MEASURED and cell.time_parts_s is not None
