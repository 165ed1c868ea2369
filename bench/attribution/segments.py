"""What a session does from moment to moment, as its waits tell. Pure.

Along a session's life each moment is given to the first of these that holds:

1. a wait that is not over: for the *model* or for a *tool* (where both, the model);
2. a request that waits for a free connection of its client's pool: *connection*;
3. work that waits for a free thread of a pool, or for a place under a limiter: *admission*;
4. between the begin of a failed attempt at a model call and the begin of the next, or from when the
   client gave up to wait for a connection until its next request: *retry*;
5. a wait that is over and not taken up: *ready*.

What no wait tells of is a gap: the session's own code runs, or could.

A model call may be asked for more than once. An attempt has *failed* if it brought no answer and
was over when the next began; its wait is part of the retry. Of attempts that overlap, those with an
answer are samples, and each is waited for. One that is given up is a hedge: what it takes after the
first answer of another holds nobody up. And one that is repeated after it was answered is no retry:
the model is waited for again.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from ...mocks.observe.waits import Wait, WaitEnding, WaitKind
from ...mocks.workload.script import SessionScript, with_nested


class State(IntEnum):
    """What a session does at a moment; the first of those that hold counts."""

    MODEL = 0
    TOOL = 1
    CONNECTION = 2
    ADMISSION = 3
    RETRY = 4
    READY = 5


# To go through the class itself takes longer than all that is done with it.
_STATES = tuple(State)


class Segment(NamedTuple):
    """A span of time that a wait tells of.

    Attributes:
        begin_ns: When it begins, on the clock.
        end_ns: When it ends.
        state: What is done in it.
        in_round: In which round of the session; -1 for none.
    """

    begin_ns: int
    end_ns: int
    state: State
    in_round: int


class StateSpan(NamedTuple):
    """A segment of a session's life in which nothing changes.

    Attributes:
        begin_ns: When it begins, on the clock.
        end_ns: When it ends.
        state: What is done in it; ``None`` for a gap.
        in_round: In which round of the session; -1 for none.
        tools: How many tools are waited for at one time.
        admissions: How much work waits for a thread or a place meanwhile.
    """

    begin_ns: int
    end_ns: int
    state: State | None
    in_round: int
    tools: int
    admissions: int


def segments_of(script: SessionScript, waits: Iterable[Wait]) -> Iterator[Segment]:
    """Return what the waits of a session, and of those nested in it, tell of."""
    round_of = _rounds(script)
    attempts: defaultdict[tuple[int, int], list[Wait]] = defaultdict(list)
    requests: list[Wait] = []
    for wait in waits:
        if wait.kind is WaitKind.THREAD:
            yield from _of_wait(wait, State.ADMISSION, -1)
            continue
        if wait.kind is not WaitKind.TOOL:
            requests.append(wait)
        if wait.kind is WaitKind.MODEL:
            attempts[wait.session, wait.step].append(wait)
            continue
        if wait.kind is WaitKind.CONNECTION:
            yield from _of_wait(wait, State.CONNECTION, -1)
            continue
        of_script = wait.kind is WaitKind.TOOL
        in_round = round_of.get(wait.session, wait.step) if of_script else -1
        yield from _of_wait(wait, State.TOOL, in_round)
    for (session, _), of_call in attempts.items():
        yield from _of_attempts(of_call, round_of.get(session, -1))
    yield from _after_timeouts(requests)


def _after_timeouts(requests: Sequence[Wait]) -> Iterator[Segment]:
    """Return from when to when a session waited to ask again, after it got no connection."""
    starts_ns = sorted(each.start_ns for each in requests)
    for each in requests:
        if each.kind is WaitKind.CONNECTION and each.ending is WaitEnding.FAILED:
            later = bisect_left(starts_ns, max(each.end_ns, each.start_ns + 1))
            if later < len(starts_ns):
                yield Segment(each.end_ns, starts_ns[later], State.RETRY, -1)


def _of_attempts(attempts: Sequence[Wait], in_round: int) -> Iterator[Segment]:
    """Return what the attempts at one model call tell of."""
    starts_ns = sorted(each.start_ns for each in attempts)
    answers = [each for each in attempts if each.ending is WaitEnding.WHOLE]
    for each in attempts:
        answered_ns = [
            answer.end_ns
            for answer in answers
            if answer.start_ns < each.end_ns and each.start_ns < answer.end_ns
        ]
        later = bisect_left(starts_ns, max(each.end_ns, each.start_ns + 1))
        if each.ending is not WaitEnding.WHOLE and not answered_ns and later < len(starts_ns):
            yield Segment(each.start_ns, starts_ns[later], State.RETRY, in_round)
            continue
        # One that was waited for to its end is an answer by itself: one of several samples.
        is_loser = each.ending is not WaitEnding.WHOLE
        until_ns = min(answered_ns, default=each.end_ns) if is_loser else each.end_ns
        yield from _of_wait(each, State.MODEL, in_round, until_ns)


def states(begin_ns: int, end_ns: int, segments: Iterable[Segment]) -> Iterator[StateSpan]:
    """Give each moment between a session's begin and its end to one state, in order of time."""
    events: list[tuple[int, int, State, int]] = []
    for each in segments:
        from_ns, to_ns = max(begin_ns, each.begin_ns), min(end_ns, each.end_ns)
        if from_ns < to_ns:
            events.append((from_ns, 1, each.state, each.in_round))
            events.append((to_ns, -1, each.state, each.in_round))
    events.sort()
    open_count = [0] * len(_STATES)
    # A session's rounds follow one another: what begins last says which one it is.
    round_of = [-1] * len(_STATES)
    at_ns = begin_ns
    for when_ns, change, state, in_round in (*events, (end_ns, 0, State.READY, -1)):
        if when_ns > at_ns:
            current = _first_open(open_count)
            current_round = -1 if current is None else round_of[current]
            tools, admissions = open_count[State.TOOL], open_count[State.ADMISSION]
            yield StateSpan(at_ns, when_ns, current, current_round, tools, admissions)
            at_ns = when_ns
        open_count[state] += change
        if change > 0:
            round_of[state] = in_round


