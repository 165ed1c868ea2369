"""The warp clock: idle time is skipped, computing costs what it costs.

``now = monotonic + skipped``. When no participant runs, ``skipped`` grows by the distance
to the earliest deadline. All participants that can run do run, under the interpreter's own
GIL, so that queueing behind a busy loop or a busy GIL shows as it would in real time.

While somebody computes, deadlines also pass by real time. So each parked participant waits
at its gate with a real timeout. A skip makes these timeouts too long; waking everybody to
correct them would cost a storm of context switches, and only the earliest matters: it alone
is *timed anew*. Whoever leaves, for whatever reason, sees to it that the next one is.
"""

from threading import TIMEOUT_MAX

from .participants import Leave, Parking, Participant
from .protocol import ClockMode, seconds
from .real_locks import real_acquire
from .real_time import real_monotonic_ns
from .skipping import SkippingClock
from .threads.cpu_burn import burn_thread_cpu_ns

_SIGNALS_SEEN_WITHIN_S = 1.0
"""Python notices a signal when a wait for a lock ends, but not one that came just before it
began. An event loop has a pipe for that; here the root looks up now and then (in ``virtual``,
to find stalls)."""


class WarpClock(SkippingClock):
    """Skips waiting but not computing; see ``Clock``."""

    mode = ClockMode.WARP

    def __init__(self) -> None:
        super().__init__()
        self._skipped_ns = 0
        self._running = 0

    def now_ns(self) -> int:
        """Return the system's monotonic time plus what was skipped, in nanoseconds."""
        return real_monotonic_ns() + self._skipped_ns

    def idle_ns(self) -> int:
        """Return what was skipped, in nanoseconds."""
        return self._skipped_ns

    def burn_ns(self, duration_ns: int) -> None:
        """Spend ``duration_ns`` of this thread's CPU time; the clock sees it pass."""
        burn_thread_cpu_ns(duration_ns)

    def _park(self, parking: Parking, deadline_ns: int | None) -> Leave:
        participant = parking.participant
        try:
            with self.mutex.section:
                leave = self._leave_at_once(parking, deadline_ns)
                if leave is not None:
                    return leave
                if deadline_ns is not None and deadline_ns <= self.now_ns():
                    return Leave.DEADLINE
                self._deadlines.park(participant, parking, deadline_ns)
                participant.skipped_when_timed_ns = self._skipped_ns
                if not participant.ended:
                    self._running -= 1
                    self._skip_if_idle()
            while not self._has_left(participant):
                real_acquire(participant.gate, True, self._timeout_s(participant))
        except BaseException:
            with self.mutex.section:
                if participant.parking is parking:
                    self._release(parking)
            raise
        with self.mutex.section:
            participant.raise_error()
        return participant.leave

    def _has_left(self, participant: Participant) -> bool:
        with self.mutex.section:
            participant.shut_gate()
            if participant.parking is not None and participant.deadline_ns is not None:
                # Timed by this very moment, which is what invariant 4 asks of the earliest.
                participant.skipped_when_timed_ns = self._skipped_ns
                self._release_due()
        self.mutex.catch_up()
        return participant.parking is None

    def _timeout_s(self, participant: Participant) -> float:
        deadline_ns = participant.deadline_ns
        longest_s = _SIGNALS_SEEN_WITHIN_S if participant is self.root else TIMEOUT_MAX
        if deadline_ns is None:
            return longest_s
        return min(seconds(max(0, deadline_ns - self.now_ns())), longest_s)

    # ---- the mutex is held ------------------------------------------------------------

    def _skip_if_idle(self) -> None:
        if self._running > 0:
            return
        deadline_ns = self._next_deadline_ns()
        if deadline_ns is None:
            return
        self._skipped_ns += max(0, deadline_ns - self.now_ns())
        self._release_due()

    def _release_due(self) -> None:
        now_ns = self.now_ns()
        while (earliest := self._deadlines.earliest()) is not None:
            if earliest.deadline_ns is None or earliest.deadline_ns > now_ns:
                return
            self._make_runnable(earliest, Leave.DEADLINE)

    def _make_runnable(self, participant: Participant, leave: Leave) -> None:
        self._running += 1
        participant.set_runnable(leave)
        participant.open_gate()
        earliest = self._deadlines.earliest()
        if earliest is not None and earliest.skipped_when_timed_ns != self._skipped_ns:
            earliest.open_gate()

    def _somebody_runs(self) -> bool:
        return self._running > 0

    def _on_opened(self, _root: Participant) -> None:
        self._running = 1

    def _on_admitted(self, _participant: Participant) -> None:
        self._running += 1

    def _on_dismissed(self, _participant: Participant) -> None:
        self._running -= 1  # the starter runs, so that nothing can be skipped

    def _on_begun(self, _participant: Participant) -> None:
        pass

    def _on_ended(self, _participant: Participant) -> None:
        self._running -= 1
        self._skip_if_idle()
