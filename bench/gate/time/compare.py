"""The time tier: CPU seconds per session of two commits, measured in turn on one machine.

A *block* is one pair of fresh interpreters with one hash seed, a third that runs the base's
code once more, and for each cell a few rounds A B B A (or B A A B, by lot). A round cancels
what drifts steadily. Noise on a machine only ever adds, so of each side the faster half of the
trials counts: against means of all of them that took a third off the spread between blocks,
measured with other work on the machine. Blocks are independent, for each has memory laid out
anew. One log-ratio a block and cell goes into the tests of ``sequential_test``.

The base compared with itself, one cell a block in turn, is the *A/A control*. If its sides differ,
something other than the code makes them differ, and no verdict is given.
"""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from ....mocks.errors import TrialError
from ....mocks.network import Network
from ...results.cell import Cell
from ...results.verdict import (
    CellVerdict,
    Change,
    ChangeKind,
    Estimate,
    Note,
    NoteKind,
    Reason,
    ReasonKind,
    Verdict,
    not_measured,
)
from ..baseline import CellBaseline
from .sequential_test import LOOKS, MOST_BLOCKS, conclude, control_differs, decide, estimate_of
from .side import Side, running_side
from .worktrees import BASE, HEAD, SAME, Checkout, Worktree

TRIAL_CPU_S = 0.08
ROUNDS_CPU_S = 1.0
_MOST_ROUNDS = 3
_MOST_SESSIONS = 2_000
_FIRST_SESSIONS = 20
_TRIALS_A_ROUND = 4
TIER = "time"


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
class Comparison:
    """What is compared, and where.

    Attributes:
        checkout: The project's own checkout.
        worktrees: The sides by name.
        pythons: The interpreter of each side's environment.
        cells: The cells by name.
        margin: The least growth that counts.
        budget_s: Seconds that it may take.
        network: The network that trials are in.
    """

    checkout: Checkout
    worktrees: Mapping[str, Worktree]
    pythons: Mapping[str, Path]
    cells: Mapping[str, CellBaseline]
    margin: float
    budget_s: float
    network: Network = Network.SHARED


def compare(comparison: Comparison, progress: Callable[[int, int], None]) -> list[CellVerdict]:
    """Measure until each cell is decided, or the budget is spent.

    Args:
        comparison: What, and where.
        progress: Told after each block how many there were, and how many cells are open.

    Returns:
        A verdict for each cell. One that crashes, is missing, fails, or faces another workload
        on one side could not be judged.
    """
    began_s = time.monotonic()
    targets = tuple(dict.fromkeys(each.cell.target for each in comparison.cells.values()))
    try:
        workloads, not_judged = _calibrate(comparison, targets)
        measured = _Measured(comparison, workloads)
        longest_s = 0.0
        while measured.open_cells and measured.blocks < MOST_BLOCKS:
            block_began_s = time.monotonic()
            # A block that does not fit is not begun, unless no verdict is possible without it.
            spent_s = block_began_s - began_s
            if measured.blocks >= min(LOOKS) and spent_s + longest_s > comparison.budget_s:
                break
            measured.block(targets)
            longest_s = max(longest_s, time.monotonic() - block_began_s)
            progress(measured.blocks, len(measured.open_cells))
    except TrialError as error:
        return [not_measured(name, str(error), TIER) for name in comparison.cells]
    judged = {each.cell: each for each in (*not_judged, *measured.verdicts())}
    return [judged[name] for name in comparison.cells]


class _Measured:
    """The log-ratios so far."""

    def __init__(self, comparison: Comparison, workloads: Mapping[str, Workload]) -> None:
        self._comparison = comparison
        self._workloads = workloads
        self._log_ratios: dict[str, list[float]] = {name: [] for name in workloads}
        self._control: list[float] = []
        self._decided: dict[str, Verdict] = {}
        self.blocks = 0

    @property
    def open_cells(self) -> list[str]:
        """The cells that are not decided yet."""
        return [name for name in self._workloads if name not in self._decided]

    def block(self, targets: Sequence[str]) -> None:
        """Measure one block, and decide what can be decided."""
        # The same lots for the same two commits: a run can be repeated.
        lots = random.Random(f"{self._comparison.checkout.head}/{self.blocks}")
        in_turn = self.open_cells[self.blocks % len(self.open_cells)]
        with ExitStack() as scope:
            sides = _start(self._comparison, targets, lots.randrange(1, 2**32), scope)
            for name in lots.sample(self.open_cells, len(self.open_cells)):
                workload = self._workloads[name]
                self._log_ratios[name].append(_log_ratio(workload, sides[BASE], sides[HEAD], lots))
                if name == in_turn:
                    once = replace(workload, rounds=1)  # what tells sides apart shows in few
                    self._control.append(_log_ratio(once, sides[BASE], sides[SAME], lots))
        self.blocks += 1
        self._decided |= decide(self._log_ratios, self._decided, self._comparison.margin)

    def verdicts(self) -> list[CellVerdict]:
        """Return a verdict for each cell."""
        margin = self._comparison.margin
        for name in self.open_cells:
            self._decided[name] = conclude(self._log_ratios[name], margin)
        if not self._control:
            return []
        differs = control_differs(self._control)
        control = estimate_of(self._control)
        return [
            _without_verdict(name, estimate_of(values), control)
            if differs
            else _verdict(name, self._decided[name], estimate_of(values), margin)
            for name, values in self._log_ratios.items()
        ]


def _calibrate(
    comparison: Comparison, targets: Sequence[str]
) -> tuple[dict[str, Workload], list[CellVerdict]]:
    """Run each cell once on each side: does it work, is it one workload, how long does it take?"""
    workloads, not_judged = {}, []
    with ExitStack() as scope:
        sides = _start(comparison, targets, 0, scope)
        for name, cell in comparison.cells.items():
            try:
                workloads[name] = _workload(cell.cell, sides[BASE], sides[HEAD])
            except TrialError as error:
                not_judged.append(not_measured(name, str(error), TIER))
    return workloads, not_judged


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


def _start(
    comparison: Comparison, targets: Sequence[str], hash_seed: int, scope: ExitStack
) -> dict[str, Side]:
    sides = {
        name: scope.enter_context(
            running_side(
                worktree,
                comparison.checkout,
                comparison.pythons[name],
                targets,
                hash_seed,
                network=comparison.network,
            )
        )
        for name, worktree in comparison.worktrees.items()
    }
    for side in sides.values():
        side.ready()
    return sides


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


def _verdict(name: str, verdict: Verdict, estimate: Estimate, margin: float) -> CellVerdict:
    change = _change(estimate)
    if verdict in (Verdict.REGRESSED, Verdict.IMPROVED):
        return CellVerdict(name, verdict, (change,), tier=TIER)
    if verdict is Verdict.INCONCLUSIVE:
        reason = Reason(kind=ReasonKind.TOO_NOISY, change=change, limit=2 * margin)
        return CellVerdict(name, verdict, reason=reason, tier=TIER)
    return CellVerdict(name, verdict, notes=(Note(NoteKind.MEASURED, change),), tier=TIER)


def _without_verdict(name: str, estimate: Estimate, control: Estimate) -> CellVerdict:
    reason = Reason(kind=ReasonKind.CONTROL_DIFFERS, change=_change(estimate), control=control)
    return CellVerdict(name, Verdict.INCONCLUSIVE, reason=reason, tier=TIER)


def _change(estimate: Estimate) -> Change:
    return Change(
        kind=ChangeKind.CPU,
        is_worse=estimate.ratio > 1,
        before=1.0,
        after=estimate.ratio,
        estimate=estimate,
    )
