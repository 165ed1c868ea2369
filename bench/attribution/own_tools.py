"""What a session's own tools need, and what running them one after another costs. Pure.

Between an answer of the model that asks for tools and the request that brings their results, the
target runs tools of its own. What it sleeps there is what these tools wait for. The least that it
can need is the longest of them, if all run at once: that much belongs to the reference that an
efficiency is of. What was slept beyond it was *tools run one after another*.

Which wait belongs to which tool is told by the calls on the stack: those waits are of one tool that
lie in the same call, below the function that runs the tools. Where there are more such calls than
the answer asked for, one tool makes several: then nothing is known to be able to overlap, and all
of it counts as needed. So does what a single tool sleeps, in however many steps.

Three kinds of waits are not taken for a tool's: one that begins before the answer or ends after the
request (a heartbeat), one for a lock, queue or event (how long it takes is up to others, and under
load it is what is to be found), and a sleep that blocks an event loop is needed but could not have
overlapped as it is written.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...mocks.workload.ideal import Waits
from ...mocks.workload.script import SessionScript
from ..results.samples import Outcome, SessionSample
from .met import Met
from .own_waits import Awaited, ObservedWait, Place, ToolRound, own_spans, union_ns

_IN_TURN = 0.05
"""The share of what its tools need from which on a round is said to run them in turn."""


def tool_rounds(
    scripts: Iterable[SessionScript],
    samples: Iterable[SessionSample],
    own_waits: Mapping[int, Sequence[ObservedWait]],
    waits: Waits,
    met: Met,
) -> Mapping[int, Sequence[ToolRound]]:
    """Return what the own tools of each session needed, round by round.

    Args:
        scripts: The sessions' scripts.
        samples: The sessions; those that did not succeed are left out.
        own_waits: The waits of their own code, by session.
        waits: Which waits of the scripts count: only a target with tools of its own has any.
        met: What was met.
    """
    if waits is not Waits.MODEL:
        return {}
    ends_ns = {
        sample.session: met.origin_ns + sample.end_ns
        for sample in samples
        if sample.outcome is Outcome.SUCCEEDED and sample.session in own_waits
    }
    return {
        script.session: tuple(
            _rounds(script, own_waits[script.session], met, ends_ns[script.session])
        )
        for script in scripts
        if script.session in ends_ns
    }


def _rounds(
    script: SessionScript, waits: Sequence[ObservedWait], met: Met, end_ns: int
) -> Iterator[ToolRound]:
    sleeps = [wait for wait in waits if wait.awaited is Awaited.TIME]
    for step, call in enumerate(script.model_calls):
        read_ns = met.read_ns.get((script.session, step))
        if read_ns is None or not call.calls_its_tools or not call.tool_calls:
            continue
        goes_on_ns = met.goes_on_ns(script.session, step, end_ns)
        inside = tuple(
            wait for wait in sleeps if read_ns <= wait.begin_ns and wait.end_ns <= goes_on_ns
        )
        if inside:
            least_ns = least_needed_ns(inside, len(call.tool_calls))
            yield ToolRound(least_ns, inside)


def least_needed_ns(waits: Sequence[ObservedWait], tools: int) -> int:
    """Return how long the sleeps of some tools take at least, in nanoseconds.

    Args:
        waits: All their sleeps, at least one.
        tools: How many tools were asked for.
    """
    if tools == 1:
        return union_ns(waits)
    shared = _shared_depth([wait.path for wait in waits])
    calls: defaultdict[int, list[ObservedWait]] = defaultdict(list)
    direct: list[ObservedWait] = []
    for wait in waits:
        if len(wait.path) > shared:
            calls[wait.path[shared]].append(wait)
        else:
            direct.append(wait)
    if not calls:
        # Tools that are written out where they are called: as many sleeps on one line as tools.
        is_loop = len(direct) == tools and len({wait.place for wait in direct}) == 1
        return max(map(union_ns, ([wait] for wait in direct))) if is_loop else union_ns(direct)
    if len(calls) > tools:
        return union_ns(waits)
    longest_ns = max(map(union_ns, calls.values()))
    # What the function sleeps that calls them is no tool's: it comes before or after.
    return min(union_ns(waits), longest_ns + union_ns(direct))


def _shared_depth(paths: Sequence[tuple[int, ...]]) -> int:
    """Return how many calls, from the outermost on, all paths have in common."""
    first, *others = paths
    for depth, call in enumerate(first):
        if any(len(path) <= depth or path[depth] != call for path in others):
            return depth
    return len(first)


@dataclass(frozen=True, slots=True)
class Held:
    """What the own waits of a session held it up by, outside all mocked waits.

    Attributes:
        needed_ns: By its own tools, as long as these take at least.
        in_turn_ns: By its own tools beyond that, since they ran one after another.
        in_turn: The places of tools that ran one after another, with what they await.
        lost_ns: By all other waits, by place and by what is awaited.
    """

    needed_ns: int
    in_turn_ns: int
    in_turn: tuple[Place, ...]
    lost_ns: Mapping[Place, int]

    def at_most(self, whole_ns: int) -> "Held":
        """Return no more than a session waited in its own code at all, in nanoseconds."""
        needed_ns = min(self.needed_ns, whole_ns)
        in_turn_ns = min(self.in_turn_ns, whole_ns - needed_ns)
        rest_ns = whole_ns - needed_ns - in_turn_ns
        all_lost_ns = sum(self.lost_ns.values())
        if all_lost_ns > rest_ns:
            lost_ns = {at: ns * rest_ns // all_lost_ns for at, ns in self.lost_ns.items()}
        else:
            lost_ns = dict(self.lost_ns)
        return Held(needed_ns, in_turn_ns, self.in_turn, lost_ns)


def held_up(
    waits: Sequence[ObservedWait],
    gaps: Sequence[tuple[int, int]],
    rounds: Sequence[ToolRound],
) -> Held:
    """Split what the own waits of a session held it up by.

    Args:
        waits: Its waits.
        gaps: When no mock was waited for, in the order of time.
        rounds: Its rounds of tools.
    """
    needed_ns = 0
    lost_ns: defaultdict[Place, int] = defaultdict(int)
    budgets_ns = [each.needed_ns for each in rounds]
    beyond_ns = [0 for _ in rounds]
    round_of = {id(wait): number for number, each in enumerate(rounds) for wait in each.waits}
    for span in own_spans(waits, gaps):
        length_ns = span.end_ns - span.begin_ns
        first = span.waits[0]
        if first.awaited is Awaited.TIME:
            first = next((wait for wait in span.waits if id(wait) in round_of), first)
        of_round = round_of.get(id(first))
        if of_round is not None:
            of_tool_ns = min(budgets_ns[of_round], length_ns)
            budgets_ns[of_round] -= of_tool_ns
            needed_ns += of_tool_ns
            length_ns -= of_tool_ns
            if not first.blocks_loop:
                beyond_ns[of_round] += length_ns
                continue
        if length_ns:
            lost_ns[first.place, first.awaits] += length_ns
    # Tools that run at once begin one after another, too, where that takes time.
    in_turn = {
        (wait.place, wait.awaits): None
        for each, of_round_ns in zip(rounds, beyond_ns, strict=True)
        if of_round_ns >= _IN_TURN * each.needed_ns and of_round_ns
        for wait in each.waits
    }
    return Held(needed_ns, sum(beyond_ns), tuple(in_turn), lost_ns)
