"""Runs every cell of a plan, trial by trial, and keeps what is finished."""

import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Protocol

from ...mocks.errors import TrialError
from ..results.records import CellResult, Run
from ..results.trial_file import KeptTrials, NoTrialsKept
from ..results.trial_result import TrialResult
from ..statistics.stopping import Sampling
from ..trial.spec import NotApplicable, TrialSpec
from .cell_state import CellState, TrialOutcome, wanting_more
from .measurement import Measurement, Observer, RunHeader, Wiring
from .plan import in_turn


class Trials(Protocol):
    """What runs a trial: processes, or a fake of them in a test."""

    def run(self, spec: TrialSpec, then: TrialSpec | None = None) -> TrialResult | NotApplicable:
        """Run one trial; raise ``TrialError`` if it comes to nothing.

        Args:
            spec: The trial.
            then: The trial that is run next for sure, and may be prepared already; ``None`` if
                that is open.
        """
        ...


class TrialsTogether(Trials, Protocol):
    """What runs trials, and several at one time."""

    def run_together(
        self, specs: Sequence[TrialSpec], at_start: Callable[[], object] = lambda: None
    ) -> tuple[TrialResult | NotApplicable, ...]:
        """Run trials that begin at one moment; raise ``TrialError`` if one comes to nothing.

        Args:
            specs: The trials.
            at_start: Called once when all of them have warmed up, before any measures.
        """
        ...


def run_cells(
    header: RunHeader,
    specs: Sequence[TrialSpec],
    *,
    sampling: Sampling,
    runner: Trials,
    observer: Observer,
    save: Callable[[Run], None],
    kept: KeptTrials | None = None,
    now_s: Callable[[], float] = time.monotonic,
    more: Callable[[Sequence[CellResult]], Sequence[TrialSpec]] = lambda _: (),
) -> tuple[Run, bool]:
    """Run the cells, their trials taking turns; keep each trial as it ends, the run at its end.

    A cell whose trial fails is a failed cell with the reason; the others go on. Ctrl-C,
    and a SIGTERM likewise, ends the run with what is finished.

    Args:
        header: Goes into the run as it is.
        specs: The cells.
        sampling: How many trials each gets.
        runner: Runs a trial.
        observer: Told how it gets on.
        save: Called with the run, once, when it has ended or is interrupted.
        kept: Where trials are kept as they end, and those of an earlier start are taken from.
        now_s: Reads the time that a budget is spent in.
        more: Names further cells by the results so far, until it has none.

    Returns:
        The run, and whether it was interrupted.

    Raises:
        TargetError: A target cannot be used.
    """
    wiring = Wiring(
        header=header,
        sampling=sampling,
        observer=observer,
        save=save,
        kept=NoTrialsKept() if kept is None else kept,
        now_s=now_s,
    )
    return _OneAtATime(wiring, runner).run(specs, more)


class _OneAtATime(Measurement):
    """A measurement whose trials are run one after the other.

    Args:
        wiring: What it is connected to.
        runner: Runs a trial.
    """

    def __init__(self, wiring: Wiring, runner: Trials) -> None:
        super().__init__(wiring)
        self._runner = runner

    def _run_turns(self, added: Sequence[CellState]) -> None:
        turns = range(max((state.fewest_trials for state in added), default=0))
        plan = [(turn, state) for turn in turns for state in in_turn(added, turn)]
        for place, (turn, state) in enumerate(plan):
            if state.is_due(turn) and self._sampling.has_time(turn, self._spent_s, self._done):
                later = (plan[number] for number in range(place + 1, len(plan)))
                upcoming = next((each for turn, each in later if each.is_due(turn)), None)
                # Whether this very cell wants another trial is only known after this one.
                self._run_trial(
                    state, None if upcoming is None or upcoming is state else upcoming.spec
                )

    def _refine(self) -> None:
        for turn in count(self._sampling.trials):
            wanting = wanting_more(in_turn(self._states, turn))
            if not wanting:
                return
            for state in wanting:
                if not self._sampling.is_in_time(self._spent_s, self._done):
                    return
                self._run_trial(state)

    def _run_trial(self, state: CellState, then: TrialSpec | None = None) -> None:
        self._tell_begin(state)
        self._take(state, outcome_of(self._runner, state.spec, then))


def outcome_of(runner: Trials, spec: TrialSpec, then: TrialSpec | None) -> TrialOutcome:
    """Run one trial, and return what came of it, as a value also where it failed.

    Raises:
        TargetError: A target cannot be used.
    """
    try:
        return runner.run(spec, then)
    except TrialError as error:
        return error
