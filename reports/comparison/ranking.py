"""The cells of a run put side by side: what competes with what, and which cell leads.

Only cells that differ in nothing but strategy, loop and concurrency compete: such cells form a
*comparison group*. The count of sessions sets no groups apart: a sweep may well run more of them
at a higher load. A scenario with one target on one clock is one group; with three targets it is
three.

**What is compared** at a concurrency is throughput: within a group every cell faces the same waits,
so the ranking by throughput is the ranking by efficiency. In an open loop throughput is what
arrives, whoever serves it: there cells are ranked by latency from the intended start, its p99 or,
with fewer than a hundred sessions a trial, its median. How they stand to the best one, and when
that can't be told, is in ``bench.statistics.standing``.

**A strategy that runs one session at a time** (``sync``) is compared with the ideal at every
concurrency: asked for a hundred sessions it runs one after another. Where a run has it at
concurrency 1 only, that cell stands for it at the other loads too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from ...bench.results.cell import FACTORS, NO_LOOP, Cell
from ...bench.results.formatting import counted, listed, name
from ...bench.results.records import CellResult, Run, Status
from ...bench.statistics.ranking import score_of
from ...bench.statistics.standing import Place, Standing, is_sound, places_of

SYMBOLS = {
    Standing.FASTEST: "★",
    Standing.TIED: "☆",
    Standing.UNRANKED: "?",
    Standing.NOT_RANKED: "–",  # noqa: RUF001 (a dash is meant)
    Standing.OTHER_NODES: "≠",
}
"""What stands beside a cell, in tables; one that is slower has nothing."""

_A_CONTEST = 2

Value = TypeVar("Value")
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Series:
    """One strategy on one loop over the loads of a group."""

    strategy: str
    loop: str
    cells: tuple[CellResult, ...]

    @property
    def serial(self) -> bool:
        """Whether the strategy runs one session at a time, whatever concurrency is asked of it."""
        return is_serial(self.cells[0])

    @property
    def label(self) -> str:
        """Strategy and loop, as a picture names them."""
        return label(self.cells[0].cell)

    def at(self, load: int) -> CellResult | None:
        """The cell that stands for this series at a load, whatever its status."""
        exact = (result for result in self.cells if result.cell.concurrency == load)
        return next(exact, self.cells[0] if self.serial else None)


@dataclass(frozen=True, slots=True)
class Ranking:
    """How the cells of a group compare at one load.

    Attributes:
        load: The concurrency.
        places: The measured cells and how each stands, the best first; those that lost sessions
            or went beyond the concurrency last, and then those that are not ranked; equal ones in
            the order of the run.
    """

    load: int
    places: tuple[Place, ...]

    @property
    def ranked(self) -> tuple[CellResult, ...]:
        """The cells that are ranked, the best first."""
        return tuple(
            place.result
            for place in self.places
            if place.standing not in {Standing.NOT_RANKED, Standing.OTHER_NODES}
        )

    @property
    def not_ranked(self) -> tuple[CellResult, ...]:
        """The cells of which refused requests cost so much that they say nothing."""
        return self.standing(Standing.NOT_RANKED)

    @property
    def best(self) -> CellResult | None:
        """The best cell in which any session succeeded, whether or not it is known to lead."""
        return next((cell for cell in self.ranked if cell.achieved_per_s > 0), None)

    @property
    def leaders(self) -> tuple[CellResult, ...]:
        """The cells that are known to lead: the fastest, or those that are tied."""
        return self.standing(Standing.FASTEST, Standing.TIED)

    @property
    def in_front(self) -> tuple[CellResult, ...]:
        """The leaders; where no cell is known to lead, the best one and those that may be it."""
        return self.leaders or self.standing(Standing.UNRANKED)

    def standing(self, *standings: Standing) -> tuple[CellResult, ...]:
        """Return the cells that stand so, the best first."""
        return tuple(place.result for place in self.places if place.standing in standings)


@dataclass(frozen=True, slots=True)
class ComparisonGroup:
    """The cells of one scenario that compete with each other.

    Attributes:
        scenario: Name of the scenario.
        name: What sets this group apart from the scenario's others (``agent, wall clock``);
            empty where the scenario has no other.
        cells: Its cells in the order of the run.
    """

    scenario: str
    name: str
    cells: tuple[CellResult, ...]

    @property
    def loads(self) -> tuple[int, ...]:
        """The loads that were asked for, in ascending order."""
        asked = {result.cell.concurrency for result in self.cells if not is_serial(result)}
        return tuple(sorted(asked or {result.cell.concurrency for result in self.cells}))

    @property
    def best_of_series(self) -> tuple[CellResult, ...]:
        """The cell of each series with the highest throughput, the best series first."""
        best = (
            max(measured, key=_rank)
            for series in self.series
            if (measured := [cell for cell in series.cells if cell.status is Status.MEASURED])
        )
        return tuple(sorted(best, key=_rank, reverse=True))

    @property
    def series(self) -> tuple[Series, ...]:
        """The cells by strategy and loop, each series in ascending order of load."""
        by_pair = grouped(self.cells, lambda result: (result.cell.strategy, result.cell.loop))
        return tuple(
            Series(strategy, loop, tuple(sorted(cells, key=lambda result: result.cell.concurrency)))
            for (strategy, loop), cells in by_pair.items()
        )

    @property
    def is_swept(self) -> bool:
        """Whether each series has loads of its own, as a sweep finds them."""
        loads = [
            {result.cell.concurrency for result in series.cells}
            for series in self.series
            if not series.serial
            and any(result.status is Status.MEASURED for result in series.cells)
        ]
        return any(of_series != loads[0] for of_series in loads)

    def at(self, load: int) -> tuple[CellResult, ...]:
        """The cells that compete at a load, whatever their status, in the run's order."""
        asked = {result.cell.strategy for result in self.cells if result.cell.concurrency == load}
        return tuple(
            result
            for result in self.cells
            if result.cell.concurrency == load
            or (is_serial(result) and result.cell.strategy not in asked)
        )

    def ranking(self, load: int) -> Ranking:
        """Rank the measured cells at a load."""
        return Ranking(load, places_of(self.at(load)))

    def ideal_throughput_per_s(self, load: int) -> float | None:
        """The throughput of a costless scheduler at a load, from the script alone."""
        asked = [result for result in self.cells if result.cell.concurrency == load]
        for result in asked:
            if result.ideal_makespan_s:
                return result.cell.session_count / result.ideal_makespan_s
        return None

    def share_of_ideal(self, result: CellResult, load: int) -> float | None:
        """Return the share of the ideal that a cell reached; ``None`` if it lost sessions.

        That is its efficiency, but for a serial cell that stands for another load.
        """
        if not result.sessions.all_succeeded:
            return None
        if result.cell.concurrency == load:
            return result.efficiency
        ideal_per_s = self.ideal_throughput_per_s(load)
        if ideal_per_s is None or result.throughput_per_s is None:
            return None
        return result.throughput_per_s / ideal_per_s


