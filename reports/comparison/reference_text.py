"""What an efficiency is of, in sentences, where that is not the script; and the shared work."""

from collections.abc import Iterable, Sequence

from ...bench.results.formatting import counted, listed, name, seconds, whole
from ...bench.results.records import CellResult
from ...bench.results.reference import Reference
from .ranking import label

_EXPLAINED = {
    Reference.SOLO: (
        "efficiency is of the agent alone: its sessions one after another, where computing is free"
    ),
    Reference.CONVERSATION: (
        "efficiency is of the longest conversation of each session, with what own tools need"
    ),
}


def references_explained(cells: Iterable[CellResult]) -> tuple[str, ...]:
    """Return what the efficiencies of some cells are of, where it is not the script.

    A reference that not all of them have is told with the targets that have it. A cell without an
    efficiency is left out.
    """
    measured = [cell for cell in cells if cell.efficiency is not None]
    found = []
    for reference, explained in _EXPLAINED.items():
        having = [cell for cell in measured if cell.reference is reference]
        if having:
            whose = "" if len(having) == len(measured) else f"{_targets(having)}: "
            found.append(f"{whose}{explained}{_without_solo(having)}")
    return (*found, *_shared_work(measured))


def _targets(cells: Sequence[CellResult]) -> str:
    return listed([name(target) for target in dict.fromkeys(cell.cell.target for cell in cells)])


def _without_solo(cells: Sequence[CellResult]) -> str:
    """Say how many sessions have another reference than the others of their cell."""
    without = sum(cell.sessions_without_solo for cell in cells)
    if not without:
        return ""
    of = whole(sum(cell.sessions.started for cell in cells))
    return (
        f"; but that of {counted(without, 'session')} of {of} is of the longest conversation, "
        "since they were not run alone, or failed"
    )


def _shared_work(cells: Sequence[CellResult]) -> tuple[str, ...]:
    """Tell of the cell in which sessions spared each other most."""
    sharing = [cell for cell in cells if cell.shared_work.sessions]
    if not sharing:
        return ()
    most = max(sharing, key=lambda each: (each.shared_work.spared_s, each.shared_work.model_calls))
    work = most.shared_work
    others = len(sharing) - 1
    also = f", and likewise in {counted(others, 'other cell')}" if others else ""
    where = f"{label(most.cell)} at concurrency {whole(most.cell.concurrency)}"
    what = []
    if work.model_calls:
        what.append(f"made {counted(work.model_calls, 'model call')} fewer than alone")
    if work.spared_s:
        what.append(
            f"took {seconds(work.spared_s)} less in all than alone, which is taken off their "
            "reference"
        )
    return (
        f"shared work: with {where}, {counted(work.sessions, 'session')} of "
        f"{whole(most.sessions.started)} {listed(what)}{also}",
    )
