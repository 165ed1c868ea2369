"""What is known of a trial beside its samples, and what it says of a span of time. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...mocks.observe.waits import Wait
from ...mocks.workload.script import SessionScript, roots
from ..results.blocked_loop import BlockedLoop, Cause
from ..results.samples import SessionSample


@dataclass(frozen=True)
class Observations:
    """What is known of a trial beside its samples.

    Attributes:
        scripts: The sessions' scripts by number.
        waits: All waits, in any order; in times of the clock.
        cpu_ns: CPU time that was attributed to each session.
        blocked_loop: When an event loop was blocked.
        origin_ns: Time on the clock from which the samples count.
        cores: As for ``ideal_latencies_ns``.
        idle_is_known: Whether the waits tell how long nobody computed; where a server in
            another process noted them, they do not.
        places: How many sessions the strategy lets be in flight; ``None`` for any number.
    """

    scripts: Mapping[int, SessionScript]
    waits: Sequence[Wait]
    cpu_ns: Mapping[int, int]
    blocked_loop: Sequence[BlockedLoop]
    origin_ns: int
    cores: int
    idle_is_known: bool = True
    places: int | None = None

    @cached_property
    def waits_of(self) -> Mapping[int, Sequence[Wait]]:
        """The waits of each session, with those of the sessions nested in it."""
        root_of = roots(self.scripts.values())
        waits: defaultdict[int, list[Wait]] = defaultdict(list)
        for wait in self.waits:
            if wait.session in root_of:
                waits[root_of[wait.session]].append(wait)
        return dict(waits)


class IdleTimes:
    """How long nobody computed between two states of a session at which that was read.

    Args:
        sample: The session.
        waits: Its waits.
        begin_ns: Its begin, on the clock.
        end_ns: Its end.
    """

    def __init__(
        self, sample: SessionSample, waits: Iterable[Wait], begin_ns: int, end_ns: int
    ) -> None:
        self._read = {begin_ns: sample.idle_at_start_ns}
        for wait in waits:
            self._read[wait.start_ns] = wait.idle_at_start_ns
            self._read[wait.end_ns] = wait.idle_at_end_ns
        self._read[end_ns] = sample.idle_at_end_ns

    def between(self, begin_ns: int, end_ns: int) -> int:
        """Return it for two states; 0 where one of them was not read."""
        before_ns, after_ns = self._read.get(begin_ns), self._read.get(end_ns)
        if before_ns is None or after_ns is None:
            return 0
        return min(max(0, after_ns - before_ns), end_ns - begin_ns)


class BlockedTimes:
    """When an event loop was blocked by waiting, and by which session.

    Computing is left out: it shows in the CPU time of whoever does it.

    Args:
        segments: When, in any order.
    """

    def __init__(self, segments: Iterable[BlockedLoop]) -> None:
        waiting = (each for each in segments if each.cause is Cause.WAITING)
        self._segments = sorted(waiting, key=lambda each: each.end_ns)
        self._ends_ns = [each.end_ns for each in self._segments]

    def by_others_ns(self, begin_ns: int, end_ns: int, session: int) -> int:
        """For how long somebody else's code blocked it in a span of time."""
        blocked_ns = 0
        for each in self._segments[bisect_right(self._ends_ns, begin_ns) :]:
            if each.start_ns >= end_ns:
                break
            if each.session != session:
                blocked_ns += min(each.end_ns, end_ns) - max(each.start_ns, begin_ns)
        return blocked_ns
