"""What the sessions of a test's cell are compared with, found out when somebody asks for it."""

from collections.abc import Callable

from ...mocks.errors import ClockError, TargetError, TrialError
from ..attribution.solo import held_against_solo
from ..results.played import Solo
from ..results.trial_result import TrialResult
from ..trial.solo import MOST_SOLO_SESSIONS, sessions_alone, shorter_solo, solo_specs
from ..trial.spec import NotApplicable, TrialSpec
from ..trial.trial import prepared_here


class Held:
    """A trial, held against what its sessions are compared with.

    Args:
        trial: The trial as it was measured.
        concurrency: Sessions in flight at most.
        run_alone: Runs the sessions alone, if they are not held against the script.
    """

    def __init__(self, trial: TrialResult, concurrency: int, run_alone: Callable[[], Solo]) -> None:
        self._trial = trial
        self._concurrency = concurrency
        self._run_alone = run_alone
        self.is_known = trial.played is None

    @property
    def trial(self) -> TrialResult:
        """The trial; its sessions are run alone when this is asked for first."""
        if not self.is_known:
            alone = self._run_alone().sessions
            self._trial = held_against_solo(self._trial, self._concurrency, alone)
            self.is_known = True
        return self._trial


def run_alone(spec: TrialSpec, target: object) -> Solo:
    """Run a cell's sessions one after another, in each form of the target, in this process.

    A form that cannot be run so tells nothing.
    """

    def form(alone: TrialSpec) -> Solo:
        try:
            with prepared_here(alone, target) as measure:
                trial = measure if isinstance(measure, NotApplicable) else measure()
                return sessions_alone(trial)
        except (TargetError, TrialError, ClockError):
            return Solo()

    sessions = min(spec.cell.session_count, MOST_SOLO_SESSIONS)
    return shorter_solo(form(alone) for alone in solo_specs(spec, sessions))
