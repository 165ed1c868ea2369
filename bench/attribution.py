"""Where the time went: each session's latency split into parts that add up to it. Pure.

The mocks know of each wait when it began, how long what was asked for was not there, and how
long it was there and the code not yet running. Along a session's life each moment is given to
the first of these that holds:

1. a wait that is not over: *llm* or *tool* (where both, the model);
2. between the begin of a failed attempt at a model call and the begin of the next: *retry*;
3. a wait that is over and not taken up: *ready*;
4. none: the session's own code runs, or could.

What the last leaves is split by what the clock and the CPU meter say: what was booked to the
session is *cpu*; where others computed, or held the event loop, it is *ready*; and where nobody
computed, the session waited for something that no mock knows of: *remainder*, or *admission* if
what came next is a tool in a thread of a pool, which was full.

Of the waits for one answer's tools, what exceeds the critical path of the script (see ``ideal``)
could have overlapped, and did not: *serialised*.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from statistics import fmean

from ..mocks.clock import NANOSECONDS_PER_SECOND
from ..mocks.script import SessionScript, roots, with_nested
from ..mocks.waits import Wait, WaitKind
from .blocked_loop import BlockedLoop, Cause
from .ideal import tools_ns
from .record import SessionSample, TimeParts

PART_NAMES = tuple(part.name for part in fields(TimeParts))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a trial beside its samples.

    Attributes:
        scripts: The sessions' scripts by number.
        waits: All waits, in any order; in times of the clock.
        cpu_ns: CPU time that was booked to each session.
        blocked_loop: When an event loop was blocked.
        origin_ns: Time on the clock from which the samples count.
        cores: As for ``ideal_latencies_ns``.
        idle_is_known: Whether the waits tell how long nobody computed; where a server in
            another process noted them, they do not.
    """

    scripts: Mapping[int, SessionScript]
    waits: Sequence[Wait]
    cpu_ns: Mapping[int, int]
    blocked_loop: Sequence[BlockedLoop]
    origin_ns: int
    cores: int
    idle_is_known: bool = True


def time_parts(samples: Sequence[SessionSample], evidence: Evidence) -> tuple[TimeParts, ...]:
    """Split the latency of each session.

    Args:
        samples: The sessions.
        evidence: What the mocks and the meters know.

    Returns:
        The parts of each, in the order of the samples; they add up to its latency from its
        intended start.
    """
    root_of = roots(evidence.scripts.values())
    waits: defaultdict[int, list[Wait]] = defaultdict(list)
    for wait in evidence.waits:
        if wait.session in root_of:
            waits[root_of[wait.session]].append(wait)
    # Computing shows in the CPU time of whoever does it.
    blocked = _Blocked(each for each in evidence.blocked_loop if each.cause is Cause.WAITING)
    return tuple(
        _parts(sample, waits.get(sample.session, []), evidence, blocked) for sample in samples
    )


def mean_parts(parts: Sequence[TimeParts]) -> TimeParts:
    """Return the mean of each part, of at least one session; the means add up as well."""
    return TimeParts(**{name: fmean(getattr(each, name) for each in parts) for name in PART_NAMES})


def in_seconds(parts_ns: TimeParts) -> TimeParts:
    """Return parts in nanoseconds as seconds."""
    return TimeParts(
        **{name: getattr(parts_ns, name) / NANOSECONDS_PER_SECOND for name in PART_NAMES}
    )


class _State(IntEnum):
    """What a session does at a moment; the first of those that hold counts."""

    MODEL = 0
    TOOL = 1
    RETRY = 2
    READY = 3


# A stretch of time: begin, end, what was done in it, and in which round (-1: in none).
_Stretch = tuple[int, int, _State, int]


def _parts(
    sample: SessionSample, waits: Sequence[Wait], evidence: Evidence, blocked: "_Blocked"
) -> TimeParts:
    script = evidence.scripts[sample.session]
    begin_ns = evidence.origin_ns + sample.start_ns
    end_ns = evidence.origin_ns + sample.end_ns
    spent, gaps = _swept(begin_ns, end_ns, list(_stretches(script, waits)))
    serialised_ns = _serialise(spent, script, evidence.cores)
    idle = _Idle(sample, waits, begin_ns, end_ns) if evidence.idle_is_known else None
    booked_ns = evidence.cpu_ns.get(sample.session, 0)
    pool_starts = {wait.start_ns for wait in waits if wait.kind is WaitKind.TOOL}
    admission_ns = 0 if sample.intended_ns is None else sample.start_ns - sample.intended_ns
    remainder_ns = held_ns = busy_ns = 0
    for gap_begin_ns, gap_end_ns in gaps:
        idle_ns = 0 if idle is None else idle.between(gap_begin_ns, gap_end_ns)
        held_here_ns = blocked.by_others_ns(gap_begin_ns, gap_end_ns, sample.session)
        held_here_ns = min(held_here_ns, gap_end_ns - gap_begin_ns)
        idle_ns = max(0, idle_ns - held_here_ns)
        held_ns += held_here_ns
        busy_ns += gap_end_ns - gap_begin_ns - idle_ns - held_here_ns
        if gap_end_ns in pool_starts:
            admission_ns += idle_ns
        else:
            remainder_ns += idle_ns
    cpu_ns = min(booked_ns, busy_ns)
    return TimeParts(
        llm=sum(spent[_State.MODEL].values()),
        tool=sum(spent[_State.TOOL].values()),
        serialised=serialised_ns,
        admission=admission_ns,
        ready=sum(spent[_State.READY].values()) + held_ns + busy_ns - cpu_ns,
        retry=sum(spent[_State.RETRY].values()),
        cpu=cpu_ns,
        remainder=remainder_ns,
    )


