"""Warnings about results, as values: what a reader must know before trusting a number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from ..results.blocked_loop import Cause, LoopHolder
from ..results.records import CellResult, Finding, FindingKind, Status
from ..statistics.steadiness import CHANGE_WORTH_TELLING, trend_over

_SLACK = 1e-9
_DELIVERED = 0.95

HELD_LONG_S = 0.05
"""From this on it is told who held an event loop."""

HELD_OFTEN = 0.05
"""So it is from this share of the makespan on."""

_HOLDING: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.WAITING: "with a wait that should have been awaited or given to a thread",
        Cause.COMPUTING: "computing: what takes so long belongs in a thread or a process",
    }
)

BUSY_SERVER = 0.7
"""From this share of a core on, what waits for the mock model's server shows in the figures."""


def findings_of(cells: Iterable[CellResult]) -> tuple[Finding, ...]:
    """Return the warnings that the results of a run give rise to."""
    measured = [cell for cell in cells if cell.status is Status.MEASURED]
    of_cells = (finding for cell in measured for finding in _of_cell(cell))
    return (*of_cells, *_loop_held(measured), *_not_steady(measured))


def interrupted(done: int, planned: int) -> Finding:
    """Return the warning that a run was stopped before it had every cell."""
    return Finding(FindingKind.INTERRUPTED, f"interrupted: {done} of {planned} cells were measured")


def name_of(cell: CellResult) -> str:
    """Return a cell's name in a sentence: ``tools/gather/uvloop at 100``."""
    by = "" if cell.transport == "respx" else f" by {cell.transport}"
    arriving = "" if cell.arrivals == "closed" else f" with {cell.arrivals}"
    return f"{cell.scenario}/{cell.strategy}/{cell.loop} at {cell.concurrency}{by}{arriving}"


def _of_cell(cell: CellResult) -> Iterator[Finding]:
    counts = cell.sessions
    planned = cell.session_count * cell.trials
    if counts.started != planned:
        yield Finding(
            FindingKind.SESSIONS_LOST,
            f"{name_of(cell)}: {planned} sessions were asked for, {counts.started} started",
        )
    unsuccessful = counts.started - counts.succeeded
    if unsuccessful:
        yield Finding(
            FindingKind.SESSIONS_FAILED,
            f"{name_of(cell)}: {unsuccessful} of {counts.started} sessions did not succeed; "
            f"the first: {cell.error}",
        )
    if cell.server_utilisation is not None and cell.server_utilisation > BUSY_SERVER:
        yield Finding(
            FindingKind.SERVER_BOUND,
            f"{name_of(cell)}: the mock model's server was busy for "
            f"{cell.server_utilisation:.0%} of a core (it can answer "
            f"{cell.server_capacity_per_s or 0:,.0f} requests a second): what was measured is the "
            "server, not the client",
        )
    if (
        cell.asked_per_s is not None
        and cell.delivered_per_s is not None
        and cell.delivered_per_s < cell.asked_per_s * _DELIVERED
    ):
        yield Finding(
            FindingKind.LOAD_NOT_DELIVERED,
            f"{name_of(cell)}: {cell.asked_per_s:,.3g} sessions a second were asked for, "
            f"{cell.delivered_per_s:,.3g} began: the client cannot keep up, and latency from the "
            "intended start grows with the length of the run",
        )
    if cell.efficiency is not None and cell.efficiency > 1 + _SLACK:
        yield Finding(
            FindingKind.ABOVE_IDEAL,
            f"{name_of(cell)}: efficiency {cell.efficiency:.4f} is above 1, which is a bug of "
            "the lab or a target that cuts its script short",
        )


def _loop_held(cells: Iterable[CellResult]) -> Iterator[Finding]:
    """One warning for each place that held a loop, however many cells it did so in."""
    by_place: dict[tuple[str, str, Cause], list[tuple[LoopHolder, CellResult]]] = {}
    for cell in cells:
        for holder in cell.loop_holders:
            if _is_worth_telling(holder, cell):
                key = (cell.scenario, holder.place, holder.cause)
                by_place.setdefault(key, []).append((holder, cell))
    for (_, place, cause), found in by_place.items():
        worst, cell = max(found, key=lambda pair: pair[0].total_s)
        more = len(found) - 1
        others = f" and in {more} other cell{'' if more == 1 else 's'}" if more else ""
        yield Finding(
            FindingKind.LOOP_HELD,
            f"{place} held the event loop for {_length(worst.longest_s)} at a time, "
            f"{worst.total_s / cell.trials:,.2f} s of a trial, {_HOLDING[cause]}; in "
            f"{name_of(cell)}{others}",
        )


def _length(length_s: float) -> str:
    return f"{length_s * 1000:,.0f} ms" if length_s < 1 else f"{length_s:,.2f} s"


def _not_steady(cells: Sequence[CellResult]) -> Iterator[Finding]:
    """One warning for all cells that drift, and one for a machine that does."""
    drifting = [cell for cell in cells if abs(cell.drift or 0) >= CHANGE_WORTH_TELLING]
    if drifting:
        worst = max(drifting, key=lambda cell: abs(cell.drift or 0))
        drift, more = worst.drift or 0, len(drifting) - 1
        others = f", and {more} other cell{'' if more == 1 else 's'} drift" if more else ""
        yield Finding(
            FindingKind.NOT_STEADY,
            f"{name_of(worst)}: sessions took {abs(drift):.0%} "
            f"{'longer' if drift > 0 else 'less'} in the second half of a trial than in the "
            f"first{others}: not a steady state; a trial with more sessions would tell where it "
            "leads",
        )
    trend = trend_over(cells)
    if trend is not None and abs(trend) >= CHANGE_WORTH_TELLING:
        yield Finding(
            FindingKind.NOT_STEADY,
            f"the machine became {'slower' if trend < 0 else 'faster'}: from the first trial to "
            f"the last, throughput {'fell' if trend < 0 else 'rose'} by {abs(trend):.0%} in most "
            "cells. They took turns, so the ranking holds; absolute figures do not",
        )


def _is_worth_telling(holder: LoopHolder, cell: CellResult) -> bool:
    share = holder.total_s / cell.trials / cell.makespan_s if cell.makespan_s else 0
    return holder.longest_s >= HELD_LONG_S or share >= HELD_OFTEN
