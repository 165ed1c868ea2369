"""What the first sessions of a trial did, moment by moment: for a picture. Pure.

Beside the states that waits tell of there are those of a gap. Where nobody computed, the session
waited for a place or in its own code; after a refused request, until it did something else, that is
the request's cost, a retry. Where somebody did, the gap is the session's own if most of what it may
have computed in all its gaps was attributed to it, and else it was ready. What is known of the
waits of its own code comes before both.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ...mocks.observe.waits import Wait
from ..results.blocked_loop import BlockedLoop
from ..results.samples import SessionSample
from ..results.timeline import BlockedSpan, Lane, LaneState, Timeline
from .observations import BlockedTimes, Observations
from .own_waits import Awaited, ObservedWait, own_spans
from .places import admitted_ns
from .segments import State, StateSpan, segments_of, states, tool_begins_ns

MOST_LANES = 24
_FINEST = 1500
_MOST_BLOCKED = 300
_STATES = {
    State.MODEL: LaneState.MODEL,
    State.TOOL: LaneState.TOOL,
    State.CONNECTION: LaneState.CONNECTION,
    State.ADMISSION: LaneState.ADMISSION,
    State.RETRY: LaneState.RETRY,
    State.READY: LaneState.READY,
}


class _Step(NamedTuple):
    """What a session does from a moment on, and in which of the places of its own code it waits."""

    from_ns: int
    state: LaneState
    place: int = -1


def timeline(samples: Sequence[SessionSample], observations: Observations) -> Timeline:
    """Return what the sessions that began first did.

    Args:
        samples: All the sessions.
        observations: What the mocks and the meters know.

    Returns:
        Their lanes, in the order of their begins; in each, what is shorter than one part in
        1,500 of the whole picture belongs to what came before.
    """
    first = sorted(samples, key=lambda sample: (sample.start_ns, sample.session))[:MOST_LANES]
    if not first:
        return Timeline()
    end_ns = max(sample.end_ns for sample in first)
    begin_ns = min(_begin_ns(sample) for sample in first)
    finest_ns = (end_ns - begin_ns) // _FINEST
    blocked = BlockedTimes(observations.blocked_loop)
    admitted = admitted_ns(samples, observations.places)
    places: dict[str, int] = {}
    lanes = tuple(
        _lane(
            sample,
            observations.waits_of.get(sample.session, ()),
            observations,
            blocked,
            places,
            has_place_ns=admitted.get(sample.session, sample.start_ns),
            finest_ns=finest_ns,
        )
        for sample in first
    )
    return Timeline(
        lanes=lanes,
        blocked=_blocked(observations.blocked_loop, observations.origin_ns, end_ns),
        places=tuple(places),
    )


def _lane(
    sample: SessionSample,
    waits: Sequence[Wait],
    observations: Observations,
    blocked: BlockedTimes,
    places: dict[str, int],
    *,
    has_place_ns: int,
    finest_ns: int,
) -> Lane:
    begin_ns, end_ns = (
        observations.origin_ns + sample.start_ns,
        observations.origin_ns + sample.end_ns,
    )
    script = observations.scripts[sample.session]
    refusals = observations.refusals_of.get(sample.session, ())
    refused_ns = frozenset(refusal.at_ns for refusal in refusals)
    life = [
        part
        for moment in states(begin_ns, end_ns, segments_of(script, waits))
        for part in _cut_at_first(refused_ns, moment)
    ]
    idle = observations.idle_of(sample, begin_ns, end_ns)
    gaps_ns = sum(each.end_ns - each.begin_ns for each in life if each.state is None)
    is_own = 2 * observations.cpu_ns.get(sample.session, 0) >= gaps_ns
    pool_starts = tool_begins_ns(waits)

    def state_of(moment: StateSpan) -> LaneState:
        if moment.state is State.TOOL and moment.tools > 1:
            return LaneState.TOOLS
        if moment.state is not None:
            return _STATES[moment.state]
        length_ns = moment.end_ns - moment.begin_ns
        blocked_ns = blocked.by_others_ns(moment.begin_ns, moment.end_ns, sample.session)
        if 2 * blocked_ns >= length_ns:
            return LaneState.READY
        if 2 * idle.between(moment.begin_ns, moment.end_ns) >= length_ns:
            if moment.begin_ns in refused_ns:
                return LaneState.RETRY
            return LaneState.ADMISSION if moment.end_ns in pool_starts else LaneState.OTHER
        return LaneState.OWN if is_own else LaneState.READY

    steps = _before_start(sample, has_place_ns)
    own_waits = observations.own_waits.of.get(sample.session, ())
    for moment, place in _with_places(life, own_waits, refused_ns):
        state, at = state_of(moment), -1
        if place:
            state, at = LaneState.OWN_WAIT, places.setdefault(place, len(places))
        steps.append(_Step(moment.begin_ns - observations.origin_ns, state, at))
    kept = list(_coarsened(steps, sample.end_ns, finest_ns))
    has_places = any(step.place >= 0 for step in kept)
    return Lane(
        session=sample.session,
        outcome=sample.outcome,
        end_ns=sample.end_ns,
        from_ns=tuple(step.from_ns for step in kept),
        state=tuple(step.state for step in kept),
        place=tuple(step.place for step in kept) if has_places else (),
    )


def _before_start(sample: SessionSample, has_place_ns: int) -> list[_Step]:
    steps = []
    if sample.intended_ns is not None and sample.intended_ns < has_place_ns:
        steps.append(_Step(sample.intended_ns, LaneState.ADMISSION))
    if has_place_ns < sample.start_ns:
        steps.append(_Step(has_place_ns, LaneState.READY))
    return steps


def _with_places(
    life: Iterable[StateSpan], waits: Sequence[ObservedWait], refused_ns: frozenset[int]
) -> Iterator[tuple[StateSpan, str]]:
    """Cut gaps where the session's own code begins and ends to wait, with the place of each part.

    What a refused request costs is left as it is.
    """
    for moment in life:
        if moment.state is not None or moment.begin_ns in refused_ns or not waits:
            yield moment, ""
        else:
            yield from _cut_at_waits(moment, waits)


def _cut_at_waits(gap: StateSpan, waits: Sequence[ObservedWait]) -> Iterator[tuple[StateSpan, str]]:
    at_ns = gap.begin_ns
    for span in own_spans(waits, [(gap.begin_ns, gap.end_ns)]):
        if span.waits[0].awaited is Awaited.BESIDE:
            continue
        if span.begin_ns > at_ns:
            yield gap._replace(begin_ns=at_ns, end_ns=span.begin_ns), ""
        yield gap._replace(begin_ns=span.begin_ns, end_ns=span.end_ns), span.waits[0].place
        at_ns = span.end_ns
    if at_ns < gap.end_ns:
        yield gap._replace(begin_ns=at_ns), ""


def _cut_at_first(refused_ns: frozenset[int], moment: StateSpan) -> Iterator[StateSpan]:
    """Cut a gap where a request was refused first: from then on it is what the refusal costs."""
    inside = [at_ns for at_ns in refused_ns if moment.begin_ns < at_ns < moment.end_ns]
    if moment.state is not None or moment.begin_ns in refused_ns or not inside:
        yield moment
        return
    yield moment._replace(end_ns=min(inside))
    yield moment._replace(begin_ns=min(inside))


def _coarsened(steps: Sequence[_Step], end_ns: int, finest_ns: int) -> Iterator[_Step]:
    before: tuple[LaneState, int] | None = None
    for step, following in pairwise([*steps, _Step(end_ns, LaneState.OTHER)]):
        what = step.state, step.place
        if what != before and (before is None or following.from_ns - step.from_ns >= finest_ns):
            yield step
            before = what


def _begin_ns(sample: SessionSample) -> int:
    return sample.start_ns if sample.intended_ns is None else sample.intended_ns


def _blocked(
    blocked: Sequence[BlockedLoop], origin_ns: int, end_ns: int
) -> tuple[BlockedSpan, ...]:
    """Return the longest segments in which a loop was blocked, in the order of time."""
    seen = [each for each in blocked if 0 <= each.start_ns - origin_ns < end_ns]
    longest = sorted(seen, key=lambda each: each.end_ns - each.start_ns, reverse=True)[
        :_MOST_BLOCKED
    ]
    return tuple(
        BlockedSpan(each.start_ns - origin_ns, min(each.end_ns - origin_ns, end_ns), each.place)
        for each in sorted(longest, key=lambda each: each.start_ns)
    )