def _stretches(script: SessionScript, waits: Iterable[Wait]) -> Iterator[_Stretch]:
    round_of = _rounds(script)
    attempts: defaultdict[tuple[int, int], list[Wait]] = defaultdict(list)
    for wait in waits:
        if wait.kind is WaitKind.MODEL:
            attempts[wait.session, wait.step].append(wait)
            continue
        of_script = wait.kind is WaitKind.TOOL
        in_round = round_of.get(wait.session, wait.step) if of_script else -1
        yield from _of_wait(wait, _State.TOOL, in_round)
    for (session, _), of_call in attempts.items():
        of_call.sort(key=lambda wait: wait.start_ns)
        in_round = round_of.get(session, -1)
        if len(of_call) > 1:
            yield of_call[0].start_ns, of_call[-1].start_ns, _State.RETRY, in_round
        yield from _of_wait(of_call[-1], _State.MODEL, in_round)


def _of_wait(wait: Wait, state: _State, in_round: int) -> Iterator[_Stretch]:
    """What was not there, then what was not taken up; of a stream, both of all its pieces."""
    due_ns = wait.start_ns + wait.waited_ns
    yield wait.start_ns, due_ns, state, in_round
    yield due_ns, due_ns + wait.ready_ns, _State.READY, in_round


def _rounds(script: SessionScript) -> dict[int, int]:
    """In which round of the session each one nested in it runs."""
    return {
        part.session: step
        for step, call in enumerate(script.model_calls)
        for tool in call.tool_calls
        if tool.session is not None
        for part in with_nested(tool.session)
    }


def _swept(
    begin_ns: int, end_ns: int, stretches: Iterable[_Stretch]
) -> tuple[dict[_State, Counter[int]], list[tuple[int, int]]]:
    """Give each moment of a session to one state.

    Returns:
        The time in each state by round, and the stretches of time that are in none.
    """
    events: list[tuple[int, int, _State, int]] = []
    for from_ns, to_ns, state, in_round in stretches:
        clipped_from_ns, clipped_to_ns = max(begin_ns, from_ns), min(end_ns, to_ns)
        if clipped_from_ns < clipped_to_ns:
            events.append((clipped_from_ns, 1, state, in_round))
            events.append((clipped_to_ns, -1, state, in_round))
    events.sort()
    spent: dict[_State, Counter[int]] = {state: Counter() for state in _State}
    open_count = dict.fromkeys(_State, 0)
    # A session's rounds follow one another: what begins last says which one it is.
    round_of = dict.fromkeys(_State, -1)
    gaps: list[tuple[int, int]] = []
    at_ns = begin_ns
    for when_ns, change, state, in_round in (*events, (end_ns, 0, _State.READY, -1)):
        if when_ns > at_ns:
            current = next((state for state in _State if open_count[state]), None)
            if current is not None:
                spent[current][round_of[current]] += when_ns - at_ns
            elif gaps and gaps[-1][1] == at_ns:
                gaps[-1] = gaps[-1][0], when_ns
            else:
                gaps.append((at_ns, when_ns))
            at_ns = when_ns
        open_count[state] += change
        if change > 0:
            round_of[state] = in_round
    return spent, gaps


def _serialise(spent: dict[_State, Counter[int]], script: SessionScript, cores: int) -> int:
    """Take from each round's waits what exceeds the round's critical path, and return it."""
    serialised_ns = 0
    for step, call in enumerate(script.model_calls):
        tool_ns, model_ns = spent[_State.TOOL][step], spent[_State.MODEL][step]
        excess_ns = max(0, tool_ns + model_ns - tools_ns(call, cores))
        from_tools_ns = min(excess_ns, tool_ns)
        spent[_State.TOOL][step] -= from_tools_ns
        spent[_State.MODEL][step] -= excess_ns - from_tools_ns
        serialised_ns += excess_ns
    return serialised_ns


class _Idle:
    """How long nobody computed between two moments of a session at which that was read."""

    def __init__(
        self, sample: SessionSample, waits: Iterable[Wait], begin_ns: int, end_ns: int
    ) -> None:
        self._read = {begin_ns: sample.idle_at_start_ns}
        for wait in waits:
            self._read[wait.start_ns] = wait.idle_at_start_ns
            self._read[wait.end_ns] = wait.idle_at_end_ns
        self._read[end_ns] = sample.idle_at_end_ns

    def between(self, begin_ns: int, end_ns: int) -> int:
        before_ns, after_ns = self._read.get(begin_ns), self._read.get(end_ns)
        if before_ns is None or after_ns is None:
            return 0
        return min(max(0, after_ns - before_ns), end_ns - begin_ns)


class _Blocked:
    """When an event loop was blocked, and by which session."""

    def __init__(self, stretches: Iterable[BlockedLoop]) -> None:
        self._stretches = sorted(stretches, key=lambda each: each.end_ns)
        self._ends_ns = [each.end_ns for each in self._stretches]

    def by_others_ns(self, begin_ns: int, end_ns: int, session: int) -> int:
        """For how long somebody else's code blocked it in a stretch of time."""
        held_ns = 0
        for each in self._stretches[bisect_right(self._ends_ns, begin_ns) :]:
            if each.start_ns >= end_ns:
                break
            if each.session != session:
                held_ns += min(each.end_ns, end_ns) - max(each.start_ns, begin_ns)
        return held_ns
