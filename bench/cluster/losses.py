"""The workers that were lost, as a run tells of them."""

from dataclasses import dataclass

from ..results.finding_text import finding
from ..results.records import Finding, FindingKind


@dataclass(frozen=True, slots=True)
class _First:
    host: str
    reason: str


class Losses:
    """Counts workers that were lost, and the trials that are run again for that."""

    def __init__(self) -> None:
        self._lost = 0
        self._repeated = 0
        self._first: _First | None = None

    def add(self, host: str, reason: str, *, is_repeated: bool) -> None:
        """Take in a worker that was lost.

        Args:
            host: The node that it was on.
            reason: What is known of its end.
            is_repeated: Whether a trial that it took with it is run again.
        """
        self._lost += 1
        self._repeated += is_repeated
        self._first = self._first or _First(host, reason)

    def findings(self) -> tuple[Finding, ...]:
        """Return the warning about them, if there are any."""
        if self._first is None:
            return ()
        return (
            finding(
                FindingKind.WORKER_LOST,
                lost=self._lost,
                repeated=self._repeated,
                host=self._first.host,
                reason=self._first.reason,
            ),
        )
