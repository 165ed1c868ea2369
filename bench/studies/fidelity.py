"""How true ``warp`` is: cells run in pairs, once more with real waiting and once more without.

The order in a pair alternates, so that a machine's drift falls on both. What is compared is what
a reader reads: makespan and percentiles, as medians over the pairs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from ...mocks.clock import ClockMode
from ...mocks.errors import UsageError
from ..results.records import CellResult, ClockFigures, Fidelity
from ..results.trial_result import TrialResult
from ..runner.runner import Trials
from ..statistics.summary import cell_result
from ..trial.spec import TrialSpec

ALL = "all"


def chosen_specs(specs: Sequence[TrialSpec], names: Iterable[str]) -> tuple[TrialSpec, ...]:
    """Return the cells that were named.

    Args:
        specs: All the cells of a run.
        names: ``all``, names of strategies or of cells.

    Raises:
        UsageError: A name stands for none of them.
    """
    chosen: list[TrialSpec] = []
    for name in names:
        found = [spec for spec in specs if name in {ALL, spec.cell.strategy, spec.cell.name}]
        if not found:
            strategies = ", ".join(dict.fromkeys(spec.cell.strategy for spec in specs))
            raise UsageError(
                f"--validate {name!r}: expected {ALL}, a strategy of this run ({strategies}) or "
                f"the name of a cell such as {specs[0].cell.name}"
            )
        chosen += [spec for spec in found if spec not in chosen]
    return tuple(chosen)


def measure_fidelity(spec: TrialSpec, pairs: int, trials: Trials) -> Fidelity | None:
    """Run a cell on both clocks.

    Args:
        spec: The cell.
        pairs: How often.
        trials: Runs a trial.

    Returns:
        What came of it; ``None`` for a cell that does not apply.

    Raises:
        TrialError: A trial came to nothing.
    """
    seen: dict[ClockMode, list[CellResult]] = {ClockMode.WALL: [], ClockMode.WARP: []}
    for pair in range(pairs):
        for clock in list(seen) if pair % 2 == 0 else list(reversed(seen)):
            cell = replace(spec.cell, clock=clock)
            result = trials.run(replace(spec, cell=cell))
            if not isinstance(result, TrialResult):
                return None
            seen[clock].append(cell_result(cell, [result]))
    return Fidelity(
        cell=replace(spec.cell, clock=ClockMode.WARP),
        pairs=pairs,
        wall=_figures(seen[ClockMode.WALL]),
        warp=_figures(seen[ClockMode.WARP]),
    )


def _figures(results: Sequence[CellResult]) -> ClockFigures:
    return ClockFigures(
        makespan_s=_median(result.makespan_s for result in results),
        p50_s=_median(result.latency_s.p50 for result in results),
        p99_s=_median(result.latency_s.p99 for result in results),
        elapsed_s=_median(result.elapsed_s for result in results),
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return None if None in known else median(value for value in known if value is not None)
