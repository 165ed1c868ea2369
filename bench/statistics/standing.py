"""How cells stand to each other that compete at one load: who leads, and what can't be told. Pure.

Cells are held against the best of them, by what they are ranked by (see ``ranking``) and by the
ratio of their trials, which took turns:

- *slower* is a cell whose ratio is above 1 with 95 % confidence;
- *tied* is one whose ratio lies within ±5 % of 1 with that confidence, on whichever side: no choice
  turns on it;
- *unranked* is one of which the trials tell neither, and any of which there is only one trial;
- *fastest* is the best, if all others are slower. If some are tied with it, so is it; if some are
  only unranked, it is unranked itself: a lead has to be shown.

Where computing takes no time a trial is the same each time, and one is as good as many.

A cell of which refused requests cost more than 1 % of its sessions' time is *not ranked*: its
figures are those of an agent without a network, and say nothing of the others. Nor is one that was
measured on a kind of node that the best was not measured on, unless its time is virtual.

A cell that lost sessions, or had more of them in flight than it was asked for, is slower than every
sound one, however quick it looks: a session that fails early frees its place for the next.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..results.cell import FACTORS, Cell
from ..results.records import CellResult, Status
from .intervals import Interval, ratio_interval
from .ranking import score_of, scores_of

TIED_WITHIN = 0.05
"""Share of the throughput within which cells are tied."""


class Standing(StrEnum):
    """How a cell stands to the best of those that it competes with."""

    FASTEST = "fastest"
    TIED = "statistically tied"
    UNRANKED = "too noisy to rank"
    SLOWER = "slower"
    NOT_RANKED = "not ranked: requests were refused"
    OTHER_NODES = "not ranked: measured on another kind of node"


@dataclass(frozen=True, slots=True)
class Place:
    """A cell, and how it stands."""

    result: CellResult
    standing: Standing


def places_of(results: Iterable[CellResult]) -> tuple[Place, ...]:
    """Rank the measured ones of cells that compete.

    Args:
        results: Cells that differ in strategy and loop only.

    Returns:
        The best first, those that are not sound last, and then those that are not ranked; equal
        ones in the order in which they came. All are slower where no session of any succeeded.
    """
    measured = sorted(
        (result for result in results if result.status is Status.MEASURED),
        key=lambda result: (is_sound(result), score_of(result)),
        reverse=True,
    )
    ranked = [result for result in measured if result.is_undistorted]
    return (
        *_ranked(ranked),
        *(Place(each, Standing.NOT_RANKED) for each in measured if not each.is_undistorted),
    )


def _ranked(results: Sequence[CellResult]) -> Iterator[Place]:
    best = next((result for result in results if result.achieved_per_s > 0), None)
    if best is None:
        yield from (Place(result, Standing.SLOWER) for result in results)
        return
    others = {id(result): standing_to(best, result) for result in results if result is not best}
    others[id(best)] = _of_best(others.values())
    yield from (Place(result, others[id(result)]) for result in results)


def is_sound(result: CellResult) -> bool:
    """Whether a cell is one of those to rank first: it did all that was asked for, and no more."""
    return result.sessions.all_succeeded and result.keeps_concurrency and result.is_undistorted


def standing_to(best: CellResult, result: CellResult) -> Standing:
    """Return how a cell stands to the best one: tied, unranked, slower or not ranked."""
    if not result.is_undistorted:
        return Standing.NOT_RANKED
    if best.node_kinds != result.node_kinds and result.cell.clock.charges_cpu:
        return Standing.OTHER_NODES
    if is_sound(result) is not is_sound(best) or score_of(result) <= 0:
        return Standing.SLOWER
    ratio = _ratio(best, result)
    if ratio is None:
        return Standing.UNRANKED
    if ratio.low >= 1 - TIED_WITHIN and ratio.high <= 1 + TIED_WITHIN:
        return Standing.TIED
    return Standing.SLOWER if ratio.low > 1 else Standing.UNRANKED


def undecided(results: Iterable[CellResult]) -> tuple[CellResult, ...]:
    """Return those of cells that compete of which another trial helps to rank them.

    A ratio takes a trial of either cell: where a cell can't be ranked, the one of it and the best
    that has fewer trials is returned, or both.
    """
    places = places_of(results)
    found: dict[int, CellResult] = {}
    for place in places[1:]:
        if place.standing is Standing.UNRANKED:
            pair = (places[0].result, place.result)
            fewest = min(len(result.trial_figures) for result in pair)
            found |= {id(each): each for each in pair if len(each.trial_figures) == fewest}
    return tuple(found.values())


def competes_with(result: CellResult) -> tuple[object, ...]:
    """Return what cells have in common that compete: all but strategy and loop."""
    return contest_of(result.cell)


def contest_of(cell: Cell) -> tuple[object, ...]:
    """Return what a cell has in common with those that it competes with."""
    factors = (getattr(cell, factor) for factor in FACTORS)
    return (cell.scenario, *factors, cell.concurrency)


def _of_best(others: Iterable[Standing]) -> Standing:
    found = set(others)
    if Standing.TIED in found:
        return Standing.TIED
    is_open = not found.isdisjoint({Standing.UNRANKED, Standing.OTHER_NODES})
    return Standing.UNRANKED if is_open else Standing.FASTEST


def _ratio(best: CellResult, result: CellResult) -> Interval | None:
    if not (best.cell.clock.charges_cpu or result.cell.clock.charges_cpu):
        ratio = score_of(best) / score_of(result)
        return Interval(ratio, ratio, ratio)
    return ratio_interval(scores_of(best), scores_of(result))
