"""What is known of a trial beside its samples, and what it says of a span of time. Pure."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from ...mocks.observe.refusals import Refusal
from ...mocks.observe.waits import SentRequest, Wait, WaitKind
from ...mocks.workload.numbers import session_of
from ...mocks.workload.script import SessionScript, roots
from ..results.blocked_loop import BlockedLoop, Cause
from ..results.samples import SessionSample
from .own_waits import OwnWaits

_NOTED_HERE = frozenset({WaitKind.TOOL, WaitKind.CONNECTION, WaitKind.THREAD})
"""What is noted in the trial's process where a server notes the rest."""


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
        idle_is_known: Whether all waits tell how long nobody computed; those do not that a
            server in another process noted.
        sent: The requests over sockets, as their clients saw them, in any order.
        places: How many sessions the strategy lets be in flight; ``None`` for any number.
        refusals: The requests that nothing mocks, in the order in which they were refused.
        own_waits: The waits of the sessions' own code, where each is noted.
    """

    scripts: Mapping[int, SessionScript]
    waits: Sequence[Wait]
    cpu_ns: Mapping[int, int]
    blocked_loop: Sequence[BlockedLoop]
    origin_ns: int
    cores: int
    idle_is_known: bool = True
    places: int | None = None
    sent: Sequence[SentRequest] = ()
    refusals: Sequence[Refusal] = ()
    own_waits: OwnWaits = field(default_factory=OwnWaits)

    @cached_property
    def waits_of(self) -> Mapping[int, Sequence[Wait]]:
        """The waits of each session, with those of the sessions nested in it."""
        root_of = roots(self.scripts.values())
        waits: defaultdict[int, list[Wait]] = defaultdict(list)
        for wait in self.waits:
            root = root_of.get(wait.session, session_of(wait.session))
            if root in self.scripts:
                waits[root].append(wait)
        return dict(waits)

    @cached_property
    def sent_of(self) -> Mapping[int, Sequence[SentRequest]]:
        """The requests of each session, with those of the sessions nested in it."""
        root_of = roots(self.scripts.values())
        sent: defaultdict[int, list[SentRequest]] = defaultdict(list)
        for request in self.sent:
            root = root_of.get(request.session, session_of(request.session))
            if root in self.scripts:
                sent[root].append(request)
        return dict(sent)

    @cached_property
    def refusals_of(self) -> Mapping[int, Sequence[Refusal]]:
        """The refusals of each session, with those of the sessions nested in it."""
        root_of = roots(self.scripts.values())
        refusals: defaultdict[int, list[Refusal]] = defaultdict(list)
        for refusal in self.refusals:
            root = root_of.get(refusal.session, session_of(refusal.session))
            if root in self.scripts:
                refusals[root].append(refusal)
        return dict(refusals)

    def span_of(self, sample: SessionSample) -> tuple[int, int]:
        """Return when a session began and ended, on the clock."""
        return self.origin_ns + sample.start_ns, self.origin_ns + sample.end_ns

    def idle_of(self, sample: SessionSample, begin_ns: int, end_ns: int) -> "Idle":
        """Return how long nobody computed between two states of a session.

        Args:
            sample: The session.
            begin_ns: Its begin, on the clock.
            end_ns: Its end.
        """
        waits = self.waits_of.get(sample.session, ())
        idle: IdleTimes | IdleBetweenRequests
        if self.idle_is_known:
            idle = IdleTimes(sample, waits, begin_ns, end_ns)
        else:
            sent = self.sent_of.get(sample.session, ())
            idle = IdleBetweenRequests(sample, waits, sent, begin_ns, end_ns)
        for refusal in self.refusals_of.get(sample.session, ()):
            idle.read(refusal.at_ns, refusal.idle_ns)
        return idle


class Idle(Protocol):
    """How long nobody computed between two states of a session."""

    def between(self, begin_ns: int, end_ns: int) -> int:
        """Return it for a span of time; 0 where it is not known."""
        ...


class IdleTimes:
    """How long nobody computed between the times at which that was read for a session.

    Args:
        sample: The session.
        waits: Its waits, and the requests that its clients sent.
        begin_ns: Its begin, on the clock.
        end_ns: Its end.
    """

    def __init__(
        self,
        sample: SessionSample,
        waits: Iterable[Wait | SentRequest],
        begin_ns: int,
        end_ns: int,
    ) -> None:
        self._idle_ns = {begin_ns: sample.idle_at_start_ns}
        for wait in waits:
            self._idle_ns[wait.start_ns] = wait.idle_at_start_ns
            self._idle_ns[wait.end_ns] = wait.idle_at_end_ns
        self._idle_ns[end_ns] = sample.idle_at_end_ns
        self._times_ns = sorted(self._idle_ns)

    def read(self, at_ns: int, idle_ns: int) -> None:
        """Add a time at which it was read."""
        if at_ns not in self._idle_ns:
            insort(self._times_ns, at_ns)
        self._idle_ns[at_ns] = idle_ns

    def between(self, begin_ns: int, end_ns: int) -> int:
        """Return it for a span of time, from the first reading in it to the last.

        A span may begin before it is read: code continues after a wait, and is back from the call
        only a moment later.
        """
        first = bisect_left(self._times_ns, begin_ns)
        last = bisect_right(self._times_ns, end_ns) - 1
        if first >= last:
            return 0
        first_ns, last_ns = self._times_ns[first], self._times_ns[last]
        idle_ns = self._idle_ns[last_ns] - self._idle_ns[first_ns]
        return min(max(0, idle_ns), last_ns - first_ns)


class IdleBetweenRequests:
    """How long nobody computed while a session had no request under way: over sockets.

    The server notes the waits for the model, and does not know who computes here. From its last
    byte until the client has read the answer, a session waits for the network or its loop, and in
    its own code only between its requests. One that the server refuses is none of these: what it
    takes is a cost of the refusal (see ``refused_requests``).

    Args:
        sample: The session.
        waits: Its waits.
        sent: Its requests, as its clients saw them.
        begin_ns: Its begin, on the clock.
        end_ns: Its end.
    """

    def __init__(
        self,
        sample: SessionSample,
        waits: Iterable[Wait],
        sent: Iterable[SentRequest],
        begin_ns: int,
        end_ns: int,
    ) -> None:
        here = [wait for wait in waits if wait.kind in _NOTED_HERE]
        in_order = sorted(sent, key=lambda request: request.start_ns)
        self._sent = [request for request in in_order if request.refusal is None]
        self._times = IdleTimes(sample, (*here, *in_order), begin_ns, end_ns)

    def read(self, at_ns: int, idle_ns: int) -> None:
        """Add a time at which it was read."""
        self._times.read(at_ns, idle_ns)

    def between(self, begin_ns: int, end_ns: int) -> int:
        """Return it for a span of time, without what lies within a request.

        It is read at the session's begin and end, and at those of its requests and tools.
        """
        idle_ns, at_ns = 0, begin_ns
        for request in self._sent:
            if request.start_ns >= end_ns:
                break
            if request.start_ns > at_ns:
                idle_ns += self._times.between(at_ns, request.start_ns)
            at_ns = max(at_ns, request.end_ns)
        if at_ns < end_ns:
            idle_ns += self._times.between(at_ns, end_ns)
        return idle_ns


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
