"""Which trial runs next on which worker, and which result of it counts. Pure.

The trials of cells that compete are compared in pairs, and nodes differ. So a *unit*, which one
worker runs, is a turn of a contest: a trial of each of its cells, one after the other. Units are as
fine as pairs allow, so that a few large contests keep many workers busy, too. Where computing takes
no time on the clock a trial is the same on every node, and each is a unit of its own; so is each
shard of a trial that is shared out.

Units are begun turn by turn, and in a turn the largest first: what is left at the end is small. A
contest stays on nodes of one kind as long as there is a worker on one.

A part of a trial that is lost with its worker is run again, at most twice. Whichever result of it
comes first is the one that counts; any other is dropped.
"""

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from ...mocks.errors import TrialError
from ..results.node import NodeKind
from ..results.trial_result import TrialResult
from ..runner.cell_state import CellState, TrialOutcome
from ..runner.plan import in_turn
from ..runner.shards import shard_specs
from ..statistics.shards import pooled
from ..statistics.standing import contest_of
from ..trial.spec import TrialSpec

MOST_ATTEMPTS = 3
"""A trial that took so many workers with it is a failed one."""


@dataclass(eq=False, slots=True)
class PlannedTrial:
    """A trial of a cell that is to be run.

    Attributes:
        state: The cell.
        turn: Which of its trials it is.
        parts: What is run: the cell's spec, or that of each shard.
        results: What has come of each part that has ended.
        outcome: What has come of the trial, once it has ended.
        has_begun: Whether a part of it was begun: then all of them are run.
    """

    state: CellState
    turn: int
    parts: tuple[TrialSpec, ...]
    results: dict[int, TrialResult] = field(default_factory=dict)
    outcome: TrialOutcome | None = None
    has_begun: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A part of a trial, run for the first time or again.

    Attributes:
        trial: The trial.
        part: Which part.
        attempt: How often it was begun before.
    """

    trial: PlannedTrial
    part: int
    attempt: int = 0

    @property
    def spec(self) -> TrialSpec:
        """What is run."""
        return self.trial.parts[self.part]


@dataclass(eq=False, slots=True)
class Unit:
    """Tasks that one worker runs, one after the other.

    Attributes:
        contest: What the cells have in common that compete; ``None`` where nothing is compared that
            depends on the node.
        tasks: What is still to be begun.
    """

    contest: Hashable
    tasks: deque[Task]


def units_of(states: Sequence[CellState], turn: int) -> list[Unit]:
    """Return the units of a turn, the largest first.

    Args:
        states: The cells that have a trial in it, in the order of the plan.
        turn: Which of their trials it is.
    """
    contests: dict[Hashable, list[CellState]] = {}
    alone: list[Unit] = []
    for state in in_turn(states, turn):
        cell = state.spec.cell
        if cell.processes > 1:
            contest = contest_of(cell) if cell.clock.charges_cpu else None
            parts = shard_specs(state.spec)
            trial = PlannedTrial(state, turn, parts)
            alone += [Unit(contest, deque([Task(trial, part)])) for part in range(len(parts))]
        elif cell.clock.charges_cpu:
            contests.setdefault(contest_of(cell), []).append(state)
        else:
            alone.append(Unit(None, deque([Task(PlannedTrial(state, turn, (state.spec,)), 0)])))
    together = [
        Unit(
            contest,
            deque(Task(PlannedTrial(state, turn, (state.spec,)), 0) for state in of_contest),
        )
        for contest, of_contest in contests.items()
    ]
    return sorted([*together, *alone], key=_work_in, reverse=True)


def _work_in(unit: Unit) -> float:
    """Return about how long a unit takes, in a measure of its own.

    On a clock that skips, a session takes its CPU, however many there are at one time.
    """
    return sum(
        _session_count(task.spec)
        / (1 if task.spec.cell.clock.skips else task.spec.cell.concurrency)
        for task in unit.tasks
    )


def _session_count(spec: TrialSpec) -> int:
    return spec.cell.session_count if spec.only is None else len(spec.only)


class Schedule:
    """The trials that are to be run, and those under way.

    Args:
        units: What is to be run, in the order in which it is begun.
        is_due: Says of a trial that has not begun whether it is still wanted.
    """

    def __init__(self, units: Iterable[Unit], is_due: Callable[[PlannedTrial], bool]) -> None:
        self._waiting = deque(units)
        self._is_due = is_due
        self._unit_of: dict[int, Unit] = {}
        self._under_way: dict[int, Task] = {}
        self._kind_of: dict[Hashable, NodeKind] = {}

    def is_over(self) -> bool:
        """Say whether nothing is under way, and nothing is left to begin."""
        if self._under_way:
            return False
        held = any(self._drop_undue(unit) for unit in self._unit_of.values())
        return not held and self._first_due() is None

    def next_task(self, worker: int, kind: NodeKind, kinds: Collection[NodeKind]) -> Task | None:
        """Return what a worker that is idle runs next; it is under way from now on.

        Args:
            worker: Its number.
            kind: The kind of node that it is on.
            kinds: The kinds of nodes of all workers that are there.
        """
        unit = self._unit_of.get(worker)
        if unit is None or not self._drop_undue(unit):
            unit = self._take_unit(kind, kinds)
            if unit is None:
                self._unit_of.pop(worker, None)
                return None
            self._unit_of[worker] = unit
        task = unit.tasks.popleft()
        task.trial.has_begun = True
        self._under_way[worker] = task
        return task

    def holds(self, worker: int) -> bool:
        """Say whether a worker has begun a unit, and not ended it."""
        return worker in self._unit_of

    def upcoming(self, worker: int) -> TrialSpec | None:
        """Return what a worker runs after its task for sure; ``None`` if that is open."""
        unit, task = self._unit_of[worker], self._under_way[worker]
        later = next((each for each in unit.tasks if self._is_wanted(each)), None)
        return None if later is None or later.trial.state is task.trial.state else later.spec

    def ended(self, worker: int, outcome: TrialOutcome) -> PlannedTrial | None:
        """Take what came of a worker's task; return the trial if that has ended by it."""
        return self._settle(self._under_way.pop(worker), outcome)

    def lost(self, worker: int, reason: str) -> PlannedTrial | None:
        """Take that a worker was lost; return the trial under way if it has failed by that."""
        unit, task = self._unit_of.pop(worker, None), self._under_way.pop(worker, None)
        failed = None
        if task is not None:
            assert unit is not None
            if task.attempt + 1 < MOST_ATTEMPTS:
                unit.tasks.appendleft(Task(task.trial, task.part, task.attempt + 1))
            else:
                failed = self._settle(task, lost_too_often(reason))
        if unit is not None and unit.tasks:
            self._waiting.appendleft(unit)
        return failed

    def give_up(self, reason: str) -> list[PlannedTrial]:
        """Let all trials fail that have not ended; return them."""
        error = TrialError(reason)
        tasks = [*self._under_way.values()]
        units = *self._unit_of.values(), *self._waiting
        tasks += [task for unit in units for task in unit.tasks if self._is_wanted(task)]
        self._under_way.clear()
        self._unit_of.clear()
        self._waiting.clear()
        return [trial for task in tasks if (trial := self._settle(task, error)) is not None]

    def _settle(self, task: Task, outcome: TrialOutcome) -> PlannedTrial | None:
        trial = task.trial
        if trial.outcome is not None or task.part in trial.results:
            return None  # it came second, or another part has failed
        if not isinstance(outcome, TrialResult):
            trial.outcome = outcome
            return trial
        trial.results[task.part] = outcome
        if len(trial.results) < len(trial.parts):
            return None
        trial.outcome = _together(trial)
        trial.results.clear()
        return trial

    def _is_wanted(self, task: Task) -> bool:
        trial = task.trial
        if trial.outcome is not None or trial.state.has_come_to_nothing:
            return False
        return trial.has_begun or self._is_due(trial)

    def _drop_undue(self, unit: Unit) -> bool:
        """Let go of what a unit begins with and nobody wants any more; say if any is left."""
        while unit.tasks and not self._is_wanted(unit.tasks[0]):
            unit.tasks.popleft()
        return bool(unit.tasks)

    def _first_due(self) -> Unit | None:
        while self._waiting and not self._drop_undue(self._waiting[0]):
            self._waiting.popleft()
        return self._waiting[0] if self._waiting else None

    def _take_unit(self, kind: NodeKind, kinds: Collection[NodeKind]) -> Unit | None:
        self._first_due()
        for place, unit in enumerate(self._waiting):
            wanted = self._kind_of.get(unit.contest, kind)
            if self._drop_undue(unit) and (wanted == kind or wanted not in kinds):
                del self._waiting[place]
                if unit.contest is not None:
                    self._kind_of[unit.contest] = kind
                return unit
        return None


def _together(trial: PlannedTrial) -> TrialResult:
    results = [trial.results[part] for part in range(len(trial.parts))]
    if len(results) == 1:
        return results[0]
    return pooled(results, [spec.only or () for spec in trial.parts])


def lost_too_often(reason: str) -> TrialError:
    """Return what became of a trial that took too many workers with it.

    Args:
        reason: Where the last one was lost, and why.
    """
    return TrialError(f"its worker was lost {MOST_ATTEMPTS} times: {reason}")
