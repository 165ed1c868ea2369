"""How true the warp clock is: the same cells in ``wall`` and in ``warp``, as a table.

    make fidelity

This is ``warpbench run --validate all`` for every strategy on every loop. Strategies that take one
session at a time wait for minutes and run in one pair. About 12 minutes; pass a number to change
the pairs (3).
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from warpbench.bench.runner.plan import Factors, cells_of
from warpbench.bench.runner.processes import TrialProcesses
from warpbench.bench.strategies import BUILT_IN
from warpbench.bench.studies.fidelity import measure_fidelity
from warpbench.bench.trial.loops import LOOPS
from warpbench.bench.trial.spec import TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import Scenario, parse_scenario
from warpbench.reports.comparison.fidelity import fidelity_markdown

TIME_LIMIT_S = 3600


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    pairs = int(arguments[0]) if arguments else 3
    print_table(latency_s=0.5, few=200, pairs=pairs)
    print_table(latency_s=5.0, few=10, pairs=1)


def print_table(*, latency_s: float, few: int, pairs: int) -> None:
    """Run the cells for one latency of the model, and print a row for each."""
    processes = TrialProcesses(TIME_LIMIT_S)
    print(f"\nOne model call of {latency_s:g} s, 50 at once, {pairs} pair(s) of trials:\n")
    found = [
        measure_fidelity(spec, 1 if spec.cell.one_at_a_time else pairs, processes)
        for spec in specs(chat(latency_s), few)
    ]
    print(fidelity_markdown([each for each in found if each is not None]), flush=True)


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
        loops=tuple(loop.name for loop in LOOPS.values() if loop.is_here),
        concurrency=(50,),
        clock=ClockMode.WARP,
    )
    for spec in cells_of(factors):
        if spec.cell.one_at_a_time:
            yield replace(spec, cell=replace(spec.cell, session_count=few))
        else:
            yield spec


if __name__ == "__main__":
    main(sys.argv[1:])
