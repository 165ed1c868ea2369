"""Until when a session of an open loop waited for its place under the concurrency limit. Pure.

A session that begins after its arrival may have waited for a place, or have had one while the event
loop was blocked or the interpreter busy. Places are given in the order of the arrivals, so
each session takes the one that is free first, and what is left of its delay is no wait for a place.
"""

from collections.abc import Mapping, Sequence
from heapq import heappush, heapreplace

from ..results.samples import SessionSample


def admitted_ns(samples: Sequence[SessionSample], places: int | None) -> Mapping[int, int]:
    """Return when each session had a place, between its arrival and its start.

    Args:
        samples: All sessions; those of a closed loop are left out.
        places: How many sessions may be in flight; ``None`` for any number.

    Returns:
        The times by the sessions' numbers, counted as in the samples.
    """
    free_ns: list[int] = []
    admitted: dict[int, int] = {}
    arrivals = [(each.intended_ns, each) for each in samples if each.intended_ns is not None]
    for intended_ns, sample in sorted(arrivals, key=lambda pair: (pair[0], pair[1].session)):
        admitted[sample.session] = intended_ns
        if places is None:
            continue
        if len(free_ns) < places:
            heappush(free_ns, sample.end_ns)
            continue
        place_ns = heapreplace(free_ns, sample.end_ns)
        admitted[sample.session] = max(intended_ns, min(place_ns, sample.start_ns))
    return admitted
