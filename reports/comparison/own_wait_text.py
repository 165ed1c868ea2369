"""Where sessions waited in their own code, in sentences that several views share."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from ...bench.results.finding_text import how_often
from ...bench.results.formatting import code_place, counted, listed, mean_count, seconds, whole
from ...bench.results.own_waits import OwnWait
from ...bench.results.records import CellResult
from ...bench.results.reference import Reference
from ...bench.statistics.own_waits import overlap
from .ranking import label

_MOST_PLACES = 3
_MOST_ROWS = 20

HEADINGS = ("place", "awaits", "cell", "a session", "total")
"""What each entry of ``own_wait_rows`` is."""


def own_wait_rows(cells: Iterable[CellResult]) -> tuple[tuple[str, ...], ...]:
    """Return the waits in sessions' own code as rows of a table, where each wait was noted.

    Args:
        cells: The cells; of those that wait at one place the one that waits longest counts.

    Returns:
        A row for each place, the longest first.
    """
    longest: dict[tuple[str, str], tuple[OwnWait, CellResult]] = {}
    for cell in cells:
        for wait in cell.own_waits:
            known = longest.get((wait.place, wait.awaits))
            if wait.waits is not None and (known is None or known[0].seen_s < wait.seen_s):
                longest[wait.place, wait.awaits] = wait, cell
    in_order = sorted(longest.values(), key=lambda pair: -pair[0].seen_s)
    return tuple(_row(wait, cell) for wait, cell in in_order[:_MOST_ROWS])


def _row(wait: OwnWait, cell: CellResult) -> tuple[str, ...]:
    notes = [how_often(wait.waits_per_session, wait.mean_s).removesuffix(" a session")]
    notes += ["some of them at once"] if overlap(cell, wait) else []
    notes += ["one after another"] if wait.in_turn else []
    notes += ["blocks the event loop"] if wait.blocks_loop else []
    notes += ["back-off after failed attempts"] if _is_back_off(wait) else []
    where = f"{label(cell.cell)} at concurrency {whole(cell.cell.concurrency)}"
    return code_place(wait.place), wait.awaits, where, ", ".join(notes), seconds(wait.seen_s)


_IDEALS = {
    Reference.SCRIPT: "the ideal",
    Reference.SOLO: "the ideal (the agent alone)",
    Reference.CONVERSATION: "the ideal (the longest conversation, with own tools)",
}


def ideal_name(cell: CellResult) -> str:
    """Return what an efficiency is of, in a sentence."""
    return _IDEALS[cell.reference]


def where_lost(part: str, cell: CellResult) -> str:
    """Say where the sessions of a cell lost time in their own code, as the end of a sentence.

    Args:
        part: A part of ``TimeParts``.
        cell: The cell.
    """
    place = place_lost(part, cell)
    return f"{_JOINTS[part]}{place}" if place else ""


def place_lost(part: str, cell: CellResult) -> str:
    """Say the same as a line of its own; empty if no place is known."""
    return _PLACES[part](cell) if part in _PLACES else ""


def tools_in_turn(cell: CellResult) -> str:
    """Say which own tools ran one after another, as what a colon introduces; empty if none."""
    places = [wait for wait in cell.own_waits if wait.in_turn]
    if not places or cell.time_parts_s is None:
        return ""
    named = listed([_with_count(wait, cell) for wait in places[:_MOST_PLACES]])
    return (
        f"{named}. Running the tools of an answer at once saves a session "
        f"{seconds(cell.time_parts_s.serialised)}"
    )


def longest_wait(cell: CellResult) -> str:
    """Say where a cell's sessions waited longest beyond their tools; empty if that is not known."""
    places = sorted(cell.own_waits, key=_lost_s, reverse=True)
    if not places or not _lost_s(places[0]):
        return ""
    wait = places[0]
    blocks = ", which blocks the event loop" if wait.blocks_loop else ""
    return f"most of it at {_with_count(wait, cell)}{blocks}"


def attempts_repeated(cell: CellResult) -> str:
    """Say how many requests to the model were sent again, why, and where sessions paused before.

    Empty if nothing of it is known.
    """
    requests, parts = cell.model_requests, []
    if requests.limited:
        limited = counted(requests.limited, "request")
        parts.append(f"{limited} beyond the model's rate limit (status 429)")
    if requests.retries:
        a_session = mean_count(requests.retries / max(1, cell.sessions.started))
        retries = counted(requests.retries, "retry", plural="retries")
        parts.append(f"{retries} ({a_session} a session)")
    pauses = max(cell.own_waits, key=lambda wait: wait.retry_s, default=None)
    if pauses is not None and _is_back_off(pauses):
        parts.append(f"the longest pauses at {_with_count(pauses, cell)}")
    if not parts:
        return ""
    advice = ". Fewer sessions at a time are refused less often" if requests.limited else ""
    return f"{listed(parts)}{advice}"


def _is_back_off(wait: OwnWait) -> bool:
    return wait.retry_s > wait.seen_s / 2


def _with_count(wait: OwnWait, cell: CellResult) -> str:
    often = how_often(wait.waits_per_session, wait.mean_s, overlap=overlap(cell, wait))
    return f"{code_place(wait.place)}, in {wait.awaits}{f', {often}' if often else ''}"


def _lost_s(wait: OwnWait) -> float:
    """Return what sessions lost at a place, or what was seen of it where only looks were taken."""
    return wait.seen_s if wait.lost_s is None else wait.lost_s


_PLACES: Mapping[str, Callable[[CellResult], str]] = MappingProxyType(
    {"serialised": tools_in_turn, "retry": attempts_repeated, "remainder": longest_wait}
)
_JOINTS: Mapping[str, str] = MappingProxyType(
    {"serialised": ": ", "retry": ": ", "remainder": ", "}
)
