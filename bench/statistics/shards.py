"""One result of the processes that shared the sessions of a trial. Pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from ...mocks.observe.pools import summed as pools
from ...mocks.observe.streams import Streams
from ..results.isolation import summed as isolation
from ..results.model_requests import summed as model_requests
from ..results.own_waits import by_place
from ..results.played import Played
from ..results.reference import summed as shared_work
from ..results.refused_hosts import summed_hosts
from ..results.timeline import Vitals
from ..results.tools_not_run import summed as tools_not_run
from ..results.trial_result import TrialResult

T = TypeVar("T")


def pooled(
    shards: Sequence[TrialResult], sessions: Sequence[Sequence[int]], *, share_limits: bool = False
) -> TrialResult:
    """Return what processes that began at one moment measured together.

    Samples are kept, so that percentiles are those of all sessions; counts, CPU time and memory
    are added up. The makespan ends with the last session of all, and the ideal one with the ideal
    of the process that has most to do. A peak is the sum of peaks, which is reached if they
    coincide. Resource use over time is that of all; the picture of the first sessions is that of
    the first process, which has a clock of its own.

    Args:
        shards: What each process measured, at least one; without single waits and calls.
        sessions: The numbers of the sessions of each, in the script's order.
        share_limits: Whether one server served the calls of all processes, within its limits.
    """
    first = shards[0]
    played = _played(sessions, [each.played for each in shards], share_limits=share_limits)
    ideals_ns = [each.ideal_makespan_ns for each in shards]
    if share_limits and played is not None:
        ideals_ns.append(played.serving_ns)
    of_sessions = sorted(
        chain.from_iterable(
            zip(each.samples, each.time_parts_ns or [None] * len(each.samples), strict=True)
            for each in shards
        ),
        key=lambda pair: (pair[0].end_ns, pair[0].session),
    )
    return replace(
        first,
        samples=tuple(sample for sample, _ in of_sessions),
        time_parts_ns=tuple(parts for _, parts in of_sessions if parts is not None),
        makespan_ns=max(each.makespan_ns for each in shards),
        ideal_makespan_ns=max(ideals_ns),
        ideal_latencies_ns=_by_session(sessions, [each.ideal_latencies_ns for each in shards]),
        played=played,
        shared_work=shared_work(each.shared_work for each in shards),
        sessions_without_solo=sum(each.sessions_without_solo for each in shards),
        http_requests=sum(each.http_requests for each in shards),
        llm_calls=sum(each.llm_calls for each in shards),
        streams=_streams([each.streams for each in shards]),
        tool_calls=sum(each.tool_calls for each in shards),
        tools_not_run=tools_not_run(each.tools_not_run for each in shards),
        model_requests=model_requests(each.model_requests for each in shards),
        isolation=isolation(each.isolation for each in shards),
        wrong_requests=tuple(
            sorted(
                chain.from_iterable(each.wrong_requests for each in shards),
                key=lambda request: request.at_ns,
            )
        ),
        own_calls=dict(chain.from_iterable(each.own_calls.items() for each in shards)),
        peak_in_flight=sum(each.peak_in_flight for each in shards),
        cpu_s=sum(each.cpu_s for each in shards),
        peak_rss_bytes=sum(each.peak_rss_bytes for each in shards),
        elapsed_s=max(each.elapsed_s for each in shards),
        blocked_loop=tuple(chain.from_iterable(each.blocked_loop for each in shards)),
        server_capacity_per_s=_sum_of(each.server_capacity_per_s for each in shards),
        server_utilisation=max(
            (each.server_utilisation for each in shards if each.server_utilisation is not None),
            default=None,
        ),
        vitals=_vitals([each.vitals for each in shards if each.vitals is not None]),
        own_waits=by_place(chain.from_iterable(each.own_waits for each in shards)),
        pools=pools(chain.from_iterable(each.pools for each in shards)),
        refused=summed_hosts(chain.from_iterable(each.refused for each in shards)),
        probe_cpu_s=_sum_of(each.probe_cpu_s for each in shards),
        nodes=tuple(dict.fromkeys(chain.from_iterable(each.nodes for each in shards))),
    )


def _by_session(sessions: Sequence[Sequence[int]], columns: Sequence[Sequence[T]]) -> tuple[T, ...]:
    """Return the values of all sessions in the order of their numbers."""
    value_of = dict(
        chain.from_iterable(
            zip(numbers, column, strict=True)
            for numbers, column in zip(sessions, columns, strict=True)
        )
    )
    return tuple(value_of[number] for number in sorted(value_of))


def _played(
    sessions: Sequence[Sequence[int]], found: Sequence[Played | None], *, share_limits: bool
) -> Played | None:
    played = [each for each in found if each is not None]
    if len(played) < len(found):
        return None
    # A server that serves all of them needs at least the sum: a minute's worth is let through at
    # once, but once for all of them.
    together_ns = sum if share_limits else max
    return Played(
        model_calls=_by_session(sessions, [each.model_calls for each in played]),
        serving_ns=together_ns(each.serving_ns for each in played),
        script_makespan_ns=max(each.script_makespan_ns for each in played),
        script_latencies_ns=_by_session(sessions, [each.script_latencies_ns for each in played]),
    )


def _streams(of_shards: Sequence[Streams]) -> Streams:
    gaps: Counter[int] = Counter()
    for each in of_shards:
        gaps.update(each.gaps)
    return Streams(
        session=tuple(chain.from_iterable(each.session for each in of_shards)),
        ttft_ns=tuple(chain.from_iterable(each.ttft_ns for each in of_shards)),
        longest_gap_ns=tuple(chain.from_iterable(each.longest_gap_ns for each in of_shards)),
        span_ns=tuple(chain.from_iterable(each.span_ns for each in of_shards)),
        tokens=tuple(chain.from_iterable(each.tokens for each in of_shards)),
        gaps=_sorted(gaps),
        prompt_tokens=sum(each.prompt_tokens for each in of_shards),
        completion_tokens=sum(each.completion_tokens for each in of_shards),
    )


def _sorted(counts: Mapping[int, int]) -> dict[int, int]:
    return dict(sorted(counts.items()))


def _vitals(of_shards: Sequence[Vitals]) -> Vitals | None:
    """Return the resource use of all, at the times at which that of the longest was read.

    What a process has at a moment is what was read of it last. One whose sessions are over keeps
    its memory and its threads until the others are.
    """
    if not of_shards:
        return None
    longest = max(of_shards, key=lambda each: each.at_ns[-1] if each.at_ns else 0)
    rows = [_row(of_shards, at_ns, since_ns) for since_ns, at_ns in _steps(longest.at_ns)]
    return Vitals(
        at_ns=longest.at_ns,
        loop_lag_ns=tuple(row[0] for row in rows),
        gc_pause_ns=tuple(row[1] for row in rows),
        **{name: tuple(row[place] for row in rows) for place, name in enumerate(_LEVELS, start=2)},
    )


_LEVELS = ("in_flight", "sessions", "threads", "tasks", "rss_bytes", "cpu_ns")


def _steps(times_ns: Sequence[int]) -> Iterable[tuple[int, int]]:
    return zip((-1, *times_ns), times_ns, strict=False)


def _row(of_shards: Sequence[Vitals], at_ns: int, since_ns: int) -> tuple[int, ...]:
    """Return the longest lag and all pauses since the moment before, and the levels at this one."""
    lag_ns = pause_ns = 0
    levels = [0] * len(_LEVELS)
    for each in of_shards:
        begin, end = bisect_right(each.at_ns, since_ns), bisect_right(each.at_ns, at_ns)
        lag_ns = max((lag_ns, *each.loop_lag_ns[begin:end]))
        pause_ns += sum(each.gc_pause_ns[begin:end])
        if end:
            for place, name in enumerate(_LEVELS):
                levels[place] += getattr(each, name)[end - 1]
    return lag_ns, pause_ns, *levels


def _sum_of(values: Iterable[float | None]) -> float | None:
    found = list(values)
    known = [value for value in found if value is not None]
    return sum(known) if len(known) == len(found) else None
