"""The ideal: computed by hand where that is possible, bounded from below everywhere else."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warpbench.mocks.scenario import load_scenario
from warpbench.mocks.workload.ideal import Waits, ideal_latencies_ns, ideal_makespan_ns
from warpbench.mocks.workload.script import (
    ModelCallScript,
    Script,
    SessionScript,
    ToolCallScript,
    ToolKind,
    draw,
)

pytestmark = pytest.mark.once

# To draw scripts takes long; the slow suite draws twice as many.
SOME = settings(max_examples=20)

S = 1_000_000_000
ASYNC, BLOCKING, CPU = ToolKind.ASYNC, ToolKind.BLOCKING, ToolKind.CPU
Tools = list[tuple[ToolKind, int]]


def session(*rounds: tuple[int, Tools], number: int = 0) -> SessionScript:
    """A session of (model latency, tools) rounds."""
    return SessionScript(
        number,
        tuple(
            ModelCallScript(
                latency_ns, 1, 1, tuple(ToolCallScript("t", "{}", kind, ns) for kind, ns in tools)
            )
            for latency_ns, tools in rounds
        ),
    )


def script(*sessions: SessionScript) -> Script:
    return Script("by-hand", 0, sessions)


def waiting(*latencies_ns: int) -> Script:
    """One model call a session."""
    return script(*(session((latency_ns, [])) for latency_ns in latencies_ns))


class TestSession:
    @pytest.mark.parametrize(
        ("tools", "cores", "expected"),
        [
            ([], 1, 0),
            ([(ASYNC, 3), (ASYNC, 5), (BLOCKING, 4)], 1, 5),
            ([(CPU, 3), (CPU, 5)], 1, 8),
            ([(CPU, 3), (CPU, 5)], 2, 5),
            ([(CPU, 4), (CPU, 4), (CPU, 4)], 2, 6),
            ([(CPU, 3), (CPU, 2)], 2, 3),
            ([(CPU, 1), (CPU, 1), (CPU, 1)], 2, 1),  # 1.5, a lower bound rounds down
            ([(CPU, 3), (CPU, 5), (ASYNC, 7)], 1, 8),
            ([(CPU, 3), (CPU, 5), (BLOCKING, 9)], 1, 9),
        ],
    )
    def test_tools_of_a_round_overlap_and_computing_fills_the_cores(
        self, tools: Tools, cores: int, expected: int
    ) -> None:
        drawn = script(session((10, tools), (20, [])))
        assert ideal_latencies_ns(drawn, Waits.ALL, cores) == (30 + expected,)

    @pytest.mark.parametrize(
        ("waits", "expected"), [(Waits.ALL, 60), (Waits.MODEL, 52), (Waits.FIRST_CALL, 10)]
    )
    def test_only_the_declared_waits_count(self, waits: Waits, expected: int) -> None:
        drawn = script(session((10, [(ASYNC, 3), (CPU, 2)]), (20, [(BLOCKING, 5)]), (22, [])))
        assert ideal_latencies_ns(drawn, waits, 1) == (expected,)

    def test_they_come_in_the_order_of_the_script(self) -> None:
        assert ideal_latencies_ns(waiting(3, 1, 2), Waits.ALL, 1) == (3, 1, 2)


class TestMakespan:
    @pytest.mark.parametrize(("concurrency", "expected"), [(1, 2 * S), (2, S), (3, S)])
    def test_two_sleeps(self, concurrency: int, expected: int) -> None:
        drawn = draw(load_scenario("two-sleeps"), seed=0)
        assert ideal_makespan_ns(drawn, Waits.ALL, 1, concurrency) == expected

    @pytest.mark.parametrize(
        ("latencies", "concurrency", "expected"),
        [
            ((), 3, 0),
            ((5,), 3, 5),
            ((3, 1, 2, 4), 1, 10),
            ((3, 1, 2, 4), 2, 7),  # 3 | 1 2, then 4 from 3 on
            ((1, 1, 4), 2, 5),  # the longest first would take 4: the order is the script's
            ((3, 3, 3, 3, 3), 2, 9),
        ],
    )
    def test_each_session_takes_the_slot_that_is_free_first(
        self, latencies: tuple[int, ...], concurrency: int, expected: int
    ) -> None:
        drawn = waiting(*latencies)
        assert ideal_makespan_ns(drawn, Waits.ALL, 1, concurrency) == expected

    @pytest.mark.parametrize(("cores", "expected"), [(1, 40), (2, 20), (4, 12), (8, 12)])
    def test_all_the_computing_must_fit_on_the_cores(self, cores: int, expected: int) -> None:
        drawn = script(*[session((1, [(CPU, 10)]), (1, [])) for _ in range(4)])
        assert ideal_makespan_ns(drawn, Waits.ALL, cores, concurrency=4) == expected

    def test_tools_that_the_target_does_not_run_compute_nothing(self) -> None:
        drawn = script(*[session((1, [(CPU, 10)]), (1, [])) for _ in range(4)])
        assert ideal_makespan_ns(drawn, Waits.MODEL, 1, concurrency=4) == 2
        assert ideal_makespan_ns(drawn, Waits.FIRST_CALL, 1, concurrency=4) == 1

    @pytest.mark.parametrize(("cores", "concurrency"), [(0, 1), (-1, 1), (1, 0), (1, -5)])
    def test_neither_cores_nor_slots_can_be_missing(self, cores: int, concurrency: int) -> None:
        with pytest.raises(ValueError, match=r"expected (cores|concurrency) of at least 1, found"):
            ideal_makespan_ns(waiting(1), Waits.ALL, cores, concurrency)


times = st.integers(0, 10_000)
tools = st.lists(st.tuples(st.sampled_from(list(ToolKind)), times), min_size=1, max_size=4)
sessions = st.tuples(st.lists(st.tuples(times, tools), max_size=3), times).map(
    lambda parts: session(*parts[0], (parts[1], []))
)
scripts = st.lists(sessions, max_size=8).map(lambda drawn: script(*drawn))
waits_of_any_kind = st.sampled_from(list(Waits))
small = st.integers(1, 10)


@SOME
@given(scripts, waits_of_any_kind, small, small)
def test_no_run_is_shorter_than_its_longest_session(
    drawn: Script, waits: Waits, cores: int, concurrency: int
) -> None:
    longest = max(ideal_latencies_ns(drawn, waits, cores), default=0)
    assert ideal_makespan_ns(drawn, waits, cores, concurrency) >= longest


@SOME
@given(scripts, waits_of_any_kind, small, small)
def test_no_run_is_shorter_than_its_work_over_the_slots(
    drawn: Script, waits: Waits, cores: int, concurrency: int
) -> None:
    work = sum(ideal_latencies_ns(drawn, waits, cores))
    assert ideal_makespan_ns(drawn, waits, cores, concurrency) * concurrency >= work


@SOME
@given(scripts, waits_of_any_kind, st.sampled_from([1, 2, 3, 7]))
def test_one_at_a_time_takes_the_sum(drawn: Script, waits: Waits, cores: int) -> None:
    """Exactly on one core; else to the fractions of a nanosecond that a round drops."""
    makespan = ideal_makespan_ns(drawn, waits, cores, concurrency=1)
    dropped = sum(len(part.model_calls) for part in drawn.sessions) if cores > 1 else 0
    assert 0 <= makespan - sum(ideal_latencies_ns(drawn, waits, cores)) <= dropped


@SOME
@given(scripts, waits_of_any_kind, small)
def test_more_slots_never_make_it_longer(drawn: Script, waits: Waits, cores: int) -> None:
    """Not so for sessions that wait for each other (Graham's anomalies); these do not."""
    makespans = [ideal_makespan_ns(drawn, waits, cores, slots) for slots in range(1, 12)]
    assert all(more <= fewer for fewer, more in pairwise(makespans))


@SOME
@given(scripts, waits_of_any_kind, small)
def test_more_cores_never_make_it_longer(drawn: Script, waits: Waits, concurrency: int) -> None:
    makespans = [ideal_makespan_ns(drawn, waits, cores, concurrency) for cores in range(1, 9)]
    assert all(more <= fewer for fewer, more in pairwise(makespans))


@SOME
@given(scripts, sessions, waits_of_any_kind, small, small)
def test_one_more_session_never_makes_it_shorter(
    drawn: Script, further: SessionScript, waits: Waits, cores: int, concurrency: int
) -> None:
    longer = script(*drawn.sessions, further)
    before = ideal_makespan_ns(drawn, waits, cores, concurrency)
    assert ideal_makespan_ns(longer, waits, cores, concurrency) >= before


@SOME
@given(scripts, small, small)
def test_meeting_fewer_waits_never_takes_longer(
    drawn: Script, cores: int, concurrency: int
) -> None:
    every, model, first = (
        ideal_makespan_ns(drawn, waits, cores, concurrency)
        for waits in (Waits.ALL, Waits.MODEL, Waits.FIRST_CALL)
    )
    assert every >= model >= first


@given(st.lists(st.tuples(times, times, times), max_size=12), small)
def test_no_run_in_order_beats_it(parts: list[tuple[int, int, int]], concurrency: int) -> None:
    """The theorem itself: sessions that take longer, and start later than they could.

    The run starts the sessions in order, at most N in flight, each ``late`` after it could
    have started, and each takes ``slower`` more than its critical path.
    """
    ideal = ideal_makespan_ns(
        waiting(*(latency for latency, _, _ in parts)), Waits.ALL, 1, concurrency
    )
    ends: list[int] = []
    start = 0
    for latency, slower, late in parts:
        free = sorted(ends)[len(ends) - concurrency] if len(ends) >= concurrency else 0
        start = max(start, free) + late
        ends.append(start + latency + slower)
    assert max(ends, default=0) >= ideal


@given(st.lists(times, max_size=12), small)
def test_batches_cannot_beat_it(latencies: list[int], concurrency: int) -> None:
    """A strategy that waits for each batch of N keeps the order, so the bound holds."""
    batches = [latencies[i : i + concurrency] for i in range(0, len(latencies), concurrency)]
    ideal = ideal_makespan_ns(waiting(*latencies), Waits.ALL, 1, concurrency)
    assert sum(max(batch) for batch in batches) >= ideal
