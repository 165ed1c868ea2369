"""The deadlines of parked participants, the earliest first; the clock's mutex is held."""

from heapq import heapify, heappop, heappush
from itertools import count

from .participants import Parking, Participant

_FEW = 64


class Deadlines:
    """A heap of deadlines.

    Waits that end early leave their entries behind. An entry is live if it has its participant's
    sequence number, which each wait sets anew: so each participant has at most one.
    """

    __slots__ = ("_entries", "_most", "_sequence")

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Participant]] = []
        self._most = _FEW
        self._sequence = count()

    def park(self, participant: Participant, parking: Parking, deadline_ns: int | None) -> None:
        """Let a participant be parked at ``parking``, until ``deadline_ns`` if there is one."""
        participant.parking = parking
        participant.deadline_ns = deadline_ns
        participant.sequence = sequence = next(self._sequence)
        if deadline_ns is not None:
            heappush(self._entries, (deadline_ns, sequence, participant))
            if len(self._entries) > self._most:
                self._forget_left()

    def earliest(self) -> Participant | None:
        """Return the participant whose deadline comes first; of equal ones, who parked first."""
        entries = self._entries
        while entries and entries[0][2].sequence != entries[0][1]:
            heappop(entries)
        return entries[0][2] if entries else None

    def clear(self) -> None:
        """Forget them all."""
        self._entries.clear()

    def _forget_left(self) -> None:
        self._entries = [entry for entry in self._entries if entry[2].sequence == entry[1]]
        heapify(self._entries)
        # Twice as many: so the cost of this is spread over as many waits.
        self._most = 2 * len(self._entries) + _FEW
