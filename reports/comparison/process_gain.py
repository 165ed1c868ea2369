"""What more processes carry: the same cells in one process and in several."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...bench.results.cell import Cell
from ...bench.results.records import CellResult, Run, Status
from ...bench.statistics.intervals import Interval, ratio_interval
from ...bench.statistics.ranking import throughputs_per_s


@dataclass(frozen=True, slots=True)
class CellGain:
    """How the throughput of a cell grew.

    Attributes:
        result: The cell, in several processes.
        times: How many times as many sessions it carries as in one.
        interval: Where that lies with 95 % confidence; ``None`` with too few trials to say.
    """

    result: CellResult
    times: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class ProcessGain:
    """What a number of processes carries.

    Attributes:
        scenario: The scenario.
        target: The target.
        processes: The number.
        load: The highest concurrency at which cells ran in one process, too.
        gains: These cells, the greatest gain first.
    """

    scenario: str
    target: str
    processes: int
    load: int
    gains: tuple[CellGain, ...]


def process_gains(run: Run) -> tuple[ProcessGain, ...]:
    """Return what more processes than one carry.

    Args:
        run: The run.

    Returns:
        A value for each scenario, target and number of processes of which the run has cells in one
        process, too. In an open loop the plan says how many sessions there are: those are left out.
    """
    found: defaultdict[tuple[str, str, int], list[CellGain]] = defaultdict(list)
    for gain in _gains(run):
        cell = gain.result.cell
        found[cell.scenario, cell.target, cell.processes].append(gain)
    return tuple(_at_highest_load(*which, gains) for which, gains in found.items())


def _at_highest_load(
    scenario: str, target: str, processes: int, gains: list[CellGain]
) -> ProcessGain:
    load = max(gain.result.cell.concurrency for gain in gains)
    at_load = [gain for gain in gains if gain.result.cell.concurrency == load]
    at_load.sort(key=lambda gain: -gain.times)
    return ProcessGain(scenario, target, processes, load, tuple(at_load))


def _gains(run: Run) -> Iterator[CellGain]:
    """Yield each cell in several processes that has a twin in one."""
    twins = {result.cell: result for result in run.cells if result.cell.processes == 1}
    for result in run.cells:
        twin = twins.get(_in_one(result.cell))
        if twin is None or twin is result or result.cell.is_open_loop:
            continue
        if all(each.status is Status.MEASURED and each.achieved_per_s for each in (result, twin)):
            yield CellGain(
                result,
                result.achieved_per_s / twin.achieved_per_s,
                ratio_interval(throughputs_per_s(result), throughputs_per_s(twin)),
            )


def _in_one(cell: Cell) -> Cell:
    return replace(cell, processes=1, split_limits=False)
