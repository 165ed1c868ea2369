"""One result of the processes that shared the sessions of a trial."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.played import Played
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.time_parts import TimeParts
from warpbench.bench.results.timeline import Vitals
from warpbench.bench.results.trial_result import TrialResult
from warpbench.bench.statistics.percentiles import summarise
from warpbench.bench.statistics.shards import pooled
from warpbench.mocks.observe.streams import Streams

pytestmark = pytest.mark.once

SPANS = st.tuples(st.integers(0, 1000), st.integers(1, 1000), st.sampled_from(list(Outcome)))


def shard(sessions: dict[int, tuple[int, int]], **more: object) -> TrialResult:
    """A trial of sessions by number, each with its begin and its end; they took what they need."""
    samples = tuple(
        SessionSample(number, Outcome.SUCCEEDED, begin_ns, end_ns)
        for number, (begin_ns, end_ns) in sessions.items()
    )
    trial = TrialResult(
        samples=samples,
        makespan_ns=max(sample.end_ns for sample in samples),
        ideal_makespan_ns=max(sample.end_ns for sample in samples),
        ideal_latencies_ns=tuple(sample.latency_ns for sample in samples),
        llm_calls=2 * len(samples),
        tool_calls=len(samples),
        peak_in_flight=1,
        cpu_s=0.25,
        peak_rss_bytes=1_000,
        elapsed_s=0.5,
    )
    return replace(trial, **more)  # type: ignore[arg-type]


def test_what_processes_did_is_added_up_and_what_took_them_both_is_the_longest() -> None:
    shards = [shard({0: (0, 10), 2: (10, 30)}), shard({1: (0, 40)}, elapsed_s=0.75)]

    found = pooled(shards, [(0, 2), (1,)])

    assert (found.llm_calls, found.tool_calls, found.peak_in_flight) == (6, 3, 2)
    assert (found.cpu_s, found.peak_rss_bytes) == (0.5, 2_000)
    assert (found.makespan_ns, found.ideal_makespan_ns, found.elapsed_s) == (40, 40, 0.75)


def test_samples_are_in_the_order_of_their_ends_with_their_parts() -> None:
    parts = {number: TimeParts(llm=number) for number in range(3)}
    shards = [
        shard({0: (0, 10), 2: (10, 30)}, time_parts_ns=(parts[0], parts[2])),
        shard({1: (0, 20)}, time_parts_ns=(parts[1],)),
    ]

    found = pooled(shards, [(0, 2), (1,)])

    assert [sample.session for sample in found.samples] == [0, 1, 2]
    assert found.time_parts_ns == (parts[0], parts[1], parts[2])


def test_references_are_in_the_order_of_the_script() -> None:
    played = [
        Played(model_calls=calls, serving_ns=0, script_makespan_ns=0, script_latencies_ns=ns)
        for calls, ns in (((1, 3), (10, 30)), ((2,), (20,)))
    ]
    shards = [
        shard({0: (0, 10), 2: (0, 30)}, played=played[0]),
        shard({1: (0, 20)}, played=played[1]),
    ]

    found = pooled(shards, [(0, 2), (1,)])

    assert found.ideal_latencies_ns == (10, 20, 30)
    assert found.played is not None
    assert found.played.model_calls == (1, 2, 3)
    assert found.played.script_latencies_ns == (10, 20, 30)


def test_streams_keep_every_gap() -> None:
    one = Streams(session=(0,), ttft_ns=(5,), longest_gap_ns=(3,), span_ns=(6,), tokens=(3,))
    shards = [
        shard({0: (0, 10)}, streams=replace(one, gaps={3: 2}, completion_tokens=3)),
        shard({1: (0, 10)}, streams=replace(one, session=(1,), gaps={2: 1, 3: 1})),
    ]

    found = pooled(shards, [(0,), (1,)]).streams

    assert (found.session, found.ttft_ns) == ((0, 1), (5, 5))
    assert found.gaps == {2: 1, 3: 3}
    assert found.completion_tokens == 3


def test_resource_use_is_that_of_all_at_the_times_of_the_longest() -> None:
    short = Vitals(
        at_ns=(10, 20),
        loop_lag_ns=(1, 9),
        in_flight=(1, 0),
        sessions=(2, 0),
        threads=(3, 3),
        tasks=(1, 0),
        rss_bytes=(100, 110),
        cpu_ns=(5, 8),
        gc_pause_ns=(1, 1),
    )
    long = Vitals(
        at_ns=(12, 25, 40),
        loop_lag_ns=(2, 2, 2),
        in_flight=(1, 1, 0),
        sessions=(2, 2, 0),
        threads=(4, 4, 4),
        tasks=(1, 1, 0),
        rss_bytes=(200, 200, 200),
        cpu_ns=(6, 12, 20),
        gc_pause_ns=(0, 2, 0),
    )
    shards = [shard({0: (0, 20)}, vitals=short), shard({1: (0, 40)}, vitals=long)]

    found = pooled(shards, [(0,), (1,)]).vitals

    assert found is not None
    assert found.at_ns == (12, 25, 40)
    assert found.loop_lag_ns == (2, 9, 2)
    assert found.sessions == (4, 2, 0)
    assert found.rss_bytes == (300, 310, 310)
    assert found.cpu_ns == (11, 20, 28)
    assert found.gc_pause_ns == (1, 3, 0)


@given(spans=st.lists(SPANS, min_size=2, max_size=40), count=st.integers(1, 4))
def test_percentiles_and_counts_are_those_of_all_sessions(
    spans: list[tuple[int, int, Outcome]], count: int
) -> None:
    samples = [
        SessionSample(number, outcome, begin_ns, begin_ns + length_ns)
        for number, (begin_ns, length_ns, outcome) in enumerate(spans)
    ]
    dealt = [samples[number::count] for number in range(count) if samples[number::count]]
    shards = [
        replace(
            shard({0: (0, 1)}),
            samples=tuple(each),
            ideal_latencies_ns=tuple(sample.latency_ns for sample in each),
        )
        for each in dealt
    ]

    found = pooled(shards, [[sample.session for sample in each] for each in dealt])

    assert Counter(found.samples) == Counter(samples)
    assert summarise([each.latency_ns for each in found.samples]) == summarise(
        [each.latency_ns for each in samples]
    )