@dataclass(frozen=True, slots=True)
class ScenarioCells:
    """All that a run has of one scenario."""

    name: str
    groups: tuple[ComparisonGroup, ...]

    @property
    def cells(self) -> tuple[CellResult, ...]:
        """The cells of the scenario, group by group."""
        return tuple(cell for group in self.groups for cell in group.cells)

    @property
    def blocks(self) -> tuple[tuple[CellResult, ...], ...]:
        """The cells as a table shows them: a block for each group and load, in that order."""
        return tuple(
            tuple(cells)
            for group in self.groups
            for _, cells in sorted(
                grouped(group.cells, lambda result: result.cell.concurrency).items()
            )
        )


def scenarios(run: Run) -> tuple[ScenarioCells, ...]:
    """Sort the cells of a run by scenario and group, each in the order of the run."""
    return tuple(
        ScenarioCells(name, _groups(name, cells))
        for name, cells in grouped(run.cells, lambda result: result.cell.scenario).items()
    )


def marks(group: ComparisonGroup) -> dict[CellResult, Standing]:
    """Return how each cell stands at its load.

    Where fewer than two cells were measured nothing was won, and none stands in any way.
    """
    found: dict[CellResult, Standing] = {}
    for load in group.loads:
        places = group.ranking(load).places
        if len(places) >= _A_CONTEST:
            for place in places:
                found.setdefault(place.result, place.standing)
    return found


def marks_explained(shown: Iterable[ScenarioCells]) -> tuple[str, ...]:
    """Return what each mark means that stands beside a cell of these, and no other's."""
    standings = {
        standing
        for scenario in shown
        for group in scenario.groups
        for standing in marks(group).values()
    }
    parts = [
        f"{symbol} {standing}" for standing, symbol in SYMBOLS.items() if standing in standings
    ]
    if Standing.SLOWER in standings:
        parts.append(f"(blank) {Standing.SLOWER}")
    return tuple(parts)


def label(cell: Cell) -> str:
    """Name a cell's strategy and loop where there is little room."""
    if cell.workers:  # how its requests run is up to the service
        return f"the service with {counted(cell.workers, 'worker')}"
    strategy = name(cell.strategy)
    return strategy if cell.loop == NO_LOOP else f"{strategy} · {name(cell.loop)}"


def named(cells: Iterable[CellResult]) -> str:
    """Name cells by strategy and loop, in as few words as is exact."""
    in_all = list(cells)
    if in_all and all(result.cell.workers for result in in_all):
        return "the service"
    by_loop = {
        loop: tuple(dict.fromkeys(name(result.cell.strategy) for result in on_loop))
        for loop, on_loop in grouped(in_all, lambda result: result.cell.loop).items()
    }
    without_loop = by_loop.pop(NO_LOOP, ())
    # Loops with the same strategies are named together.
    alike = grouped(by_loop, lambda loop: frozenset(by_loop[loop]))
    parts = [
        f"{listed(by_loop[loops[0]])} on {listed([name(loop) for loop in loops])}"
        for loops in alike.values()
    ]
    if without_loop:
        parts.append(listed(without_loop))
    # A list of lists needs a comma more to be read.
    return ", and ".join(parts) if any(" and " in part for part in parts) else listed(parts)


def is_serial(result: CellResult) -> bool:
    """Whether a cell's strategy runs one session at a time, whatever is asked of it."""
    return result.cell.one_at_a_time


def _groups(scenario: str, cells: Iterable[CellResult]) -> tuple[ComparisonGroup, ...]:
    def factors(result: CellResult) -> tuple[str, ...]:
        return tuple(factor.phrase(getattr(result.cell, key)) for key, factor in FACTORS.items())

    competing = grouped(cells, factors)
    varying = [len(set(values)) > 1 for values in zip(*competing, strict=True)]
    return tuple(
        ComparisonGroup(
            scenario,
            ", ".join(value for value, varies in zip(values, varying, strict=True) if varies),
            tuple(cells_alike),
        )
        for values, cells_alike in competing.items()
    )


def _rank(cell: CellResult) -> tuple[bool, float]:
    return is_sound(cell), score_of(cell)


def grouped(values: Iterable[Value], key: Callable[[Value], Key]) -> dict[Key, list[Value]]:
    """Group values by a key, both in the order in which they come."""
    groups: dict[Key, list[Value]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return groups
