"""What a run shows about each comparison group, as values: who is fastest, and what went wrong.

``summary_text`` turns them into sentences.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ...bench.results.cell import NO_LOOP
from ...bench.results.data_flow import DataFlow
from ...bench.results.records import CellResult, Run, Status
from ...bench.statistics.objectives import Objectives
from ...bench.statistics.standing import Standing
from .client_cost import ClientCost, client_costs
from .fidelity import WorstDeviation, worst_deviations
from .process_gain import ProcessGain, process_gains
from .ranking import ComparisonGroup, Ranking, grouped, scenarios
from .scaling import Goodput, Scaling, goodput_of, objectives_of, scaling_of
from .time_breakdown import TimeLost, times_lost


@dataclass(frozen=True, slots=True)
class Unsuccessful:
    """Cells that have no result for one reason.

    Attributes:
        status: Whether they failed, or do not apply.
        error: The reason.
        loads: The concurrencies at which; empty for a strategy that has no result at all.
        cells: The cells.
    """

    status: Status
    error: str
    loads: tuple[int, ...]
    cells: tuple[CellResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSummary:
    """What a run shows about one comparison group.

    Attributes:
        group: The group.
        distorted: The cells that are not ranked, since refused requests cost too much of their
            time; whichever load they are at.
        leaking: The cells in which sessions took up text of others, the most sessions first.
        took_no_time: Whether the sessions met no wait at all, so that nothing can be compared.
        failed_load: The highest concurrency, if every strategy failed there.
        peaks: The best cell of each series, where each series has loads of its own.
        ranking: The ranking at the highest concurrency at which any session succeeded.
        loops_behind: The best cell of each event loop that has none in front.
        other_rankings: Lower loads with other cells in front, the highest load first.
        scaling: Where the throughput of the best series ends.
        goodput: What meets the objectives, if any were asked for.
        times_lost: What sessions lost their time on, the greatest share first.
        unsuccessful: Cells without a result.
        data_flow: The data flow of one session of its target, if that was found.
    """

    group: ComparisonGroup
    distorted: tuple[CellResult, ...] = ()
    leaking: tuple[CellResult, ...] = ()
    took_no_time: bool = False
    failed_load: int | None = None
    peaks: tuple[CellResult, ...] = ()
    ranking: Ranking | None = None
    loops_behind: tuple[CellResult, ...] = ()
    other_rankings: tuple[Ranking, ...] = ()
    scaling: Scaling | None = None
    goodput: Goodput | None = None
    times_lost: tuple[TimeLost, ...] = ()
    unsuccessful: tuple[Unsuccessful, ...] = ()
    data_flow: DataFlow | None = None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run shows.

    Attributes:
        groups: Each comparison group, in the order of the run.
        process_gains: What more processes carry, where the run has cells to tell.
        client_costs: What the HTTP client costs, likewise.
        deviations: How far the warp clock was off, where that was measured.
    """

    groups: tuple[GroupSummary, ...]
    process_gains: tuple[ProcessGain, ...]
    client_costs: tuple[ClientCost, ...]
    deviations: tuple[WorstDeviation, ...]


@dataclass(frozen=True, slots=True)
class Placing:
    """How the cells of a ranking stand to the best one.

    Attributes:
        leaders: The fastest cell, or those that are tied, the best first; none where no lead is
            shown.
        unranked: Those that the trials cannot rank, the best first.
        behind: The best cell of each strategy that is in neither, the best first.
    """

    leaders: tuple[CellResult, ...]
    unranked: tuple[CellResult, ...]
    behind: tuple[CellResult, ...]

    @property
    def cells(self) -> tuple[CellResult, ...]:
        """All of them."""
        return (*self.leaders, *self.unranked, *self.behind)


def summarise(run: Run) -> RunSummary:
    """Summarise a run, group by group."""
    objectives = objectives_of(run)
    groups = (group for scenario in scenarios(run) for group in scenario.groups)
    return RunSummary(
        tuple(summarise_group(group, objectives) for group in groups),
        process_gains(run),
        client_costs(run),
        worst_deviations(run),
    )


