"""What a session costs in CPU, ours against other people's agents, in one run of the lab.

The same script, mocked tools and all, for every agent, in fresh processes, the trials
interleaved. What the scripted model itself costs is in every figure, so the ratios are
rather too high for us than too low.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from ..conftest import Warpbench

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
FRAMEWORKS = {
    "langgraph": "with_langgraph",
    "agents": "with_openai_agents",
    "pydantic_ai": "with_pydantic_ai",
}
GOAL_OF_BARE = 0.6
"""Our agent may take at most this share of what the bare loop takes."""
GOAL_OF_CHEAPEST = 0.25
"""And at most this share of the cheapest framework."""

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, FRAMEWORKS)),
    reason="the frameworks are not installed; `make benchmarks` installs them",
)


def cpu_s_per_session(run: Any, folder: Path, sessions: int, trials: int) -> dict[str, float]:
    for module in FRAMEWORKS.values():
        shutil.copy(EXAMPLES / f"{module}.py", folder)
    targets = [f"{module}:build_with_lab" for module in FRAMEWORKS.values()]
    finished = run(
        *("run", "tools", "--strategy", "gather", "--loop", "asyncio", "--concurrency", "50"),
        *("--sessions", str(sessions), "--trials", str(trials)),
        *("--target", ",".join(["agent", "bare-sdk", *targets]), "--out", "results"),
    )
    assert finished.status == 0, finished.err
    return {
        cell["cell"]["target"].split(":")[0]: cell["cpu_s_per_session"] for cell in finished.cells
    }


def test_a_session_costs_a_quarter_of_the_cheapest_framework_at_most(
    benchmark: BenchmarkFixture, warpbench: Warpbench, tmp_path: Path
) -> None:
    if benchmark.disabled:
        assert len(cpu_s_per_session(warpbench, tmp_path, sessions=50, trials=1)) == 5
        benchmark(lambda: None)
        return
    costs = benchmark.pedantic(
        cpu_s_per_session,
        args=(warpbench, tmp_path),
        kwargs={"sessions": 200, "trials": 5},
        rounds=1,
    )
    benchmark.extra_info.update(costs)
    of_bare = costs["agent"] / costs["bare-sdk"]
    of_cheapest = costs["agent"] / min(costs[module] for module in FRAMEWORKS.values())
    print(
        "\nCPU a session: "
        + ", ".join(f"{name} {cost * 1e3:.2f} ms" for name, cost in costs.items())
        + f"\nratio to bare-sdk {of_bare:.3f} (goal {GOAL_OF_BARE}), "
        f"to the cheapest framework {of_cheapest:.3f} (goal {GOAL_OF_CHEAPEST})"
    )
    assert of_bare <= GOAL_OF_BARE
    assert of_cheapest <= GOAL_OF_CHEAPEST
