"""What refused requests cost a session: its waits between a refusal and the next thing. Pure.

A client that is refused may ask again, with a pause before each attempt. Such a pause is no wait
that a mock knows of: it is part of a gap (see ``segments``). So from each refusal until the next
thing that the session does (it asks the model or a service, begins a tool, is refused again, or
ends), what is idle in its gaps is the cost of that refusal. Time in which anybody computes is left
out, and so is time in which another session blocked the event loop.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from ...mocks.observe.refusals import Refusal
from ...mocks.observe.waits import Wait


def refused_costs_ns(
    refusals: Sequence[Refusal],
    waits: Iterable[Wait],
    gaps: Sequence[tuple[int, int]],
    idle_ns: Callable[[int, int], int],
) -> Counter[str]:
    """Return what the refused requests of a session cost it, in nanoseconds, by host.

    Args:
        refusals: The refusals, in the order in which they came.
        waits: The session's waits.
        gaps: When no wait of it was under way, in the order of time.
        idle_ns: Returns for how long between two times nobody computed, and nobody else blocked
            the event loop.
    """
    costs_ns: Counter[str] = Counter()
    if not refusals or not gaps:
        return costs_ns
    # A wait of no length at the moment of a refusal is over before it, as far as anybody can tell.
    spans_ns = [(wait.start_ns, wait.end_ns) for wait in waits]
    last_ns = gaps[-1][1]
    for each, following in pairwise((*refusals, None)):
        assert each is not None
        next_ns = min(
            (
                start_ns
                for start_ns, end_ns in spans_ns
                if start_ns > each.at_ns or start_ns == each.at_ns < end_ns
            ),
            default=last_ns,
        )
        until_ns = next_ns if following is None else min(next_ns, following.at_ns)
        for gap_begin_ns, gap_end_ns in gaps:
            begin_ns, end_ns = max(gap_begin_ns, each.at_ns), min(gap_end_ns, until_ns)
            if begin_ns < end_ns:
                costs_ns[each.host] += max(0, idle_ns(begin_ns, end_ns))
    return costs_ns