def summarise_group(group: ComparisonGroup, objectives: Objectives | None = None) -> GroupSummary:
    """Summarise one comparison group.

    Args:
        group: The group.
        objectives: The objectives that were asked for.
    """
    loads = [load for load in group.loads if group.ranking(load).best is not None]
    rankings = [group.ranking(load) for load in loads]
    took_no_time = any(_took_no_time(cell) for cell in group.at(group.loads[-1]))
    is_ranked = bool(rankings) and not took_no_time and not group.is_swept
    ranking = rankings[-1] if is_ranked else None
    distorted = tuple(
        cell for cell in group.cells if cell.status is Status.MEASURED and not cell.is_undistorted
    )
    return GroupSummary(
        group=group,
        distorted=distorted,
        leaking=_leaking(group),
        took_no_time=took_no_time,
        failed_load=None if took_no_time else _failed_load(group, loads),
        peaks=_peaks(group) if group.is_swept and loads and not took_no_time else (),
        ranking=ranking,
        loops_behind=_loops_behind(ranking) if ranking else (),
        other_rankings=tuple(
            other for other in reversed(rankings[:-1]) if not _share_a_leader(rankings[-1], other)
        )
        if is_ranked
        else (),
        scaling=scaling_of(group),
        goodput=None
        if objectives is None or (distorted and not rankings)
        else goodput_of(group, objectives),
        times_lost=times_lost(group),
        unsuccessful=(
            *_unsuccessful(group, Status.FAILED),
            *_unsuccessful(group, Status.NOT_APPLICABLE),
        ),
        data_flow=next(
            (cell.data_flow for cell in group.cells if cell.data_flow is not None), None
        ),
    )


def placing(ranking: Ranking) -> Placing:
    """Sort the cells of a ranking by how they stand to the best one."""
    leaders, unranked = ranking.leaders, ranking.standing(Standing.UNRANKED)
    named = {result.cell.strategy for result in (*leaders, *unranked)}
    behind: dict[str, CellResult] = {}
    for result in ranking.ranked:
        if result.cell.strategy not in named:
            behind.setdefault(result.cell.strategy, result)  # the first is its best
    return Placing(leaders, unranked, tuple(behind.values()))


def _leaking(group: ComparisonGroup) -> tuple[CellResult, ...]:
    leaking = [cell for cell in group.cells if cell.isolation.leaked_sessions]
    return tuple(sorted(leaking, key=lambda cell: -cell.isolation.leaked_sessions))


def _failed_load(group: ComparisonGroup, loads: list[int]) -> int | None:
    highest = group.loads[-1]
    if group.is_swept and loads:  # each series was driven to its own limit, on purpose
        return None
    is_known = highest in loads or bool(group.ranking(highest).not_ranked)
    return None if is_known else highest


def _peaks(group: ComparisonGroup) -> tuple[CellResult, ...]:
    return tuple(
        result
        for result in group.best_of_series
        if result.throughput_per_s and result.is_undistorted
    )


def _loops_behind(ranking: Ranking) -> tuple[CellResult, ...]:
    leading = {result.cell.loop for result in ranking.in_front} | {NO_LOOP}
    behind: dict[str, CellResult] = {}
    for result in ranking.ranked:
        if result.cell.loop not in leading:
            behind.setdefault(result.cell.loop, result)
    return tuple(behind.values())


def _share_a_leader(one: Ranking, other: Ranking) -> bool:
    return not {_series(cell) for cell in one.in_front}.isdisjoint(map(_series, other.in_front))


def _unsuccessful(group: ComparisonGroup, status: Status) -> Iterable[Unsuccessful]:
    """Yield the cells that have no result, those with one reason together."""
    cells = [cell for cell in group.cells if cell.status is status]
    missing = {pair: _loads(of_pair) for pair, of_pair in grouped(cells, _series).items()}
    asked = {pair: _loads(of_pair) for pair, of_pair in grouped(group.cells, _series).items()}

    def at(cell: CellResult) -> tuple[int, ...]:
        """Return the loads to be named: none for a strategy that has no result at all."""
        pair = _series(cell)
        return () if missing[pair] == asked[pair] else missing[pair]

    for (error, loads), alike in grouped(cells, lambda cell: (cell.error, at(cell))).items():
        yield Unsuccessful(status, error or "", loads, tuple(alike))


def _loads(cells: Iterable[CellResult]) -> tuple[int, ...]:
    return tuple(result.cell.concurrency for result in cells)


def _took_no_time(cell: CellResult) -> bool:
    """Whether sessions succeeded at no cost: in virtual time, without a single wait."""
    return cell.makespan_s == 0 and cell.sessions.succeeded > 0


def _series(result: CellResult) -> tuple[str, str]:
    return result.cell.strategy, result.cell.loop
