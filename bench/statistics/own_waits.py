"""Which share of sessions' time the waits at each place of their own code took. Pure."""

from collections.abc import Mapping

from ..results.own_waits import OwnWait
from ..results.records import CellResult

UNKNOWN = ("", "")
"""The place of what no place is known of."""


def shares_of_places(result: CellResult, share: float) -> Mapping[tuple[str, str], float]:
    """Divide what a cell's sessions waited in their own code among the places.

    Args:
        result: The cell.
        share: The share of their time that they waited in their own code.

    Returns:
        The share of each place, and of none where the places do not explain it. What blocks an
        event loop is left out: another warning names that.
    """
    waits = [each for each in result.own_waits if each.lost_s is not None]
    if not waits:
        seen_s = sum(each.seen_s for each in result.own_waits)
        if not seen_s:
            return {UNKNOWN: share}
        return {_at(each): share * each.seen_s / seen_s for each in result.own_waits}
    lost_s = sum(each.lost_s or 0.0 for each in waits)
    parts = result.time_parts_s
    remainder_s = 0.0 if parts is None else parts.remainder * result.sessions.started
    whole_s = max(lost_s, remainder_s)
    places = {
        _at(each): share * (each.lost_s or 0.0) / whole_s
        for each in waits
        if whole_s and not each.blocks_loop
    }
    return {**places, UNKNOWN: share * (1 - lost_s / whole_s) if whole_s else 0.0}


def counts_at(result: CellResult, place: str, awaits: str) -> Mapping[str, float]:
    """Return how many waits a session had at a place, and how long one took, where it is known."""
    for each in result.own_waits:
        per_session, mean_s = each.waits_per_session, each.mean_s
        if _at(each) == (place, awaits) and per_session is not None and mean_s is not None:
            counts = {"waits_per_session": per_session, "mean_s": mean_s}
            return {**counts, "overlap": True} if overlap(result, each) else counts
    return {}


def overlap(result: CellResult, wait: OwnWait) -> bool:
    """Say whether a session certainly had several such waits under way at the same time.

    Together they are then longer than any session was.
    """
    longest_s = result.latency_s.max
    if longest_s is None or not wait.sessions or wait.waits is None:
        return False
    return wait.seen_s / wait.sessions > longest_s


def _at(wait: OwnWait) -> tuple[str, str]:
    return wait.place, wait.awaits
