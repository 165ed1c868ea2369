"""The waits that a session's own code begins: what is known of one, and what it holds up. Pure.

At one moment a session may wait in several places: its tools sleep in tasks of their own while the
session waits for their results. The moment is then given to one of them: to a limit (a lock, a
semaphore) that keeps a task from going on, else to the wait for time itself, else to the wait for
something that other code brings about, else to the wait for what a thread or a package does. A
sleep that goes on beside a model call comes last.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from ...mocks.observe.waits import Wait, WaitKind

Place = tuple[str, str]
"""The user's function with its line, and what it awaits there."""


class Awaited(IntEnum):
    """What a wait is for; the first of those that hold at a moment counts."""

    LIMIT = 0
    """Others hold a lock or a semaphore."""

    TIME = 1
    """A sleep: it ends by itself."""

    SIGNAL = 2
    """An event, a condition, a queue: other code ends it."""

    RESULT = 3
    """What a thread or the code of a package brings about."""

    BESIDE = 4
    """A sleep beside a model call: a heartbeat perhaps, for which nobody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedWait:
    """One wait of a session's own code, in times of the clock.

    Attributes:
        session: Number of the session.
        begin_ns: When it began.
        end_ns: When the code went on.
        due_ns: When a sleep was to end; ``None`` for other waits.
        place: The user's function with its line: ``agent/tools.py:summarise:15``; empty if no code
            of the user's is on the stack.
        awaits: What it calls to wait: ``asyncio.Lock.acquire``.
        awaited: What it is for.
        path: The calls of the user's functions in which it lies, the outermost first: each call has
            a number of its own.
        blocks_loop: Whether it is a thread's wait that blocks an event loop.
    """

    session: int
    begin_ns: int
    end_ns: int
    due_ns: int | None
    place: str
    awaits: str
    awaited: Awaited
    path: tuple[int, ...]
    blocks_loop: bool = False

    @property
    def over_ns(self) -> int:
        """When what it waited for was there, as far as that is known."""
        return self.end_ns if self.due_ns is None else min(self.end_ns, self.due_ns)


@dataclass(frozen=True, slots=True)
class OwnSpan:
    """A span of time in which the same waits of a session are under way.

    Attributes:
        begin_ns: When it begins, on the clock.
        end_ns: When it ends.
        waits: The waits, by what they are for; those that end later come first among equals.
    """

    begin_ns: int
    end_ns: int
    waits: tuple[ObservedWait, ...]


@dataclass(frozen=True, slots=True)
class ToolRound:
    """What a session slept between one answer and the request with its tools' results.

    Attributes:
        needed_ns: What no order of the tools could have saved.
        waits: The sleeps.
    """

    needed_ns: int
    waits: tuple[ObservedWait, ...]


@dataclass(frozen=True, slots=True)
class OwnWaits:
    """What is known of the waits of the sessions' own code, by the sessions' numbers.

    Attributes:
        of: The waits of each.
        rounds: What its own tools slept, round by round.
    """

    of: Mapping[int, Sequence[ObservedWait]] = field(default_factory=dict)
    rounds: Mapping[int, Sequence[ToolRound]] = field(default_factory=dict)

    @property
    def needed_ns(self) -> Mapping[int, int]:
        """What the own tools of each session need at least, in nanoseconds."""
        return {
            session: sum(each.needed_ns for each in of_session)
            for session, of_session in self.rounds.items()
        }


def with_sleeps_beside(
    own_waits: Mapping[int, Sequence[ObservedWait]], waits: Iterable[Wait]
) -> Mapping[int, Sequence[ObservedWait]]:
    """Tell sleeps that overlap a model call of their session from those that hold it up.

    Args:
        own_waits: The waits of each session's own code.
        waits: The waits for mocks, of all sessions.
    """
    if not own_waits:
        return {}
    calls: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for wait in waits:
        if wait.kind is WaitKind.MODEL and wait.session in own_waits:
            calls[wait.session].append((wait.start_ns, wait.end_ns))
    return {
        session: tuple(_beside(wait, calls[session]) for wait in of_session)
        for session, of_session in own_waits.items()
    }


def _beside(wait: ObservedWait, calls: Sequence[tuple[int, int]]) -> ObservedWait:
    is_beside = wait.awaited is Awaited.TIME and any(
        begin_ns < wait.over_ns and wait.begin_ns < end_ns for begin_ns, end_ns in calls
    )
    return replace(wait, awaited=Awaited.BESIDE) if is_beside else wait


def own_spans(waits: Iterable[ObservedWait], gaps: Iterable[tuple[int, int]]) -> Iterator[OwnSpan]:
    """Yield the spans of a session in which its own code waits, in the order of time.

    Args:
        waits: Its waits, in any order.
        gaps: When no mock was waited for, in the order of time.
    """
    in_order = sorted(waits, key=lambda wait: (wait.begin_ns, wait.over_ns))
    at = 0
    open_waits: list[ObservedWait] = []
    for gap_begin_ns, gap_end_ns in gaps:
        begin_ns = gap_begin_ns
        while begin_ns < gap_end_ns:
            while at < len(in_order) and in_order[at].begin_ns <= begin_ns:
                open_waits.append(in_order[at])
                at += 1
            open_waits = [wait for wait in open_waits if wait.over_ns > begin_ns]
            next_ns = in_order[at].begin_ns if at < len(in_order) else gap_end_ns
            end_ns = min(gap_end_ns, next_ns, *(wait.over_ns for wait in open_waits))
            if open_waits:
                ranked = sorted(open_waits, key=lambda wait: (wait.awaited, -wait.over_ns))
                yield OwnSpan(begin_ns, end_ns, tuple(ranked))
            begin_ns = end_ns


def slept_ns(waits: Sequence[ObservedWait], begin_ns: int, end_ns: int) -> int:
    """Return for how long in a span of time at least one sleep was under way."""
    sleeps = [wait for wait in waits if wait.awaited is Awaited.TIME]
    spans = own_spans(sleeps, [(begin_ns, end_ns)]) if sleeps else ()
    return sum(span.end_ns - span.begin_ns for span in spans)


def union_ns(waits: Sequence[ObservedWait]) -> int:
    """Return for how long at least one of some waits was under way."""
    total_ns, until_ns = 0, None
    for wait in sorted(waits, key=lambda wait: wait.begin_ns):
        begin_ns = wait.begin_ns if until_ns is None else max(wait.begin_ns, until_ns)
        total_ns += max(0, wait.over_ns - begin_ns)
        until_ns = max(begin_ns, wait.over_ns)
    return total_ns
