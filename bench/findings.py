"""Warnings about results, as values: what a reader must know before trusting a number."""

from collections.abc import Iterable, Iterator

from .record import CellResult, Finding, FindingKind, Status

_SLACK = 1e-9

BUSY_SERVER = 0.7
"""From this share of a core on, what waits for the mock model's server shows in the figures."""


def findings_of(cells: Iterable[CellResult]) -> tuple[Finding, ...]:
    """Return the warnings that the results of a run give rise to."""
    return tuple(finding for cell in cells for finding in _of_cell(cell))


def interrupted(done: int, planned: int) -> Finding:
    """Return the warning that a run was stopped before it had every cell."""
    return Finding(FindingKind.INTERRUPTED, f"interrupted: {done} of {planned} cells were measured")


def name_of(cell: CellResult) -> str:
    """Return a cell's name in a sentence: ``tools/gather/uvloop at 100``."""
    by = "" if cell.transport == "respx" else f" by {cell.transport}"
    return f"{cell.scenario}/{cell.strategy}/{cell.loop} at {cell.concurrency}{by}"


def _of_cell(cell: CellResult) -> Iterator[Finding]:
    if cell.status is not Status.MEASURED:
        return
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
    if cell.efficiency is not None and cell.efficiency > 1 + _SLACK:
        yield Finding(
            FindingKind.ABOVE_IDEAL,
            f"{name_of(cell)}: efficiency {cell.efficiency:.4f} is above 1, which is a bug of "
            "the lab or a target that cuts its script short",
        )
