"""How true the warp clock is: the same cells in ``wall`` and in ``warp``, as a table.

    make fidelity

Each cell runs in pairs, wall then warp, warp then wall, so that the machine's drift falls
on both; figures are medians over the pairs. What is compared is what a user reads: makespan,
p50, p99; and how much sooner it is there. Strategies that take one session at a time wait
for minutes and run in one pair. About 12 minutes; pass a number to change the pairs (3).
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from warpbench.bench.loops import LOOPS
from warpbench.bench.plan import Factors, cells_of
from warpbench.bench.processes import TrialProcesses
from warpbench.bench.record import CellResult, TrialResult
from warpbench.bench.statistics import cell_result
from warpbench.bench.strategies import BUILT_IN
from warpbench.bench.trial import TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import Scenario, parse_scenario

TIME_LIMIT_S = 3600
ONE_AT_A_TIME = ("sync", "blocking")


@dataclass(frozen=True)
class Comparison:
    """One cell on both clocks, figures as medians over the pairs."""

    spec: TrialSpec
    wall: CellResult
    warp: CellResult

    def deviation(self, wall: float | None, warp: float | None) -> str:
        """Return how far warp is off wall, in percent; a dash without enough samples."""
        return "–" if wall is None or warp is None else f"{(warp / wall - 1) * 100:+.2f} %"

    def row(self) -> str:
        """Return the cell as a row of a Markdown table."""
        cell, wall, warp = self.spec.cell, self.wall, self.warp
        assert wall.makespan_s and warp.makespan_s and wall.elapsed_s and warp.elapsed_s
        deviations = (
            self.deviation(wall.makespan_s, warp.makespan_s),
            self.deviation(wall.latency_s.p50, warp.latency_s.p50),
            self.deviation(wall.latency_s.p99, warp.latency_s.p99),
        )
        return (
            f"| {cell.strategy} | {cell.loop} | {cell.session_count} | {wall.makespan_s:.3f} s "
            f"| {warp.makespan_s:.3f} s | {' | '.join(deviations)} "
            f"| {wall.elapsed_s / warp.elapsed_s:.0f}× |"
        )


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    pairs = int(arguments[0]) if arguments else 3
    print_table(latency_s=0.5, few=200, pairs=pairs)
    print_table(latency_s=5.0, few=10, pairs=1)


def print_table(*, latency_s: float, few: int, pairs: int) -> None:
    """Run the cells for one latency of the model, and print a row for each as it is known."""
    processes = TrialProcesses(TIME_LIMIT_S)
    print(f"\nOne model call of {latency_s:g} s, 50 at once, {pairs} pair(s) of trials:\n")
    print("| strategy | loop | sessions | wall | warp | makespan | p50 | p99 | sooner |")
    print("|---|---|---|---|---|---|---|---|---|")
    for spec in specs(chat(latency_s), few):
        alone = spec.cell.strategy in ONE_AT_A_TIME
        print(compare(spec, 1 if alone else pairs, processes).row(), flush=True)


def chat(latency_s: float) -> Scenario:
    """Return the scenario: one model call of that latency."""
    return parse_scenario(
        f"""
        name = "chat-{latency_s:g}s"
        description = "One model call of {latency_s:g} s."
        sessions = 200
        [model]
        latency_s = {latency_s}
        [[rounds]]
        """
    )


def specs(scenario: Scenario, few: int) -> Iterator[TrialSpec]:
    """Yield the cells; strategies that take one session at a time get ``few`` of them."""
    factors = Factors(
        scenarios=(scenario,),
        strategies=BUILT_IN,
        loops=tuple(loop for loop in LOOPS if loop != "eager" or sys.version_info >= (3, 12)),
        concurrency=(50,),
        clock=ClockMode.WARP,
    )
    for spec in cells_of(factors):
        if spec.cell.strategy in ONE_AT_A_TIME:
            yield replace(spec, cell=replace(spec.cell, session_count=few))
        else:
            yield spec


def compare(spec: TrialSpec, pairs: int, processes: TrialProcesses) -> Comparison:
    """Run a cell on both clocks, in pairs of alternating order."""
    trials: dict[ClockMode, list[TrialResult]] = {ClockMode.WALL: [], ClockMode.WARP: []}
    for pair in range(pairs):
        order = list(trials) if pair % 2 == 0 else list(reversed(trials))
        for mode in order:
            result = processes.run(replace(spec, cell=replace(spec.cell, clock=mode)))
            assert isinstance(result, TrialResult)
            trials[mode].append(result)
    return Comparison(
        spec, *(median_result(spec, trials[mode]) for mode in (ClockMode.WALL, ClockMode.WARP))
    )


def median_result(spec: TrialSpec, trials: Sequence[TrialResult]) -> CellResult:
    """Return the result with medians over the trials, percentiles included."""
    result = cell_result(spec.cell, trials)
    singles = [cell_result(spec.cell, [trial]).latency_s for trial in trials]
    return replace(
        result,
        latency_s=replace(
            result.latency_s,
            p50=median(single.p50 for single in singles if single.p50 is not None),
            p99=median(single.p99 for single in singles)  # type: ignore[type-var]
            if all(single.p99 is not None for single in singles)
            else None,
        ),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
