"""The structure tier: compares virtual time, and says what became worse and why. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import fields

from ...results.records import LatencySummary
from ...results.verdict import Change
from ..tolerances import Tolerances, within
from ..words import counted, number, seconds_in_words
from .measure import BlockedPlace, RoundStructure, Structure

_NO_ROUND = RoundStructure(calls={}, sessions=0, span_s=0.0, longest_s=0.0, total_s=0.0)
_LATENCY_FIGURES = tuple(part.name for part in fields(LatencySummary))


def is_same_workload(before: Structure, after: Structure) -> bool:
    """Say whether both faced the same script: only then do they compare."""
    return (before.ideal_makespan_s, before.ideal_latency_s, before.started) == (
        after.ideal_makespan_s,
        after.ideal_latency_s,
        after.started,
    )


def structure_changes(
    before: Structure, after: Structure, tolerances: Tolerances
) -> Iterator[Change]:
    """Yield what is not as it was, causes first.

    Virtual time has no noise, so each difference is one of the code.
    """
    yield from _sessions(before, after)
    yield from _model_calls(before, after, tolerances)
    yield from _blocked(before.blocked_loop, after.blocked_loop, tolerances)
    yield from _rounds(before.rounds, after.rounds, tolerances)
    if not within(before.tool_calls, after.tool_calls, tolerances.tool_calls):
        yield _count("tool call", before.tool_calls, after.tool_calls, before.started)
    # More tools at once are no harm, and come with rounds that overlap better. More calls of
    # the model run into its rate limit.
    if after.peak_in_flight > before.peak_in_flight * (1 + tolerances.peak_in_flight):
        yield Change(
            f"up to {after.peak_in_flight} model calls at once, before "
            f"{before.peak_in_flight}: is a limit lost?",
            is_worse=True,
        )
    yield from _time("makespan", before.makespan_s, after.makespan_s, tolerances.makespan)
    for name in _LATENCY_FIGURES:
        old, new = getattr(before.latency_s, name), getattr(after.latency_s, name)
        if old is not None and new is not None:
            yield from _time(f"latency {name}", old, new, tolerances.latency)


def gain(before: Structure, after: Structure) -> float:
    """Return the fraction by which makespan or mean latency fell, whichever fell more."""
    pairs = (
        (before.makespan_s, after.makespan_s),
        (before.latency_s.mean, after.latency_s.mean),
    )
    return max((1 - new / old for old, new in pairs if old and new is not None), default=0.0)


def _sessions(before: Structure, after: Structure) -> Iterator[Change]:
    if before.succeeded != after.succeeded:
        yield Change(
            f"{after.succeeded} of {after.started} sessions succeed, before {before.succeeded}",
            after.succeeded < before.succeeded,
        )


def _model_calls(before: Structure, after: Structure, tolerances: Tolerances) -> Iterator[Change]:
    if not within(before.model_calls, after.model_calls, tolerances.model_calls):
        yield _count("model call", before.model_calls, after.model_calls, before.started)
    old, new = before.repeated_model_calls, after.repeated_model_calls
    if not within(old, new, tolerances.model_calls):
        yield Change(f"{counted(new, 'model call')} repeated, before {old}", new > old)


def _count(what: str, before: int, after: int, sessions: int) -> Change:
    difference = after - before
    if difference % sessions == 0:
        text = f"{counted(difference // sessions, what, signed=True)} per session"
    else:
        text = f"{counted(difference, what, signed=True)} in {sessions} sessions"
    return Change(f"{text} ({number(before)} → {number(after)})", difference > 0)


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
        if new.times == 0:
            yield Change(f"`{place}` no longer blocks the event loop", is_worse=False)
            continue
        was = f", before {seconds_in_words(old.total_s)}" if old.times else ""
        yield Change(
            f"`{place}` blocks the event loop: {counted(new.times, 'time')}, "
            f"{seconds_in_words(new.total_s)} in all{was}",
            new.total_s > old.total_s,
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
        calls = counted(sum(new.calls.values()) // new.sessions, "tool call")
        span = f"{seconds_in_words(old.span_s)} → {seconds_in_words(new.span_s)}"
        where = f"the {calls} of round {int(step) + 1}"
        if _overlaps(old) and not _overlaps(new):
            yield Change(f"{where} no longer overlap ({span})", is_worse=True)
        elif _overlaps(new) and not _overlaps(old):
            yield Change(f"{where} overlap now ({span})", is_worse=False)
        else:
            slower = new.span_s > old.span_s
            yield Change(f"{where} take {'longer' if slower else 'less'} ({span})", slower)


def _tools(step: str, before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name, 0), after.get(name, 0)
        if old != new:
            calls = counted(
                new - old, f"call of `{name}`", signed=True, plural=f"calls of `{name}`"
            )
            yield Change(f"{calls} in round {int(step) + 1} ({old} → {new})", new > old)


def _overlaps(round_: RoundStructure) -> bool:
    # One after another they may take longer still: something may lie between them.
    return round_.span_s < round_.total_s


def _time(what: str, before_s: float, after_s: float, tolerance: float) -> Iterator[Change]:
    if not within(before_s, after_s, tolerance):
        by = f" ({after_s / before_s - 1:+.1%})" if before_s else ""
        times = f"{seconds_in_words(before_s)} → {seconds_in_words(after_s)}"
        yield Change(f"{what} {times}{by}", after_s > before_s)
