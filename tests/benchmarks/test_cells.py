"""Each strategy as a benchmark: what ten sessions compute, with their latencies beside it.

``make benchmarks`` runs it; ``pytest tests/benchmarks/test_cells.py --benchmark-enable
--benchmark-json=cells.json`` writes what pytest-benchmark compares over time.
"""

import pytest
from warpbench.bench.strategies import BUILT_IN
from warpbench.bench.testing.pytest_plugin import LabInTests

STRATEGIES = [strategy.name for strategy in BUILT_IN]
SCENARIOS = ["two-sleeps", "chat", "tools", "research"]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_cell(lab: LabInTests, benchmark: object, strategy: str, scenario: str) -> None:
    result = lab.benchmark(
        benchmark, "agent", scenario=scenario, strategy=strategy, sessions=10, rounds=10
    )
    assert result.sessions.succeeded == 10
