"""A run whose trials are measured on many workers at one time."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count

from ..results.node import Node, NodeKind
from ..results.records import CellResult, Finding, Run
from ..results.trial_file import KeptTrials, NoTrialsKept
from ..results.trial_result import TrialResult
from ..runner.cell_state import CellState, wanting_more
from ..runner.measurement import Measurement, Observer, RunHeader, Wiring
from ..runner.plan import in_turn
from ..runner.shards import with_idle_processes
from ..runner.solo import SoloSessions
from ..statistics.stopping import Sampling
from ..trial.spec import NotApplicable, TrialSpec
from .leases import Cluster, Worker
from .losses import Losses
from .schedule import PlannedTrial, Schedule, units_of
from .workers import Ended, Event, Leased, Lost, NotLeased, Stopped, Workers

_MOST_VAIN_LEASES = 3
"""So many workers one after the other that are lost before they have run anything: a cluster on
which none can."""


def run_cells_on(
    cluster: Cluster,
    header: RunHeader,
    specs: Sequence[TrialSpec],
    *,
    sampling: Sampling,
    solo: SoloSessions,
    observer: Observer,
    save: Callable[[Run], None],
    kept: KeptTrials | None = None,
    now_s: Callable[[], float] = time.monotonic,
    more: Callable[[Sequence[CellResult]], Sequence[TrialSpec]] = lambda _: (),
) -> tuple[Run, bool]:
    """Run the cells as ``run_cells`` does, on all the workers that a cluster lends.

    Args:
        cluster: Lends workers; it is closed by whoever has opened it.
        header: As for ``run_cells``, as are those that are not named here.
        specs: The cells.
        sampling: How many trials each gets.
        solo: Holds trials that play no script against their sessions alone.
        observer: Told how it gets on, from this thread.
        save: Called with the run, once.
        kept: Where trials are kept.
        now_s: Reads the time that a budget is spent in.
        more: Names further cells.

    Returns:
        The run, and whether it was interrupted.

    Raises:
        TargetError: A target cannot be used.
    """

    def run(worker: Worker, spec: TrialSpec, then: TrialSpec | None) -> TrialResult | NotApplicable:
        found = worker.run(spec, then)
        if isinstance(found, TrialResult):
            found = replace(found, nodes=(worker.node,))
        return solo.held(spec, found, worker)

    wiring = Wiring(
        header=header,
        sampling=sampling,
        observer=observer,
        save=save,
        kept=NoTrialsKept() if kept is None else kept,
        now_s=now_s,
    )
    measurement = _ManyAtOnce(wiring, cluster.size, Workers(cluster, run))
    try:
        return measurement.run(specs, more)
    finally:
        measurement.close()


class _ManyAtOnce(Measurement):
    """A measurement whose trials are run by workers, many at one time.

    Args:
        wiring: What it is connected to.
        size: How many workers.
        workers: Begins them.
    """

    def __init__(self, wiring: Wiring, size: int, workers: Workers) -> None:
        super().__init__(wiring)
        self._size = size
        self._workers = workers
        self._nodes: dict[int, Node] = {}
        self._kinds = Counter[NodeKind]()
        self._idle: dict[int, NodeKind] = {}
        self._beginning: set[int] = set()
        self._losses = Losses()
        self._vain_leases = 0
        self._ended_with = "none of its nodes has a core"

    def close(self) -> None:
        """Let the workers go."""
        self._workers.close(self._idle)

    def _run_turns(self, added: Sequence[CellState]) -> None:
        for state in added:
            if (idle := with_idle_processes(state.spec)) is not None:
                self._tell_begin(state)
                self._take(state, idle)
        had = {id(state): state.trial_count for state in added}
        turns = range(max((state.fewest_trials for state in added), default=0))
        units = [
            unit
            for turn in turns
            for unit in units_of(
                [each for each in added if had[id(each)] <= turn < each.fewest_trials], turn
            )
        ]

        def is_due(trial: PlannedTrial) -> bool:
            has_time = self._sampling.has_time(trial.turn, self._spent_s, self._done)
            return trial.state.wants_more and has_time

        self._run_schedule(Schedule(units, is_due))

    def _refine(self) -> None:
        for turn in count(self._sampling.trials):
            wanting = wanting_more(in_turn(self._states, turn))
            if not wanting or not self._size or not self._is_in_time():
                return
            units = units_of(wanting, turn)
            self._run_schedule(Schedule(units, lambda _: self._is_in_time()))

    def _is_in_time(self) -> bool:
        return self._sampling.is_in_time(self._spent_s, self._done)

    def _run_schedule(self, schedule: Schedule) -> None:
        """Run what a schedule has, to its end."""
        while not schedule.is_over():
            if not self._size:
                self._give_up(schedule)
                return
            self._begin_workers()
            self._give_tasks(schedule)
            if schedule.is_over():
                return
            self._take_all(self._ended_by(self._workers.events.get(), schedule))

    def _give_tasks(self, schedule: Schedule) -> None:
        """Let the workers that are idle run what there is for them."""
        without_work: set[NodeKind] = set()
        for number, kind in tuple(self._idle.items()):
            # What one of a kind does not get, no other of it gets, unless it has begun a unit.
            if kind in without_work and not schedule.holds(number):
                continue
            task = schedule.next_task(number, kind, self._kinds)
            if task is None:
                without_work.add(kind)
                continue
            del self._idle[number]
            self._tell_begin(task.trial.state)
            self._workers.give(number, task.spec, schedule.upcoming(number))

    def _begin_workers(self) -> None:
        """Begin as many workers as the cluster lends, as long as it lends any."""
        while len(self._nodes) + len(self._beginning) < self._size:
            self._beginning.add(self._workers.begin())

    def _ended_by(self, event: Event, schedule: Schedule) -> Iterable[PlannedTrial | None]:
        """Take in what a worker tells; return the trials that have ended by it."""
        match event:
            case Leased(number, node):
                self._beginning.discard(number)
                self._nodes[number] = node
                self._kinds[node.kind] += 1
                self._idle[number] = node.kind
            case Ended(number, outcome):
                self._vain_leases = 0
                self._idle[number] = self._nodes[number].kind
                return (schedule.ended(number, outcome),)
            case Lost(number, reason):
                node = self._nodes.pop(number)
                self._kinds -= Counter((node.kind,))
                self._idle.pop(number, None)
                self._vain_leases += 1
                failed = schedule.lost(number, f"{node.host}: {reason}")
                self._losses.add(node.host, reason, is_repeated=failed is None)
                if self._vain_leases > _MOST_VAIN_LEASES * self._size:
                    self._lend_no_more(reason)
                return (failed,)
            case NotLeased(number, reason):
                self._beginning.discard(number)
                self._lend_no_more(reason)
            case Stopped(_, error):
                raise error
        return ()

    def _lend_no_more(self, reason: str) -> None:
        """Go on with the workers that there are."""
        self._size = len(self._nodes) + len(self._beginning)
        self._ended_with = reason

    def _give_up(self, schedule: Schedule) -> None:
        """Let the cells fail that have no trial: no worker is left, nor will there be one."""
        for trial in schedule.give_up(f"the cluster has no worker any more: {self._ended_with}"):
            if not trial.state.trial_count:
                self._take_all((trial,))

    def _take_all(self, trials: Iterable[PlannedTrial | None]) -> None:
        for trial in trials:
            # Of a cell that has failed, trials of later turns may have been under way.
            if trial is not None and trial.outcome and not trial.state.has_come_to_nothing:
                self._take(trial.state, trial.outcome, trial.turn)

    def _findings(self) -> tuple[Finding, ...]:
        return self._losses.findings()
