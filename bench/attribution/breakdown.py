"""Where the time went: each session's latency split into parts that add up to it. Pure.

What its waits tell of each moment of a session (see ``segments``) is *llm*, *tool*, *connection*,
*admission*, *retry* or *ready*. The gaps, in which its own code runs or could, are split by what
the clock and the CPU meter say: what was attributed to the session is *cpu*; where others computed,
or blocked the event loop, it is *ready*; and where nobody computed, the session waited inside its
own code: *remainder*, or *admission* if what came next is a tool, for which there was no place.
What of that a refused request cost (see ``refused_requests``) is *retry*.

In an open loop a session waits for *admission* until it has a place under the concurrency limit; if
it begins later than that, it was *ready* (see ``places``).

Of the waits for one answer's tools, what exceeds the critical path of the script (see ``ideal``)
could have overlapped, and did not: *serialised*. As long as another tool of the session waited for
a thread meanwhile, it is *admission*: with a thread it would have run then. A target's own tools
are no mocks: what they sleep lies in gaps, and is taken from the remainder where each wait of a
session's own code is noted (see ``own_tools``). What they need at least is *tool*, what they took
beyond it in turn *serialised*.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from ...mocks.clock import seconds
from ...mocks.observe.waits import Wait
from ...mocks.workload.ideal import tools_ns
from ...mocks.workload.script import SessionScript
from ..results.samples import SessionSample
from ..results.time_parts import TimeParts
from .observations import BlockedTimes, Idle, Observations
from .own_tools import Held, held_up
from .own_waits import slept_ns
from .places import admitted_ns
from .refused_requests import refused_costs_ns
from .segments import Segment, State, segments_of, states, tool_begins_ns


def split_times(
    samples: Sequence[SessionSample], observations: Observations
) -> tuple[tuple[TimeParts, Held], ...]:
    """Split the latency of each session, with what its own waits held it up by.

    Args:
        samples: The sessions.
        observations: What the mocks and the meters know.

    Returns:
        For each sample its parts, which add up to its latency from its intended start, and what
        its own waits held it up by.
    """
    blocked = BlockedTimes(observations.blocked_loop)
    admitted = admitted_ns(samples, observations.places)
    return tuple(
        _parts(
            sample,
            observations.waits_of.get(sample.session, ()),
            observations,
            blocked,
            admitted.get(sample.session, sample.start_ns),
        )
        for sample in samples
    )


def costs_of_refusals_s(
    samples: Sequence[SessionSample], observations: Observations
) -> dict[str, float]:
    """Return what refused requests cost all sessions together, in seconds, by host."""
    blocked = BlockedTimes(observations.blocked_loop)
    costs_ns: Counter[str] = Counter()
    for sample in samples:
        if sample.session in observations.refusals_of:
            begin_ns, end_ns = observations.span_of(sample)
            waits = observations.waits_of.get(sample.session, ())
            script = observations.scripts[sample.session]
            _, _, gaps = _swept(begin_ns, end_ns, segments_of(script, waits))
            idle = observations.idle_of(sample, begin_ns, end_ns)
            costs_ns += _refused(sample.session, observations, gaps, idle, blocked)
    return {host: seconds(cost_ns) for host, cost_ns in costs_ns.items()}


def _parts(
    sample: SessionSample,
    waits: Sequence[Wait],
    observations: Observations,
    blocked: BlockedTimes,
    has_place_ns: int,
) -> tuple[TimeParts, Held]:
    script = observations.scripts[sample.session]
    begin_ns, end_ns = observations.span_of(sample)
    spent, pooled_in, gaps = _swept(begin_ns, end_ns, segments_of(script, waits))
    serialised_ns, late_by_pool_ns = _serialise(spent, pooled_in, script, observations.cores)
    idle = observations.idle_of(sample, begin_ns, end_ns)
    attributed_ns = observations.cpu_ns.get(sample.session, 0)
    pool_starts = tool_begins_ns(waits)
    admission_ns = 0 if sample.intended_ns is None else has_place_ns - sample.intended_ns
    late_ns = sample.start_ns - has_place_ns
    own_waits = observations.own_waits.of.get(sample.session, ())
    held = held_up(own_waits, gaps, observations.own_waits.rounds.get(sample.session, ()))
    remainder_ns = pooled_ns = blocked_ns = busy_ns = 0
    for gap_begin_ns, gap_end_ns in gaps:
        idle_ns = idle.between(gap_begin_ns, gap_end_ns)
        blocked_here_ns = blocked.by_others_ns(gap_begin_ns, gap_end_ns, sample.session)
        # A sleep goes on whatever others do meanwhile.
        asleep_ns = slept_ns(own_waits, gap_begin_ns, gap_end_ns)
        awake_ns = gap_end_ns - gap_begin_ns - asleep_ns
        blocked_here_ns = min(blocked_here_ns, awake_ns)
        idle_ns = min(max(0, idle_ns - asleep_ns - blocked_here_ns), awake_ns - blocked_here_ns)
        blocked_ns += blocked_here_ns
        busy_ns += awake_ns - idle_ns - blocked_here_ns
        remainder_ns += asleep_ns
        if gap_end_ns in pool_starts:
            pooled_ns += idle_ns
        else:
            remainder_ns += idle_ns
    refused = _refused(sample.session, observations, gaps, idle, blocked)
    own_ns = min(refused.total(), remainder_ns)
    remainder_ns -= own_ns
    before_tools_ns = min(refused.total() - own_ns, pooled_ns)
    held = held.at_most(remainder_ns)
    remainder_ns -= held.needed_ns + held.in_turn_ns
    cpu_ns = min(attributed_ns, busy_ns)
    parts = TimeParts(
        llm=sum(spent[State.MODEL].values()),
        tool=sum(spent[State.TOOL].values()) + held.needed_ns,
        serialised=serialised_ns + held.in_turn_ns,
        admission=(
            admission_ns
            + pooled_ns
            - before_tools_ns
            + late_by_pool_ns
            + sum(spent[State.ADMISSION].values())
        ),
        connection=sum(spent[State.CONNECTION].values()),
        ready=late_ns + sum(spent[State.READY].values()) + blocked_ns + busy_ns - cpu_ns,
        retry=sum(spent[State.RETRY].values()) + own_ns + before_tools_ns,
        cpu=cpu_ns,
        remainder=remainder_ns,
    )
    return parts, held


def _refused(
    session: int,
    observations: Observations,
    gaps: Sequence[tuple[int, int]],
    idle: Idle,
    blocked: BlockedTimes,
) -> Counter[str]:
    refusals = observations.refusals_of.get(session, ())
    waits = observations.waits_of.get(session, ())

    def idle_ns(begin_ns: int, end_ns: int) -> int:
        blocked_ns = blocked.by_others_ns(begin_ns, end_ns, session)
        return idle.between(begin_ns, end_ns) - blocked_ns

    return refused_costs_ns(refusals, waits, gaps, idle_ns)


def _swept(
    begin_ns: int, end_ns: int, segments: Iterable[Segment]
) -> tuple[dict[State, Counter[int]], Counter[int], list[tuple[int, int]]]:
    """Return the time in each state by round, and the spans of time that are in none.

    Between them, by round, stands for how long a tool waited for a thread beside another wait.
    """
    spent: dict[State, Counter[int]] = {state: Counter() for state in State}
    pooled_in: Counter[int] = Counter()
    gaps: list[tuple[int, int]] = []
    for moment in states(begin_ns, end_ns, segments):
        if moment.state is not None:
            length_ns = moment.end_ns - moment.begin_ns
            spent[moment.state][moment.in_round] += length_ns
            if moment.admissions and moment.state < State.ADMISSION:
                pooled_in[moment.in_round] += length_ns
        elif gaps and gaps[-1][1] == moment.begin_ns:
            gaps[-1] = gaps[-1][0], moment.end_ns
        else:
            gaps.append((moment.begin_ns, moment.end_ns))
    return spent, pooled_in, gaps


def _serialise(
    spent: dict[State, Counter[int]], pooled_in: Counter[int], script: SessionScript, cores: int
) -> tuple[int, int]:
    """Take from each round's waits what exceeds the round's critical path.

    Args:
        spent: The time in each state, by round.
        pooled_in: For how much of it a tool waited for a thread, by round.
        script: What the session plays.
        cores: As for ``tools_ns``.

    Returns:
        What ran one after another though it had what it needed, and what did so for want of a
        thread.
    """
    serialised_ns = late_by_pool_ns = 0
    for step, call in enumerate(script.model_calls):
        tool_ns, model_ns = spent[State.TOOL][step], spent[State.MODEL][step]
        excess_ns = max(0, tool_ns + model_ns - tools_ns(call, cores))
        from_tools_ns = min(excess_ns, tool_ns)
        spent[State.TOOL][step] -= from_tools_ns
        spent[State.MODEL][step] -= excess_ns - from_tools_ns
        pooled_ns = min(excess_ns, pooled_in[step])
        late_by_pool_ns += pooled_ns
        serialised_ns += excess_ns - pooled_ns
    return serialised_ns, late_by_pool_ns
