"""Measures one block: both commits and the control, in turn.

A *block* is one pair of fresh interpreters with one hash seed, a third that runs the base's code
once more, and for each cell a few rounds A B B A (or B A A B, by lot). A round cancels what drifts
steadily. Noise on a machine only ever adds, so of each side the faster half of the trials counts:
against means of all of them that took a third off the spread between blocks, measured with other
work on the machine. Blocks are independent, for each has memory laid out anew; and in which order
the interpreters start is drawn anew, so that a place in that order favours no side.

The base compared with itself, one cell a block in turn, is the *A/A control*.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from ....mocks.errors import TrialError
from ...results.cell import Cell
from .side import Side, Sides
from .worktrees import BASE, HEAD, SAME

TRIAL_CPU_S = 0.08
ROUNDS_CPU_S = 1.0
_MOST_ROUNDS = 3
_ROUNDS_OF_CONTROL = 2
_MOST_SESSIONS = 2_000
_FIRST_SESSIONS = 20
_TRIALS_A_ROUND = 4


@dataclass(frozen=True, slots=True)
class Workload:
    """How a cell is run for its time.

    Attributes:
        cell: The cell.
        sessions: Sessions of a trial: enough to last some 80 ms of CPU.
        rounds: Rounds of four trials in a block.
    """

    cell: Cell
    sessions: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Block:
    """What a block has shown.

    Attributes:
        log_ratios: Of each cell: ``log(head / base)``.
        control: That of the base against itself.
    """

    log_ratios: Mapping[str, float]
    control: float


def calibrate(
    cells: Mapping[str, Cell], sides: Sides
) -> tuple[dict[str, Workload], dict[str, TrialError]]:
    """Run each cell once on each side: does it work, is it one workload, how long does it take?

    Returns:
        How each cell is run, and of the others why they cannot be compared.

    Raises:
        TrialError: A side cannot load its targets.
        BudgetSpent: The budget ended first.
    """
    workloads, errors = {}, {}
    with sides(0, (BASE, HEAD)) as running:
        for name, cell in cells.items():
            try:
                workloads[name] = _workload(cell, running[BASE], running[HEAD])
            except TrialError as error:
                errors[name] = error
    return workloads, errors


def measure_block(workloads: Mapping[str, Workload], sides: Sides, lot: str, number: int) -> Block:
    """Measure one block of some cells: all of it, or nothing.

    Args:
        workloads: The cells.
        sides: Starts the sides.
        lot: What is drawn by lot follows from it and the number, so that a run can be repeated.
        number: Number of the block; the cells take turns as the control.

    Raises:
        TrialError: A trial came to nothing.
        BudgetSpent: The budget ended first. What the block has measured till then does not count,
            of either side and of any cell.
    """
    lots = random.Random(f"{lot}/{number}")
    names = list(workloads)
    in_turn = names[number % len(names)]
    log_ratios = {}
    control = 0.0
    order = lots.sample((BASE, HEAD, SAME), 3)
    with sides(lots.randrange(1, 2**32), order) as running:
        for name in lots.sample(names, len(names)):
            workload = workloads[name]
            log_ratios[name] = _log_ratio(workload, running[BASE], running[HEAD], lots)
            if name == in_turn:
                shorter = replace(workload, rounds=min(workload.rounds, _ROUNDS_OF_CONTROL))
                control = _log_ratio(shorter, running[BASE], running[SAME], lots)
    return Block(log_ratios, control)


def _workload(cell: Cell, before: Side, after: Side) -> Workload:
    first = max(cell.concurrency, min(cell.session_count, _FIRST_SESSIONS))
    costs = [side.run(cell, first) for side in (before, after)]
    if costs[0].ideal_makespan_ns != costs[1].ideal_makespan_ns:
        raise TrialError(
            "the workloads of the two commits differ: the scenario, or the tools that the target "
            "declares, have changed"
        )
    cpu_s = max(*(cost.cpu_s_per_session for cost in costs), TRIAL_CPU_S / _MOST_SESSIONS)
    sessions = max(cell.concurrency, math.ceil(TRIAL_CPU_S / cpu_s))
    rounds = round(ROUNDS_CPU_S / (_TRIALS_A_ROUND * sessions * cpu_s))
    return Workload(cell, sessions, min(_MOST_ROUNDS, max(1, rounds)))


def _log_ratio(workload: Workload, before: Side, after: Side, lots: random.Random) -> float:
    """Return ``log(after / before)`` over a few rounds, each there and back."""
    costs_s: dict[Side, list[float]] = {before: [], after: []}
    for _ in range(workload.rounds):
        first, second = lots.sample((before, after), 2)
        for side in (first, second, second, first):
            cost = side.run(workload.cell, workload.sessions)
            costs_s[side].append(cost.cpu_s_per_session)
    return log_ratio(costs_s[before], costs_s[after])


def log_ratio(before_s: Sequence[float], after_s: Sequence[float]) -> float:
    """Return ``log(after / before)`` of the faster half of each side's trials.

    Swapping the sides swaps the sign, whatever the noise: that makes the test exact.
    """
    return _log_of_faster_half(after_s) - _log_of_faster_half(before_s)


def _log_of_faster_half(costs_s: Sequence[float]) -> float:
    faster = sorted(costs_s)[: max(1, len(costs_s) // 2)]
    return fmean(math.log(cost_s) for cost_s in faster)
