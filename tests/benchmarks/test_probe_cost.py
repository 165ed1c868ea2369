"""What accounting for the time of sessions costs: at most 3 % of their CPU.

Two arms of the same cell in turn, A B B A, a fresh process each: once with the accounting, once
without. The median of the paired ratios is what it costs; what the trial itself states of that
(``probe_cpu_s``) stands beside it.
"""

from dataclasses import replace
from statistics import median
from typing import Any

import pytest
from warpbench.bench.plan import Factors, cells_of
from warpbench.bench.processes import TrialProcesses
from warpbench.bench.record import TrialResult
from warpbench.bench.strategies import available_strategies
from warpbench.bench.trial import TrialSpec
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.scenario import load_scenario

GOAL_SHARE = 0.03
PAIRS = 16


def specification(strategy: str, sessions: int) -> TrialSpec:
    factors = Factors(
        scenarios=(load_scenario("tools"),),
        strategies=(available_strategies()[strategy],),
        concurrency=(100,),
        session_count=sessions,
        clock=ClockMode.WARP,
    )
    (spec,) = cells_of(factors)
    return spec


@pytest.mark.benchmark(group="probe")
@pytest.mark.parametrize("strategy", ["gather", "threads"])
def test_accounting_costs_little(benchmark: Any, strategy: str) -> None:
    enabled = not benchmark.disabled
    spec = specification(strategy, 1000 if enabled else 4)
    processes = TrialProcesses(600)

    def cpu_s(accounts_time: bool) -> TrialResult:
        result = processes.run(replace(spec, accounts_time=accounts_time))
        assert isinstance(result, TrialResult)
        return result

    def measure() -> tuple[list[float], list[float]]:
        ratios, stated = [], []
        for pair in range(PAIRS if enabled else 1):
            first = pair % 2 == 0
            results = {first: cpu_s(first), not first: cpu_s(not first)}
            ratios.append(results[True].cpu_s / results[False].cpu_s - 1)
            stated.append((results[True].probe_cpu_s or 0) / results[True].cpu_s)
        return ratios, stated

    ratios, stated = benchmark.pedantic(measure, rounds=1, iterations=1)

    share = median(ratios)
    benchmark.extra_info |= {"probe_share": share, "probe_share_stated": median(stated)}
    if enabled:
        ordered = sorted(ratios)
        quarter = len(ordered) // 4
        print(
            f"\n{strategy}: the accounting costs {share:.1%} of a session's CPU (half of the pairs "
            f"{ordered[quarter]:.1%} to {ordered[-quarter - 1]:.1%}); the trials state "
            f"{median(stated):.1%}"
        )
        assert share <= GOAL_SHARE
