"""All that a trial notes beside its samples: waits, whose code computed, the process over time.

The trial says when it measures; what is noted then, and what that cost, is asked for at its end.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from ...mocks.clock import NANOSECONDS_PER_SECOND, Clock, nanoseconds
from ...mocks.observe.meter import Meter
from ...mocks.observe.pools import PoolUse
from ...mocks.observe.refusals import Refusal
from ...mocks.observe.thread_waits import noting_thread_waits
from ...mocks.observe.waits import Wait
from ...mocks.workload.numbers import session_of
from ...mocks.workload.script import SessionScript, roots
from ..attribution.breakdown import costs_of_refusals_s, split_times
from ..attribution.observations import Observations
from ..attribution.own_places import own_waits_by_place
from ..attribution.own_waits import ObservedWait, OwnWaits
from ..attribution.timelines import timeline
from ..results.blocked_loop import BlockedLoop
from ..results.own_waits import OwnWait
from ..results.refused_hosts import RefusedHost, refused_hosts
from ..results.samples import SessionSample
from ..results.time_parts import TimeParts
from ..results.timeline import Timeline, Vitals
from .blocked_loop import BlockedLoops
from .code_origin import caller_here
from .event_costs import Costs, cost_of_an_own_wait_ns, costs_of
from .own_wait_meter import OwnWaitMeter
from .probe import Probe
from .vitals import VitalsRecorder
from .watchdog import Watchdog

_SHORTEST_BLOCKED_NS = 1_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """What was noted of a trial.

    Attributes:
        waits: All its waits, in the order of their ends.
        blocked_loop: When and where an event loop was blocked.
        time_parts_ns: Where the time of each sample went.
        vitals: How the process was over time.
        timeline: What the first sessions did.
        own_waits: Where sessions were seen to wait inside their own code.
        pools: The clients' pools in which requests waited for a free connection.
        refused: The hosts to which requests were refused.
        probe_cpu_s: What noting all that took.
    """

    waits: tuple[Wait, ...] = ()
    blocked_loop: tuple[BlockedLoop, ...] = ()
    time_parts_ns: tuple[TimeParts, ...] = ()
    vitals: Vitals | None = None
    timeline: Timeline | None = None
    own_waits: tuple[OwnWait, ...] = ()
    pools: tuple[PoolUse, ...] = ()
    refused: tuple[RefusedHost, ...] = ()
    probe_cpu_s: float | None = None


class Accounting:
    """The meters of one trial.

    Attributes:
        meter: Notes the waits; ``None`` if nothing is to be noted.

    Args:
        clock: Keeps the trial's time.
        notes_waits: Whether to note waits, and waits that block an event loop.
        accounts_time: Whether to account for the time of each session as well.
        on_loop: Whether sessions run on an event loop.
        counts_calls: Whether calls are counted: what stands between a target and its pools would
            be counted in place of them.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        notes_waits: bool,
        accounts_time: bool,
        on_loop: bool,
        counts_calls: bool = False,
    ) -> None:
        self._clock = clock
        self._counts_calls = counts_calls
        charges_cpu = clock.mode.charges_cpu
        self._blocked = BlockedLoops(_SHORTEST_BLOCKED_NS if charges_cpu else 0)
        self._vitals: VitalsRecorder | None = None
        self._watchdog: Watchdog | None = None
        self._costs = Costs()
        self.meter = (
            Meter(clock, accounts_cpu=accounts_time) if notes_waits or accounts_time else None
        )
        self._own_waits: OwnWaitMeter | None = None
        if self.meter is not None:
            # Where computing is free, no time is lost to the machine either.
            clock.before_blocked_loop = self._blocked.begin if charges_cpu else None
            clock.on_blocked_loop = self._blocked.note
            self.meter.caller = caller_here
        if not accounts_time:
            return
        # Where computing is free, it holds nobody up.
        if on_loop and charges_cpu:
            self._watchdog = Watchdog(clock.now_ns, self._blocked.add)
        # What would be noted of them where calls are counted would be counted as well.
        if self.meter is not None and clock.mode.skips and not counts_calls:
            self._own_waits = clock.wait_observer = OwnWaitMeter(clock.now_ns)
            self.meter.session_ended = self._own_waits.ends
        looks = self._own_waits is None
        self._vitals = VitalsRecorder(clock, self._watchdog, looks_for_waits=looks)

    def looking(self) -> AbstractContextManager[None]:
        """Return the scope in which a watchdog looks; to be entered before the clock's own."""
        return nullcontext() if self._watchdog is None else self._watchdog.looking(self._clock)

    def timing(self, work: Coroutine[object, object, T]) -> Coroutine[object, object, T]:
        """Return work for an event loop, followed by a timer if nothing else can follow it."""
        if self._vitals is None or self._clock.mode.skips:
            return work
        return self._vitals.timing(work)

    @contextmanager
    def measuring(
        self, probe: Probe, in_flight: Callable[[], int], loop: asyncio.AbstractEventLoop | None
    ) -> Iterator[None]:
        """Note what happens in this scope, and nothing from before.

        Args:
            probe: Watches the sessions.
            in_flight: Counts the model calls that wait.
            loop: The event loop that they run on, if they do.
        """
        self._blocked.forget()
        if self._own_waits is not None:
            self._own_waits.forget()
        meter, vitals = self.meter, self._vitals
        if meter is None or vitals is None:
            yield
            return
        self._costs = costs_of(self._clock)
        notes_threads = nullcontext() if self._counts_calls else noting_thread_waits(meter)
        with notes_threads, vitals.watching(loop, probe, in_flight):
            meter.ticking(vitals.tick)
            self._clock.loop_observer = vitals
            try:
                yield
            finally:
                meter.ticking(None)
                self._clock.loop_observer = None

    def own_waits(self) -> Mapping[int, Sequence[ObservedWait]] | None:
        """Return the waits of each session's own code; ``None`` where not each is noted."""
        return None if self._own_waits is None else self._own_waits.noted(self._clock.now_ns())

    @property
    def thread_waits(self) -> tuple[Wait, ...]:
        """The waits for a thread of a pool that are over."""
        return () if self.meter is None else self.meter.thread_waits

    def noted_waits(self, served: Sequence[Wait] | None) -> tuple[Wait, ...]:
        """Return all waits in the order of their ends.

        Args:
            served: The waits that a server in another process noted; ``None`` without one.
        """
        if self.meter is None:
            return ()
        noted = (*self.meter.waits, *(served or ()))
        return tuple(sorted(noted, key=lambda wait: wait.end_ns))

    def accounted(
        self,
        sessions: Mapping[int, SessionScript],
        samples: Sequence[SessionSample],
        waits: tuple[Wait, ...],
        refusals: Sequence[Refusal],
        *,
        refused_before: Sequence[Refusal],
        waits_are_served: bool,
        origin_ns: int,
        cpu_s: float,
        cores: int,
        places: int | None,
        own_waits: OwnWaits,
    ) -> Accounted:
        """Return what was noted.

        Args:
            sessions: The scripts of the samples' sessions.
            samples: The samples.
            waits: All its waits, in the order of their ends.
            refusals: The requests that nothing mocks, in the order in which they were refused.
            refused_before: Those of before the sessions.
            waits_are_served: Whether a server in another process noted those for the model.
            origin_ns: Time on the clock from which the samples count.
            cpu_s: CPU seconds of the trial.
            cores: As for ``ideal_latencies_ns``.
            places: How many sessions the strategy lets be in flight; ``None`` for any number.
            own_waits: The waits of the sessions' own code, where each is noted.
        """
        meter, vitals = self.meter, self._vitals
        if meter is None:
            return Accounted(refused=refused_hosts(refusals, {}, refused_before))
        blocked_loop = self._blocked.noted()
        if vitals is None:
            refused = refused_hosts(refusals, {}, refused_before)
            return Accounted(waits=waits, blocked_loop=blocked_loop, refused=refused)
        cpu_ns: Mapping[int, int] = _of_roots(meter.cpu_ns_by_session(), sessions)
        if waits_are_served:
            # The model's waits were noted in another process: all sessions count alike.
            each_ns = nanoseconds(cpu_s) // max(1, len(samples))
            cpu_ns = {sample.session: each_ns for sample in samples}
        thread_waits = meter.thread_waits
        observations = Observations(
            scripts=sessions,
            waits=(*waits, *thread_waits),
            cpu_ns=cpu_ns,
            blocked_loop=blocked_loop,
            origin_ns=origin_ns,
            cores=cores,
            idle_is_known=not waits_are_served,
            places=places,
            sent=tuple(meter.sent),
            refusals=refusals,
            own_waits=own_waits,
        )
        events = meter.wait_count + len(thread_waits) + len(samples)
        costs = self._costs
        refused_cost_s = costs_of_refusals_s(samples, observations)
        probe_ns = events * costs.event_ns + vitals.iterations * costs.iteration_ns + vitals.cost_ns
        own_count = sum(map(len, own_waits.of.values()))
        if own_count:
            probe_ns += own_count * cost_of_an_own_wait_ns(self._clock)
        split = split_times(samples, observations)
        return Accounted(
            waits=waits,
            blocked_loop=blocked_loop,
            time_parts_ns=tuple(parts for parts, _ in split),
            vitals=vitals.vitals(),
            timeline=timeline(samples, observations),
            own_waits=vitals.own_waits()
            if self._own_waits is None
            else own_waits_by_place(samples, observations, [held for _, held in split]),
            pools=meter.pool_uses,
            refused=refused_hosts(refusals, refused_cost_s, refused_before),
            probe_cpu_s=probe_ns / NANOSECONDS_PER_SECOND,
        )


def _of_roots(
    cpu_ns: Mapping[int, int], sessions: Mapping[int, SessionScript]
) -> Mapping[int, int]:
    """Book what sessions nested in others compute to those."""
    root_of = roots(sessions.values())
    total: Counter[int] = Counter()
    for session, session_ns in cpu_ns.items():
        total[root_of.get(session, session_of(session))] += session_ns
    return total
