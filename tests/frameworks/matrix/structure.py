"""How a framework runs the tools of an answer: as it is seen, and as a run says. Pure.

Tools see themselves whether they overlap, and whether they are on the event loop. That work waits
for a thread they need not see: a framework may hand all tools of an answer, or a whole step with
its model call, to a pool at once. So the run is made again with pools that are wide enough for
all: had nothing waited for a thread, no session would be faster.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

SLACK_S = 0.02
"""What a machine that is busy adds to a real wait."""

NANOSECONDS = 1_000_000_000
LEAST_S = 0.1
"""Half of a tool's latency: what running in turn costs a session at least."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool, as the tool saw it.

    Attributes:
        answer: Session and step of the answer that asked for it.
        begin_s: When it began.
        end_s: When it ended.
        on_loop: Whether a plain tool ran where an event loop runs.
    """

    answer: tuple[int, int]
    begin_s: float
    end_s: float
    on_loop: bool = False


@dataclass(frozen=True, slots=True)
class Structure:
    """What limits the work of a session.

    Attributes:
        one_after_another: No two of them overlap.
        blocks_the_loop: A plain tool runs on the event loop.
        waits_for_threads: A plain tool, or a step with tools in it, waits for a thread of a pool.
    """

    one_after_another: bool = False
    blocks_the_loop: bool = False
    waits_for_threads: bool = False

    def __str__(self) -> str:
        found = [name.name for name in fields(self) if getattr(self, name.name)]
        return ", ".join(_SENTENCE[name] for name in found) or "tools overlap"


_SENTENCE = {
    "one_after_another": "tools run one after another",
    "blocks_the_loop": "a plain tool blocks the event loop",
    "waits_for_threads": "work waits for a thread",
}


def calls_of(records: Iterable[Mapping[str, Any]]) -> tuple[Call, ...]:
    """Read what tools noted; a warm-up's sessions, whose numbers are negative, are left out."""
    return tuple(
        Call(
            _answer(record["ticket"]),
            record["begin_s"],
            record["end_s"],
            on_loop=record["on_loop"] and record["tool"] == "lookup",
        )
        for record in records
        if _answer(record["ticket"])[0] >= 0
    )


def _answer(ticket: str) -> tuple[int, int]:
    session, step, _index = ticket.split(".")
    return int(session), int(step)


def seen_by(
    calls: Iterable[Call], latencies_ns: Sequence[int], wide_latencies_ns: Sequence[int]
) -> Structure:
    """Return the structure that is seen from outside.

    Args:
        calls: What the tools saw.
        latencies_ns: What each session took, in virtual time.
        wide_latencies_ns: What each took with a thread for whatever wants one.

    Raises:
        ValueError: There are no calls.
    """
    by_answer: dict[tuple[int, int], list[Call]] = defaultdict(list)
    for call in calls:
        by_answer[call.answer].append(call)
    if not by_answer:
        raise ValueError("no tool ran")
    answers = list(by_answer.values())
    on_loop = any(call.on_loop for answer in answers for call in answer)
    in_turn = not any(_overlap(*pair) for answer in answers for pair in combinations(answer, 2))
    # Their sum, because another order of the sessions may change each, and is no wait.
    saved_ns = sum(latencies_ns) - sum(wide_latencies_ns)
    return Structure(
        one_after_another=in_turn,
        blocks_the_loop=on_loop,
        waits_for_threads=saved_ns > SLACK_S * NANOSECONDS,
    )


def told_by(cell: Mapping[str, Any]) -> Structure:
    """Return the structure that a run tells of a cell, by the parts of each session's time."""
    trial = cell["trial_figures"][0]
    nothing = (0,) * len(trial["session"])
    serialised = trial["time_parts_ns"].get("serialised", nothing)
    admission = trial["time_parts_ns"].get("admission", nothing)
    return Structure(
        one_after_another=min(serialised) > LEAST_S * NANOSECONDS,
        blocks_the_loop=bool(cell["loop_blockers"]),
        waits_for_threads=max(admission) > SLACK_S * NANOSECONDS,
    )


def _overlap(one: Call, other: Call) -> bool:
    return min(one.end_s, other.end_s) - max(one.begin_s, other.begin_s) > SLACK_S
