"""Warnings about results, as values: what a reader must know before trusting a number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from ..results.blocked_loop import Cause, LoopBlocker
from ..results.records import CellResult, Finding, FindingKind, Status
from ..statistics.steadiness import CHANGE_WORTH_REPORTING, trend_over

_SLACK = 1e-9
_DELIVERED = 0.95

BLOCKED_LONG_S = 0.05
"""From this on it is told who held an event loop."""

BLOCKED_OFTEN = 0.05
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
    return (*of_cells, *_loop_blocked(measured), *_not_steady(measured))


def interrupted(done: int, planned: int) -> Finding:
    """Return the warning that a run was stopped before it had every cell."""
    return Finding(FindingKind.INTERRUPTED, f"interrupted: {done} of {planned} cells were measured")


def name_of(result: CellResult) -> str:
    """Return a cell's name in a sentence: ``tools/gather/uvloop at 100``."""
    cell = result.cell
    more = "".join(
        f" {'by' if factor == 'transport' else 'with'} {value}"
        for factor, value in cell.unusual.items()
    )
    return f"{cell.scenario}/{cell.strategy}/{cell.loop} at {cell.concurrency}{more}"


def _of_cell(result: CellResult) -> Iterator[Finding]:
    counts = result.sessions
    planned = result.cell.session_count * result.trials
    if counts.started != planned:
        yield Finding(
            FindingKind.SESSIONS_LOST,
            f"{name_of(result)}: {planned} sessions were asked for, {counts.started} started",
        )
    unsuccessful = counts.started - counts.succeeded
    if unsuccessful:
        yield Finding(
            FindingKind.SESSIONS_FAILED,
            f"{name_of(result)}: {unsuccessful} of {counts.started} sessions did not succeed; "
            f"the first: {result.error}",
        )
    if result.server_utilisation is not None and result.server_utilisation > BUSY_SERVER:
        yield Finding(
            FindingKind.SERVER_BOUND,
            f"{name_of(result)}: the mock model's server was busy for "
            f"{result.server_utilisation:.0%} of a core (it can answer "
            f"{result.server_capacity_per_s or 0:,.0f} requests a second): what was measured is "
            "the server, not the client",
        )
    if (
        result.asked_per_s is not None
        and result.delivered_per_s is not None
        and result.delivered_per_s < result.asked_per_s * _DELIVERED
    ):
        yield Finding(
            FindingKind.LOAD_NOT_DELIVERED,
            f"{name_of(result)}: {result.asked_per_s:,.3g} sessions a second were asked for, "
            f"{result.delivered_per_s:,.3g} began: the client cannot keep up, and latency from the "
            "intended start grows with the length of the run",
        )
    if result.efficiency is not None and result.efficiency > 1 + _SLACK:
        yield Finding(
            FindingKind.ABOVE_IDEAL,
            f"{name_of(result)}: efficiency {result.efficiency:.4f} is above 1, which is a bug of "
            "the lab or a target that cuts its script short",
        )


def _loop_blocked(cells: Iterable[CellResult]) -> Iterator[Finding]:
    """One warning for each place that held a loop, however many cells it did so in."""
    by_place: dict[tuple[str, str, Cause], list[tuple[LoopBlocker, CellResult]]] = {}
    for result in cells:
        for blocker in result.loop_blockers:
            if _is_worth_reporting(blocker, result):
                key = (result.cell.scenario, blocker.place, blocker.cause)
                by_place.setdefault(key, []).append((blocker, result))
    for (_, place, cause), found in by_place.items():
        worst, result = max(found, key=lambda pair: pair[0].total_s)
        more = len(found) - 1
        others = f" and in {more} other cell{'' if more == 1 else 's'}" if more else ""
        yield Finding(
            FindingKind.LOOP_BLOCKED,
            f"{place} held the event loop for {_length(worst.longest_s)} at a time, "
            f"{worst.total_s / result.trials:,.2f} s of a trial, {_HOLDING[cause]}; in "
            f"{name_of(result)}{others}",
        )


def _length(length_s: float) -> str:
    return f"{length_s * 1000:,.0f} ms" if length_s < 1 else f"{length_s:,.2f} s"


def _not_steady(cells: Sequence[CellResult]) -> Iterator[Finding]:
    """One warning for all cells that drift, and one for a machine that does."""
    drifting = [cell for cell in cells if abs(cell.drift or 0) >= CHANGE_WORTH_REPORTING]
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
    if trend is not None and abs(trend) >= CHANGE_WORTH_REPORTING:
        yield Finding(
            FindingKind.NOT_STEADY,
            f"the machine became {'slower' if trend < 0 else 'faster'}: from the first trial to "
            f"the last, throughput {'fell' if trend < 0 else 'rose'} by {abs(trend):.0%} in most "
            "cells. They took turns, so the ranking holds; absolute figures do not",
        )


def _is_worth_reporting(blocker: LoopBlocker, cell: CellResult) -> bool:
    share = blocker.total_s / cell.trials / cell.makespan_s if cell.makespan_s else 0
    return blocker.longest_s >= BLOCKED_LONG_S or share >= BLOCKED_OFTEN
