"""How often the time tier errs: verdicts simulated with the noise that was measured.

``data/gate_noise_us.json`` holds trials of one commit against itself on a machine of two cores,
with nothing else to do (``quiet``) and with one core kept busy (``loaded``); ``gate_noise.py``
measures them anew. A simulated block is a measured one, bursts, drift and layout of memory
included, its sides swapped by lot, and the second side made slower by the effect. The verdict
is the tier's own code.

The goals: a false alarm in at most 1 % of 3,000 verdicts on four cells whose code has not
changed; growth of 5 % found in at least 95 % of 1,000 verdicts on one cell.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from warpbench.bench.gate.time.compare import log_ratio
from warpbench.bench.gate.time.sequential_test import conclude, control_differs, decide
from warpbench.bench.results.verdict import Verdict

NOISE = json.loads((Path(__file__).parent / "data" / "gate_noise_us.json").read_text())
MARGIN = 0.03
BLOCKS_IN_BUDGET = {1: 32, 4: 11}
"""Blocks that 120 s hold, by the number of cells."""

GOAL_FALSE_ALARMS = 0.01
GOAL_POWER = 0.95
GOAL_POWER_OF_FOUR = 0.9


def simulated_block(
    blocks: Sequence[Sequence[float]], effect: float, lots: random.Random, rounds: int = 3
) -> float:
    trials = lots.choice(blocks)[: 4 * rounds]
    sides: tuple[list[float], list[float]] = ([], [])
    swapped = lots.random() < 0.5
    for number, cost in enumerate(trials):
        sides[(number % 4 in (1, 2)) ^ swapped].append(cost)
    return log_ratio(sides[0], [cost * (1 + effect) for cost in sides[1]])


def simulated_verdict(
    blocks: Sequence[Sequence[float]], effects: Sequence[float], lots: random.Random
) -> list[Verdict]:
    """Return what the tier decides on cells whose CPU time has grown by so much."""
    cells = {str(number): effect for number, effect in enumerate(effects)}
    values: dict[str, list[float]] = {name: [] for name in cells}
    decided: dict[str, Verdict] = {}
    arm: list[float] = []
    for _ in range(BLOCKS_IN_BUDGET[len(cells)]):
        for name in cells.keys() - decided.keys():
            values[name].append(simulated_block(blocks, cells[name], lots))
        arm.append(simulated_block(blocks, 0.0, lots, rounds=1))
        decided |= decide(values, decided, MARGIN)
        if len(decided) == len(cells):
            break
    if control_differs(arm):
        return [Verdict.INCONCLUSIVE] * len(cells)
    return [decided.get(name) or conclude(values[name], MARGIN) for name in cells]


def shares(kind: str, effects: Sequence[float], runs: int, benchmark: object) -> Counter[Verdict]:
    """Return how many verdicts hold each decision, counted on the first cell, and alarms on any."""
    lots = random.Random(f"{kind} {effects}")
    counts: Counter[Verdict] = Counter()

    def simulate() -> None:
        for _ in range(runs):
            decisions = simulated_verdict(NOISE[kind], effects, lots)
            alarm = Verdict.REGRESSED in decisions
            counts[Verdict.REGRESSED if alarm else decisions[0]] += 1

    benchmark.pedantic(simulate, rounds=1)  # type: ignore[attr-defined]
    named = ", ".join(f"{decision} {count / runs:.2%}" for decision, count in counts.most_common())
    print(f"\n{kind}, effects {effects}: {named} of {runs}")
    return counts


@pytest.mark.parametrize("kind", NOISE)
def test_code_that_has_not_changed_is_called_regressed_in_one_of_a_hundred_at_most(
    kind: str, benchmark: object
) -> None:
    runs = 3_000 if benchmark.enabled else 10  # type: ignore[attr-defined]
    counts = shares(kind, (0.0, 0.0, 0.0, 0.0), runs, benchmark)
    assert counts[Verdict.REGRESSED] <= max(1, GOAL_FALSE_ALARMS * runs)


@pytest.mark.parametrize("kind", NOISE)
def test_growth_of_a_twentieth_is_found_in_nineteen_of_twenty(kind: str, benchmark: object) -> None:
    runs = 1_000 if benchmark.enabled else 10  # type: ignore[attr-defined]
    counts = shares(kind, (0.05,), runs, benchmark)
    assert counts[Verdict.REGRESSED] >= GOAL_POWER * runs - (0 if runs > 10 else 3)


@pytest.mark.parametrize("kind", NOISE)
def test_growth_of_a_tenth_in_one_of_four_cells_is_found_in_nine_of_ten(
    kind: str, benchmark: object
) -> None:
    runs = 1_000 if benchmark.enabled else 10  # type: ignore[attr-defined]
    counts = shares(kind, (0.1, 0.0, 0.0, 0.0), runs, benchmark)
    assert counts[Verdict.REGRESSED] >= GOAL_POWER_OF_FOUR * runs - (0 if runs > 10 else 3)
