"""The time tier: CPU seconds per session of two commits, measured in turn on one machine.

Blocks (``blocks``) are measured until ``sequential_test`` has decided on each cell, or the budget
ends. A block that the budget cuts short is dropped as a whole, so that no measurement is left out
for its value. If the A/A control has fired, something other than the code makes the sides differ,
and no verdict is given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from ....mocks.errors import TrialError
from ...results.cell import Cell
from ...results.verdict import (
    CellVerdict,
    Change,
    ChangeKind,
    Effort,
    Estimate,
    Note,
    NoteKind,
    Reason,
    ReasonKind,
    Verdict,
    not_measured,
)
from .blocks import Block, Workload, calibrate, measure_block
from .budget import Budget, BudgetSpent
from .sequential_test import (
    FIRST_LOOK,
    MOST_BLOCKS,
    SequentialTest,
    can_regress,
    control_differs,
    estimate_of,
    fewest_blocks,
)
from .side import Sides

TIER = "time"
_BLOCKS_THAT_TELL_A_DURATION = 2
_MAY_SPEED_UP = 2.0
"""How many times faster than the fastest block so far further ones may be, on a machine that was
busy and no longer is."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and how.

    Attributes:
        sides: Starts the sides.
        cells: The cells by name.
        margin: The least growth that counts.
        budget: The time that it may take.
        lot: What is drawn by lot follows from it: for the same two commits it is the same.
    """

    sides: Sides
    cells: Mapping[str, Cell]
    margin: float
    budget: Budget
    lot: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What came out.

    Attributes:
        verdicts: A verdict on each cell.
        effort: What it took.
    """

    verdicts: tuple[CellVerdict, ...]
    effort: Effort


def compare(comparison: Comparison, progress: Callable[[int, int], None]) -> Compared:
    """Measure until each cell is decided, or the budget is spent.

    Args:
        comparison: What, and how.
        progress: Told after each block how many there were, and how many cells are open.

    Returns:
        A verdict for each cell. One that crashes, is missing, fails, or faces another workload
        on one side could not be judged.
    """
    try:
        workloads, errors = calibrate(comparison.cells, comparison.sides)
        measured = _Measured(comparison, workloads)
        measured.run(progress)
    except BudgetSpent:
        return nothing_compared(comparison.cells, comparison.budget)
    except TrialError as error:
        found = (not_measured(name, str(error), TIER) for name in comparison.cells)
        return Compared(tuple(found), _effort(comparison.budget, 0, is_cut=False, undecided=0))
    not_judged = [not_measured(name, str(error), TIER) for name, error in errors.items()]
    judged = {each.cell: each for each in (*not_judged, *measured.verdicts())}
    return Compared(tuple(judged[name] for name in comparison.cells), measured.effort)


def nothing_compared(cells: Mapping[str, Cell], budget: Budget) -> Compared:
    """Return what is to be said if the budget ended before the first block began."""
    reason = Reason(
        kind=ReasonKind.TOO_FEW_BLOCKS,
        blocks=0,
        needed_blocks=fewest_blocks(len(cells)),
        cells=len(cells),
        budget_s=budget.total_s,
    )
    verdicts = tuple(
        CellVerdict(name, Verdict.INCONCLUSIVE, reason=reason, tier=TIER) for name in cells
    )
    return Compared(verdicts, _effort(budget, 0, is_cut=True, undecided=len(cells)))


