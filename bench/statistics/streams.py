"""From streams to figures: time to first token, inter-token latency, tokens a second. Pure.

The names and formulas are those of vLLM's ``benchmark_serving``: the time to first token (TTFT) is
of each streamed call, the inter-token latency (ITL) is each time between two pieces of a stream.
Tokens a second of a call are its tokens after the first, over the time from its first piece to its
last: one over vLLM's time per output token.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from statistics import fmean

from ...mocks.clock import seconds
from ...mocks.observe.streams import Streams
from ..results.records import LatencySummary, RateSummary
from ..results.samples import SessionSample
from .percentiles import (
    PERCENTILES,
    RATE_PERCENTILES,
    nearest_rank,
    percentile,
    samples_for,
    summarise,
)

_NONE = -1


def ttft_of(trials: Iterable[Streams]) -> LatencySummary:
    """Return the time to first token, over all streams that had a first token."""
    return summarise(seconds(each) for trial in trials for each in trial.ttft_ns if each != _NONE)


def itl_of(trials: Iterable[Streams]) -> LatencySummary:
    """Return the inter-token latency, over all gaps of all streams."""
    counts: Counter[int] = Counter()
    for trial in trials:
        counts.update(trial.gaps)
    return summarise_counts(counts)


def first_output_of(samples: Iterable[SessionSample]) -> LatencySummary:
    """Return the time to first output, over all sessions that yielded any."""
    outputs_ns = (sample.output_latency_ns for sample in samples)
    return summarise(seconds(each) for each in outputs_ns if each is not None)


def tokens_per_s_of(trials: Iterable[Streams]) -> RateSummary:
    """Return the tokens a second, over all streams of two tokens or more."""
    return summarise_rates(
        (tokens - 1) / seconds(span_ns)
        for trial in trials
        for tokens, span_ns in zip(trial.tokens, trial.span_ns, strict=True)
        if tokens > 1 and span_ns > 0
    )


def summarise_counts(counts: Mapping[int, int]) -> LatencySummary:
    """Return the percentiles of times in nanoseconds, each with how often it came."""
    ordered = sorted(counts)
    if not ordered:
        return LatencySummary()
    ends = list(accumulate(counts[each] for each in ordered))
    total = ends[-1]

    def at(percent: float) -> float | None:
        if total < samples_for(percent):
            return None
        return seconds(ordered[bisect_right(ends, nearest_rank(total, percent))])

    return LatencySummary(
        **{name: at(percent) for name, percent in PERCENTILES.items()},
        max=seconds(ordered[-1]),
        mean=seconds(sum(each * counts[each] for each in ordered)) / total,
    )


def summarise_rates(rates_per_s: Iterable[float]) -> RateSummary:
    """Return the percentiles of rates, given in any order: what that share does not reach."""
    falling = sorted(rates_per_s, reverse=True)
    if not falling:
        return RateSummary()
    return RateSummary(
        **{name: percentile(falling, 100 - share) for name, share in RATE_PERCENTILES.items()},
        min=falling[-1],
        mean=fmean(falling),
    )


def longest_by_session(
    sessions: Sequence[int], streams: Streams, lengths_ns: Sequence[int]
) -> tuple[int, ...]:
    """Return the longest of the times of each session's streams; none at all if no stream has one.

    Args:
        sessions: The sessions.
        streams: The streams.
        lengths_ns: A time of each stream; -1 where it has none.

    Returns:
        A time for each session, -1 for one without; empty if all are without.
    """
    longest_ns: dict[int, int] = {}
    for session, length_ns in zip(streams.session, lengths_ns, strict=True):
        longest_ns[session] = max(length_ns, longest_ns.get(session, _NONE))
    found = tuple(longest_ns.get(session, _NONE) for session in sessions)
    return found if any(each != _NONE for each in found) else ()