def _first_open(open_count: Sequence[int]) -> State | None:
    for state, count in zip(_STATES, open_count, strict=True):
        if count:
            return state
    return None


def retries_ns(script: SessionScript, waits: Iterable[Wait]) -> tuple[tuple[int, int], ...]:
    """Return from when to when a session was between a failed attempt's begin and the next's."""
    return tuple(
        (each.begin_ns, each.end_ns)
        for each in segments_of(script, waits)
        if each.state is State.RETRY
    )


def tool_begins_ns(waits: Sequence[Wait]) -> frozenset[int]:
    """Return when tools of a session began: what was waited before may be for a thread."""
    return frozenset(wait.start_ns for wait in waits if wait.kind is WaitKind.TOOL)


def _of_wait(
    wait: Wait, state: State, in_round: int, until_ns: int | None = None
) -> Iterator[Segment]:
    """What was not there, then what was not taken up; of a stream, both of all its pieces."""
    due_ns = wait.start_ns + wait.waited_ns
    taken_up_ns = due_ns + wait.ready_ns
    if until_ns is not None:
        due_ns, taken_up_ns = min(due_ns, until_ns), min(taken_up_ns, until_ns)
    if due_ns > wait.start_ns:
        yield Segment(wait.start_ns, due_ns, state, in_round)
    if taken_up_ns > due_ns:
        yield Segment(due_ns, taken_up_ns, State.READY, in_round)


def _rounds(script: SessionScript) -> dict[int, int]:
    """In which round of the session each one nested in it runs."""
    return {
        part.session: step
        for step, call in enumerate(script.model_calls)
        for tool in call.tool_calls
        if tool.session is not None
        for part in with_nested(tool.session)
    }
