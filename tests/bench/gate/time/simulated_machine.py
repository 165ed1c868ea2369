"""A machine on which two commits are compared in no time: costs are drawn, the clock is a number.

What judges is the tier's own code (``compare``). This stands in for the processes and for the
clock, and for nothing else.
"""

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from warpbench.bench.gate.time.budget import Budget, BudgetSpent
from warpbench.bench.gate.time.compare import Compared, Comparison, compare
from warpbench.bench.gate.time.side import Cost, Side
from warpbench.bench.gate.time.worktrees import BASE, HEAD, SAME
from warpbench.bench.results.cell import Cell
from warpbench.mocks.clock import ClockMode

MARGIN = 0.03
SESSION_CPU_S = 0.001
START_S = 0.2
"""Real seconds that a side takes to start."""

TRIAL_OVERHEAD_S = 0.12
"""Real seconds that a trial takes besides its computing: four cells get nine blocks in 120 s."""

RECORDED: Mapping[str, Sequence[Sequence[float]]] = json.loads(
    (Path(__file__).parents[3] / "benchmarks" / "data" / "gate_noise_us.json").read_text()
)


class Noise(Protocol):
    """By which factor trials cost more, or less, than they should."""

    def begins(self, lots: random.Random) -> None:
        """A comparison begins."""

    def block_begins(self, lots: random.Random) -> None:
        """A block begins, with interpreters of its own."""

    def factor(self, side: str, cell: str, lots: random.Random) -> float:
        """Return the factor of a trial."""


@dataclass(eq=False)
class Recorded:
    """Noise that was measured on a machine of two cores (``gate_noise.py``).

    Each cell of a block is one of the recorded blocks, its sides by lot, and another one is its
    control: bursts, drift and the layout of memory included.
    """

    kind: str
    _queues: dict[tuple[str, str], Iterator[float]] = field(default_factory=dict)

    def begins(self, lots: random.Random) -> None: ...

    def block_begins(self, lots: random.Random) -> None:
        self._queues.clear()

    def factor(self, side: str, cell: str, lots: random.Random) -> float:
        if (side, cell) not in self._queues:
            first, head = self._two_sides(lots)
            again, same = self._two_sides(lots)
            self._queues[BASE, cell] = iter((*first, *again))
            self._queues[HEAD, cell] = iter(head)
            self._queues[SAME, cell] = iter(same)
        return next(self._queues[side, cell])

    def _two_sides(self, lots: random.Random) -> list[list[float]]:
        trials = lots.choice(RECORDED[self.kind])
        mean = math.fsum(trials) / len(trials)
        sides: list[list[float]] = [[], []]
        for number, cost in enumerate(trials):
            sides[number % 4 in (1, 2)].append(cost / mean)
        lots.shuffle(sides)
        return sides


@dataclass(eq=False)
class Drawn:
    """Noise by formula: of the layout of memory in a block, and of each trial.

    Attributes:
        layout: Standard deviation of what a side's interpreter adds to a block.
        correlation: Of what it adds with what the same side added to the block before: AR(1).
        trial: Standard deviation of what a trial adds.
        heavy: Whether that has the tails of Student's t with two degrees of freedom.
        drift: By how much each trial costs more than the one before.
    """

    layout: float = 0.008
    correlation: float = 0.0
    trial: float = 0.02
    heavy: bool = False
    drift: float = 0.0
    _added: dict[str, float] = field(default_factory=dict)
    _trials: int = 0

    def begins(self, lots: random.Random) -> None:
        self._added = {side: lots.gauss(0, self.layout) for side in (BASE, HEAD, SAME)}
        self._trials = 0

    def block_begins(self, lots: random.Random) -> None:
        fresh = self.layout * math.sqrt(1 - self.correlation**2)
        for side, added in self._added.items():
            self._added[side] = self.correlation * added + lots.gauss(0, fresh)

    def factor(self, side: str, cell: str, lots: random.Random) -> float:
        self._trials += 1
        noise = lots.gauss(0, self.trial)
        if self.heavy:
            noise /= math.sqrt(lots.expovariate(1.0))  # t(2): chi-square with two over two
        return math.exp(min(self._added[side] + noise, 5.0)) * (1 + self.drift * self._trials)


@dataclass
class SimulatedMachine:
    """Starts sides that compute nothing.

    Attributes:
        noise: What it adds to the cost of trials.
        growth: By how much each cell costs more at head, as a share.
        side_bias: By how much every side but the base's costs more, for no reason in the code.
        slowness: How many times longer than usual everything takes: how busy the machine is.
        lots: What is drawn.
    """

    noise: Noise
    growth: Mapping[str, float]
    side_bias: float = 0.0
    slowness: float = 1.0
    lots: random.Random = field(default_factory=lambda: random.Random(1))
    now_s: float = 0.0
    running: int = 0
    trials_begun: int = 0
    orders: list[tuple[str, ...]] = field(default_factory=list)
    budget: Budget = field(init=False)

    def takes(self, duration_s: float) -> None:
        """Let time pass; the budget's end cuts it short."""
        left_s = self.budget.left_s
        if duration_s * self.slowness >= left_s:
            self.now_s += max(0.0, left_s)
            raise BudgetSpent
        self.now_s += duration_s * self.slowness

    @contextmanager
    def __call__(self, hash_seed: int, order: Sequence[str]) -> Iterator[dict[str, Side]]:
        self.orders.append(tuple(order))
        self.noise.block_begins(self.lots)
        self.running += len(order)
        try:
            self.takes(START_S * len(order))
            yield {name: SimulatedSide(name, self) for name in order}
        finally:
            self.running -= len(order)


@dataclass(eq=False, slots=True)
class SimulatedSide:
    """Draws what a trial costs."""

    name: str
    machine: SimulatedMachine

    def run(self, cell: Cell, sessions: int) -> Cost:
        machine = self.machine
        machine.trials_begun += 1
        cost_s = SESSION_CPU_S * machine.noise.factor(self.name, cell.scenario, machine.lots)
        if self.name != BASE:
            cost_s *= 1 + machine.side_bias
        if self.name == HEAD:
            cost_s *= 1 + machine.growth[cell.scenario]
        machine.takes(TRIAL_OVERHEAD_S + SESSION_CPU_S * sessions)
        return Cost(cost_s, 1)


def cell_named(name: str) -> Cell:
    """Return a cell; to the simulation it is its name."""
    return Cell(
        scenario=name,
        target="agent",
        strategy="gather",
        loop="asyncio",
        clock=ClockMode.VIRTUAL,
        concurrency=10,
        session_count=20,
        tool_workers=4,
        seed=1,
    )


def simulated(
    machine: SimulatedMachine,
    budget_s: float,
    lot: str = "",
    progress: Callable[[int, int], None] = lambda _blocks, _open: None,
) -> Compared:
    """Compare two commits on a simulated machine.

    Args:
        machine: The machine; its time begins anew.
        budget_s: Seconds of its time that there are.
        lot: What the tier draws by lot follows from it.
        progress: Told after each block.
    """
    machine.now_s = 0.0
    machine.budget = Budget(budget_s, lambda: machine.now_s)
    machine.noise.begins(machine.lots)
    cells = {name: cell_named(name) for name in machine.growth}
    return compare(Comparison(machine, cells, MARGIN, machine.budget, lot), progress)
