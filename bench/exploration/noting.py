"""What sessions do otherwise than alone, where that may be right: told as notes, counted.

To know it takes a run of the sessions alone on the latencies of the schedule. Where a failure asks
for one anyway it is used. Of the other schedules the first ones are compared with such a run: one
in ten of all that there are to be, and only if a session fails or makes another number of calls
than usual.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ..results.case import Case
from ..results.exploration import Failure, FailureKind, MayDiffer, Note
from ..results.trial_result import TrialResult
from ..trial.spec import TrialSpec
from .checking import Odd, compared, differences

_ONE_IN = 10
_FEWEST = 3
_NOTED = FailureKind.OTHER_OUTCOME, FailureKind.OTHER_CALLS


def most_alone(schedules: int) -> int:
    """Return how often the sessions are run alone for notes, at most."""
    return max(_FEWEST, schedules // _ONE_IN)


@dataclass(slots=True)
class _Seen:
    """Notes of one kind."""

    first: Failure
    case: Case
    schedules: int = 0
    sessions: int = 0
    reasons: Counter[MayDiffer] = field(default_factory=Counter)

    def note(self) -> Note:
        return Note(
            kind=self.first.kind,
            schedules=self.schedules,
            sessions=self.sessions,
            reasons=tuple(
                (reason, self.reasons[reason]) for reason in MayDiffer if self.reasons[reason]
            ),
            first=self.first,
            case=self.case,
        )


class Noting:
    """Collects the notes of an exploration.

    Attributes:
        not_compared: In how many schedules a session failed, or made another number of calls than
            usual, and was not compared with itself alone.

    Args:
        most_alone: How often the sessions may be run alone for notes.
    """

    def __init__(self, most_alone: int) -> None:
        self._left = most_alone
        self._seen: dict[FailureKind, _Seen] = {}
        self.not_compared = 0

    def take(
        self, case: Case, spec: TrialSpec, odd: Odd, alone: Callable[[], TrialResult | None]
    ) -> None:
        """Note what the sessions of a schedule did otherwise than alone.

        Args:
            case: The schedule.
            spec: Its trial.
            odd: Those of its sessions that may have done so, where that may be right.
            alone: Runs them alone on the same latencies.
        """
        if not odd.samples:
            return
        if odd.reference is None:
            reference = alone() if self._left > 0 else None
            self._left -= 1
            if reference is None:
                self.not_compared += 1
                return
            odd = compared(odd, reference, spec)
        found = [each for each in differences(odd) if each.kind in _NOTED]
        for kind in dict.fromkeys(each.kind for each in found):
            of_kind = [each for each in found if each.kind is kind]
            seen = self._seen.setdefault(kind, _Seen(of_kind[0], case))
            seen.schedules += 1
            seen.sessions += len(of_kind)
            seen.reasons.update(odd.reasons)

    def notes(self) -> tuple[Note, ...]:
        """Return what was noted, a kind each."""
        return tuple(each.note() for each in self._seen.values())
