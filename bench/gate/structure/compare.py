"""The structure tier: compares virtual time, and finds what became worse. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from ...results.records import LatencySummary
from ...results.verdict import Change, ChangeKind, PartChange
from ..tolerances import Tolerances, within
from .measure import BlockedPlace, RoundStructure, Structure

_NO_ROUND = RoundStructure(calls={}, sessions=0, span_s=0.0, longest_s=0.0, total_s=0.0)
_MOST_NAMED = 3
_EQUAL_CALLS = {
    "retries": ChangeKind.RETRIED_MODEL_CALLS,
    "repeats": ChangeKind.REPEATED_MODEL_CALLS,
    "hedges": ChangeKind.HEDGED_MODEL_CALLS,
    "samples": ChangeKind.SAMPLED_MODEL_CALLS,
}
_LATENCY_FIGURES = tuple(part.name for part in fields(LatencySummary))


def is_same_workload(before: Structure, after: Structure) -> bool:
    """Say whether both faced the same script: only then do they compare."""
    return (before.ideal_makespan_s, before.ideal_latency_s, before.started) == (
        after.ideal_makespan_s,
        after.ideal_latency_s,
        after.started,
    )


def other_tool_calls(before: Structure, after: Structure) -> Change | None:
    """Return by how many calls of tools two structures differ, if they do."""
    if before.tool_calls == after.tool_calls:
        return None
    return _count(ChangeKind.TOOL_CALLS, before.tool_calls, after.tool_calls, before.started)


def structure_changes(
    before: Structure, after: Structure, tolerances: Tolerances
) -> Iterator[Change]:
    """Yield what is not as it was.

    Virtual time has no noise, so each difference is one of the code.
    """
    yield from _leaks(before, after)
    yield from _sessions(before, after)
    yield from _model_calls(before, after, tolerances)
    yield from _streamed(before, after)
    size = request_bytes_change(before, after)
    if size is not None and not within(size.before, size.after, tolerances.request_bytes):
        yield size
    yield from _tokens(before, after, tolerances)
    for change in service_bytes_changes(before, after):
        if not within(change.before, change.after, tolerances.request_bytes):
            yield change
    yield from _by_host(
        ChangeKind.REFUSED_REQUESTS,
        before.refused_requests,
        after.refused_requests,
        before.started,
    )
    yield from _blocked(before.blocked_loop, after.blocked_loop, tolerances)
    yield from _rounds(before.rounds, after.rounds, tolerances)
    if not within(before.tool_calls, after.tool_calls, tolerances.tool_calls):
        yield _count(ChangeKind.TOOL_CALLS, before.tool_calls, after.tool_calls, before.started)
    # More tools at once are no harm, and come with rounds that overlap better. More calls of
    # the model run into its rate limit.
    if after.peak_in_flight > before.peak_in_flight * (1 + tolerances.peak_in_flight):
        yield Change(
            kind=ChangeKind.PEAK_IN_FLIGHT,
            is_worse=True,
            before=before.peak_in_flight,
            after=after.peak_in_flight,
        )
    if not within(before.makespan_s, after.makespan_s, tolerances.makespan):
        yield _more_is_worse(ChangeKind.MAKESPAN, before.makespan_s, after.makespan_s)
    yield from _percentiles(
        ChangeKind.LATENCY, asdict(before.latency_s), asdict(after.latency_s), tolerances
    )
    for kind in (ChangeKind.TTFT, ChangeKind.ITL, ChangeKind.FIRST_OUTPUT):
        yield from _percentiles(kind, getattr(before, kind), getattr(after, kind), tolerances)


def gain(before: Structure, after: Structure) -> float:
    """Return the fraction by which makespan or mean latency fell, whichever fell more."""
    pairs = (
        (before.makespan_s, after.makespan_s),
        (before.latency_s.mean, after.latency_s.mean),
    )
    return max((1 - new / old for old, new in pairs if old and new is not None), default=0.0)


def request_bytes_change(before: Structure, after: Structure) -> Change | None:
    """Return by how much the requests to the model have changed in size, if they have."""
    old, new = before.request_bytes, after.request_bytes
    if old is None or new is None or old == new:
        return None
    return _more_is_worse(
        ChangeKind.REQUEST_BYTES,
        old,
        new,
        sessions=before.started,
        parts=tuple(_parts(before, after, rises=new > old)),
    )


def service_bytes_changes(before: Structure, after: Structure) -> Iterator[Change]:
    """Yield by how much the requests to each service have changed in size, if they have."""
    yield from _by_host(
        ChangeKind.SERVICE_REQUEST_BYTES,
        before.service_request_bytes,
        after.service_request_bytes,
        before.started,
    )


def _by_host(
    kind: ChangeKind,
    before: Mapping[str, int] | None,
    after: Mapping[str, int] | None,
    sessions: int,
) -> Iterator[Change]:
    """Yield each host's change; none where one side does not record it."""
    if before is None or after is None:
        return
    for host in sorted({*before, *after}):
        counts = before.get(host, 0), after.get(host, 0)
        if counts[0] != counts[1]:
            yield _more_is_worse(kind, *counts, name=host, sessions=sessions)


def _tokens(before: Structure, after: Structure, tolerances: Tolerances) -> Iterator[Change]:
    """Yield how many more tokens there are, or fewer; none where one side does not record them."""
    for kind in (ChangeKind.PROMPT_TOKENS, ChangeKind.COMPLETION_TOKENS):
        old, new = getattr(before, kind), getattr(after, kind)
        if old is not None and new is not None and not within(old, new, tolerances.tokens):
            yield _count(kind, old, new, before.started)