class _Measured:
    """The log-ratios so far, and what they have decided."""

    def __init__(self, comparison: Comparison, workloads: Mapping[str, Workload]) -> None:
        self._comparison = comparison
        self._budget = comparison.budget
        self._workloads = workloads
        self._log_ratios: dict[str, list[float]] = {name: [] for name in workloads}
        self._control: list[float] = []
        self._test = SequentialTest(tuple(workloads), comparison.margin)
        self._blocks_s: list[float] = []
        self._set_up_s = self._budget.spent_s

    @property
    def effort(self) -> Effort:
        """What it has taken."""
        undecided = len(self._test.open_cells)
        is_cut = undecided > 0 and len(self._control) < MOST_BLOCKS
        return _effort(self._budget, len(self._control), is_cut=is_cut, undecided=undecided)

    def run(self, progress: Callable[[int, int], None]) -> None:
        """Measure blocks until all cells are decided, or no further block fits."""
        while self._test.open_cells and self._has_room():
            began_s = self._budget.spent_s
            try:
                block = self._block()
            except BudgetSpent:
                break
            self._blocks_s.append(self._budget.spent_s - began_s)
            self._control.append(block.control)
            for name, value in block.log_ratios.items():
                self._log_ratios[name].append(value)
            self._look(is_last=not self._has_room())
            progress(len(self._control), len(self._test.open_cells))
        self._look(is_last=True)

    def verdicts(self) -> list[CellVerdict]:
        """Return a verdict for each cell."""
        differs = control_differs(self._control)
        return [
            self._without_verdict(name) if differs else self._verdict(name)
            for name in self._workloads
        ]

    def _block(self) -> Block:
        workloads = {name: self._workloads[name] for name in self._test.open_cells}
        comparison = self._comparison
        return measure_block(workloads, comparison.sides, comparison.lot, len(self._control))

    def _look(self, *, is_last: bool) -> None:
        self._test.look(self._log_ratios, self._control, is_last=is_last)

    def _has_room(self) -> bool:
        """Say whether a further block is wanted, and likely to fit into the budget."""
        if len(self._control) >= MOST_BLOCKS:
            return False
        if len(self._blocks_s) < _BLOCKS_THAT_TELL_A_DURATION:
            return True
        # Without the blocks that a first look takes, all others are in vain.
        until_a_look_s = (FIRST_LOOK - len(self._control)) * min(self._blocks_s) / _MAY_SPEED_UP
        return self._budget.left_s >= max(median(self._blocks_s), until_a_look_s)

    def _verdict(self, name: str) -> CellVerdict:
        verdict = self._test.decided.get(name)
        if verdict is None:
            reason = self._reason(name)
            return CellVerdict(name, Verdict.INCONCLUSIVE, reason=reason, tier=TIER)
        change = self._change(name)
        assert change is not None  # it is decided on its blocks
        if verdict in (Verdict.REGRESSED, Verdict.IMPROVED):
            return CellVerdict(name, verdict, (change,), tier=TIER)
        return CellVerdict(name, verdict, notes=(Note(NoteKind.MEASURED, change),), tier=TIER)

    def _reason(self, name: str) -> Reason:
        """Say what has kept a cell open."""
        margin, cells = self._comparison.margin, len(self._workloads)
        values, change = self._log_ratios[name], self._change(name)
        if not can_regress(len(values), cells):
            return Reason(
                kind=ReasonKind.TOO_FEW_BLOCKS,
                change=change,
                blocks=len(values),
                needed_blocks=fewest_blocks(cells),
                cells=cells,
                budget_s=self._budget.total_s,
                needed_s=self._needed_s(fewest_blocks(cells)),
            )
        bias = self._test.bias_in_the_way(values, self._control)
        if bias is not None:
            control = estimate_of(self._control)
            return Reason(
                kind=ReasonKind.CONTROL_TOO_NOISY, change=change, limit=bias, control=control
            )
        return Reason(kind=ReasonKind.TOO_NOISY, change=change, limit=2 * margin)

    def _without_verdict(self, name: str) -> CellVerdict:
        control = estimate_of(self._control)
        reason = Reason(kind=ReasonKind.CONTROL_DIFFERS, change=self._change(name), control=control)
        return CellVerdict(name, Verdict.INCONCLUSIVE, reason=reason, tier=TIER)

    def _change(self, name: str) -> Change | None:
        values = self._log_ratios[name]
        return _change(estimate_of(values)) if values else None

    def _needed_s(self, blocks: int) -> float | None:
        """Return about which budget so many blocks take, as blocks went so far."""
        if not self._blocks_s:
            return None
        return self._budget.total_for_s(self._set_up_s + blocks * median(self._blocks_s))


def _effort(budget: Budget, blocks: int, *, is_cut: bool, undecided: int) -> Effort:
    return Effort(
        blocks=blocks,
        spent_s=budget.spent_s,
        budget_s=budget.total_s,
        is_cut=is_cut,
        undecided=undecided,
    )


def _change(estimate: Estimate) -> Change:
    return Change(
        kind=ChangeKind.CPU,
        is_worse=estimate.ratio > 1,
        before=1.0,
        after=estimate.ratio,
        estimate=estimate,
    )