def _percentiles(
    kind: ChangeKind,
    before: Mapping[str, float | None] | None,
    after: Mapping[str, float | None] | None,
    tolerances: Tolerances,
) -> Iterator[Change]:
    """Yield each figure that has changed, of those that both sides have."""
    if before is None or after is None:
        return
    for name in _LATENCY_FIGURES:
        old, new = before.get(name), after.get(name)
        if old is not None and new is not None and not within(old, new, tolerances.latency):
            yield _more_is_worse(kind, old, new, name=name)


def _parts(before: Structure, after: Structure, *, rises: bool) -> Iterator[PartChange]:
    old, new = before.request_parts or {}, after.request_parts or {}
    differences = {name: new.get(name, 0) - old.get(name, 0) for name in {*old, *new}}
    towards = [item for item in differences.items() if item[1] and (item[1] > 0) == rises]
    for name, change in sorted(towards, key=lambda item: (-abs(item[1]), item[0]))[:_MOST_NAMED]:
        yield PartChange(name, change / before.started)


def _streamed(before: Structure, after: Structure) -> Iterator[Change]:
    old, new = before.streamed_model_calls, after.streamed_model_calls
    if old is None or new is None:
        return
    whole_before, whole_after = before.model_calls - old, after.model_calls - new
    # A streamed call more, or fewer, is a model call more, or fewer: this is about those that
    # are made either way.
    if (new - old) * (whole_after - whole_before) < 0:
        yield Change(
            kind=ChangeKind.STREAMED_MODEL_CALLS,
            is_worse=new < old,
            before=old,
            after=new,
        )


def _more_is_worse(kind: ChangeKind, before: float, after: float, **which: Any) -> Change:
    return Change(kind=kind, is_worse=after > before, before=before, after=after, **which)


def _leaks(before: Structure, after: Structure) -> Iterator[Change]:
    """Yield the sessions that took up another's text: none is right, whatever the baseline has."""
    old, new = before.leaked_sessions, after.leaked_sessions
    if old or new:
        yield Change(
            kind=ChangeKind.LEAKED_SESSIONS,
            is_worse=new > 0,
            before=old,
            after=new,
            sessions=after.started,
        )


def _sessions(before: Structure, after: Structure) -> Iterator[Change]:
    if before.succeeded != after.succeeded:
        yield Change(
            kind=ChangeKind.SESSIONS_SUCCEEDED,
            is_worse=after.succeeded < before.succeeded,
            before=before.succeeded,
            after=after.succeeded,
            sessions=after.started,
        )


def _model_calls(before: Structure, after: Structure, tolerances: Tolerances) -> Iterator[Change]:
    if not within(before.model_calls, after.model_calls, tolerances.model_calls):
        yield _count(ChangeKind.MODEL_CALLS, before.model_calls, after.model_calls, before.started)
    for kind, old, new in _equal_calls(before, after):
        if not within(old, new, tolerances.model_calls):
            yield _count(kind, old, new, before.started)


def _equal_calls(before: Structure, after: Structure) -> Iterator[tuple[ChangeKind, int, int]]:
    """Yield how many calls are equal to another; all as retries where one side knows no more."""
    if before.equal_model_calls is None or after.equal_model_calls is None:
        old, new = before.repeated_model_calls, after.repeated_model_calls
        yield ChangeKind.RETRIED_MODEL_CALLS, old, new
        return
    for name, kind in _EQUAL_CALLS.items():
        yield kind, before.equal_model_calls.get(name, 0), after.equal_model_calls.get(name, 0)


def _count(kind: ChangeKind, before: int, after: int, sessions: int) -> Change:
    return _more_is_worse(kind, before, after, sessions=sessions)


def _blocked(
    before: Mapping[str, BlockedPlace],
    after: Mapping[str, BlockedPlace],
    tolerances: Tolerances,
) -> Iterator[Change]:
    nowhere = BlockedPlace(times=0, total_s=0.0)
    for place in sorted({*before, *after}):
        old, new = before.get(place, nowhere), after.get(place, nowhere)
        if within(old.total_s, new.total_s, tolerances.blocked_loop):
            continue
        yield _more_is_worse(
            ChangeKind.BLOCKED_LOOP, old.total_s, new.total_s, name=place, count=new.times
        )


def _rounds(
    before: Mapping[str, RoundStructure],
    after: Mapping[str, RoundStructure],
    tolerances: Tolerances,
) -> Iterator[Change]:
    for step in sorted(before.keys() | after.keys(), key=int):
        old, new = before.get(step, _NO_ROUND), after.get(step, _NO_ROUND)
        if old.calls != new.calls:
            yield from _tools(step, old.calls, new.calls)
            continue
        if within(old.span_s, new.span_s, tolerances.latency):
            continue
        kind, is_worse = ChangeKind.ROUND, new.span_s > old.span_s
        if _overlaps(old) is not _overlaps(new):
            kind, is_worse = ChangeKind.OVERLAP, _overlaps(old)
        yield Change(
            kind=kind,
            is_worse=is_worse,
            before=old.span_s,
            after=new.span_s,
            round=int(step) + 1,
            count=sum(new.calls.values()) // new.sessions,
        )


def _tools(step: str, before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name, 0), after.get(name, 0)
        if old != new:
            yield _more_is_worse(
                ChangeKind.CALLS_OF_A_TOOL, old, new, name=name, round=int(step) + 1
            )


def _overlaps(round_: RoundStructure) -> bool:
    # One after another they may take longer still: something may lie between them.
    return round_.span_s < round_.total_s
