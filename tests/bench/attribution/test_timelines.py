"""The lanes of a timeline: what is in them is known by construction, whatever is drawn."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.attribution.observations import Observations
from warpbench.bench.attribution.timelines import MOST_LANES, timeline
from warpbench.bench.results.blocked_loop import BlockedLoop, Cause
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.timeline import Lane, LaneState
from warpbench.mocks.observe.refusals import Refusal
from warpbench.mocks.observe.waits import Wait, WaitEnding, WaitKind
from warpbench.mocks.workload.script import ModelCallScript, SessionScript, ToolCallScript, ToolKind

pytestmark = pytest.mark.once

MS = 1_000_000
ORIGIN_NS = 7 * MS
LOOK_UP = ToolCallScript("look_up", "{}", ToolKind.ASYNC, 100 * MS)
MODEL, TOOL, TOOLS = LaneState.MODEL, LaneState.TOOL, LaneState.TOOLS
READY, OWN, ADMISSION, OTHER = (
    LaneState.READY,
    LaneState.OWN,
    LaneState.ADMISSION,
    LaneState.OTHER,
)


def script(session: int) -> SessionScript:
    calls = (
        ModelCallScript(200 * MS, 1, 1, (LOOK_UP, LOOK_UP)),
        ModelCallScript(200 * MS, 1, 1, ()),
    )
    return SessionScript(session, calls)


def wait(kind: WaitKind, begin_ms: int, due_ms: int, **more: Any) -> Wait:
    index = more.pop("index", None if kind is WaitKind.MODEL else 0)
    taken_up_ms = more.pop("taken_up_ms", due_ms)
    ending = more.pop("ending", WaitEnding.WHOLE)
    return Wait(
        kind,
        more.pop("session", 0),
        more.pop("step", 0),
        index,
        "",
        ORIGIN_NS + begin_ms * MS,
        ORIGIN_NS + taken_up_ms * MS,
        (due_ms - begin_ms) * MS,
        (taken_up_ms - due_ms) * MS,
        ending=ending,
        **{name: ms * MS for name, ms in more.items()},
    )


def sample(end_ms: int, session: int = 0, start_ms: int = 0, **more: Any) -> SessionSample:
    return SessionSample(session, Outcome.SUCCEEDED, start_ms * MS, end_ms * MS, **more)


def observations(*waits: Wait, cpu_ms: int = 0, **more: Any) -> Observations:
    return Observations(
        scripts={number: script(number) for number in range(MOST_LANES + 10)},
        waits=waits,
        cpu_ns={0: cpu_ms * MS},
        blocked_loop=more.pop("blocked_loop", ()),
        origin_ns=ORIGIN_NS,
        cores=2,
        **more,
    )


def told(lane: Lane) -> list[tuple[int, LaneState]]:
    """The states of a lane, and when they begin in milliseconds."""
    return [(from_ns // MS, state) for from_ns, state in zip(lane.from_ns, lane.state, strict=True)]


def test_what_follows_a_refused_request_is_a_retry_until_the_session_does_something_else() -> None:
    refused_ms = (50, 120)
    (lane,) = timeline(
        [sample(700, idle_at_end_ns=500 * MS)],
        observations(
            wait(WaitKind.MODEL, 200, 400, idle_at_start_ns=200, idle_at_end_ns=200),
            refusals=[
                Refusal("a.example", "/", 0, ORIGIN_NS + at_ms * MS, at_ms * MS)
                for at_ms in refused_ms
            ],
        ),
    ).lanes
    assert told(lane)[:3] == [(0, OTHER), (50, LaneState.RETRY), (200, MODEL)]
    assert LaneState.RETRY not in lane.state[3:]


def test_a_lane_shows_the_model_tools_side_by_side_and_what_was_not_taken_up() -> None:
    (lane,) = timeline(
        [sample(560)],
        observations(
            wait(WaitKind.MODEL, 0, 200),
            wait(WaitKind.TOOL, 200, 300),
            wait(WaitKind.TOOL, 200, 320, index=1, taken_up_ms=350),
            wait(WaitKind.MODEL, 350, 550, step=1),
            cpu_ms=10,
        ),
    ).lanes
    assert told(lane) == [
        (0, MODEL),
        (200, TOOLS),
        (300, TOOL),
        (320, READY),
        (350, MODEL),
        (550, OWN),
    ]
    assert lane.end_ns == 560 * MS


def test_a_gap_in_which_others_computed_is_not_ones_own() -> None:
    (lane,) = timeline([sample(300)], observations(wait(WaitKind.MODEL, 100, 300), cpu_ms=5)).lanes
    assert told(lane) == [(0, READY), (100, MODEL)]


def test_a_gap_in_which_nobody_computed_is_a_wait_for_a_thread_or_for_something_unknown() -> None:
    waits = (
        wait(WaitKind.MODEL, 0, 200),
        wait(WaitKind.TOOL, 300, 400, idle_at_start_ns=100, idle_at_end_ns=100),
        wait(WaitKind.MODEL, 400, 500, step=1, idle_at_start_ns=100, idle_at_end_ns=100),
    )
    (lane,) = timeline([sample(600, idle_at_end_ns=200 * MS)], observations(*waits)).lanes
    assert told(lane) == [(0, MODEL), (200, ADMISSION), (300, TOOL), (400, MODEL), (500, OTHER)]


def test_a_late_begin_is_a_wait_for_admission_and_a_failed_attempt_a_retry() -> None:
    lane, _ = timeline(
        [sample(900, start_ms=300, intended_ns=100 * MS), sample(250, session=1, intended_ns=0)],
        observations(
            wait(WaitKind.MODEL, 300, 400, ending=WaitEnding.FAILED),
            wait(WaitKind.MODEL, 600, 900),
            places=1,
        ),
    ).lanes[::-1]
    assert told(lane) == [(100, ADMISSION), (250, READY), (300, LaneState.RETRY), (600, MODEL)]


def test_what_another_session_blocks_the_loop_with_is_ready_and_shown_by_name() -> None:
    block = BlockedLoop("a.py:blunder", ORIGIN_NS + 0, ORIGIN_NS + 100 * MS, session=5)
    drawn = timeline(
        [sample(300)],
        observations(wait(WaitKind.MODEL, 100, 300), cpu_ms=90, blocked_loop=(block,)),
    )
    assert told(drawn.lanes[0]) == [(0, READY), (100, MODEL)]
    assert [(each.begin_ns, each.end_ns, each.place) for each in drawn.blocked] == [
        (0, 100 * MS, "a.py:blunder")
    ]


def test_what_a_session_computes_itself_is_its_own_though_it_holds_the_loop() -> None:
    caught = BlockedLoop("a.py:rank", ORIGIN_NS, ORIGIN_NS + 100 * MS, cause=Cause.COMPUTING)
    drawn = timeline(
        [sample(300)],
        observations(wait(WaitKind.MODEL, 100, 300), cpu_ms=90, blocked_loop=(caught,)),
    )
    assert told(drawn.lanes[0]) == [(0, OWN), (100, MODEL)]
    assert [each.place for each in drawn.blocked] == ["a.py:rank"]


def test_the_first_sessions_are_shown_in_the_order_of_their_begins() -> None:
    samples = [sample(100 + n, session=n, start_ms=50 - n) for n in range(MOST_LANES + 5)]
    shown = [lane.session for lane in timeline(samples, observations()).lanes]
    assert shown == list(range(MOST_LANES + 4, 4, -1))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([WaitKind.MODEL, WaitKind.TOOL]),
            st.integers(0, 900),
            st.integers(0, 300),
            st.integers(0, 100),
            st.integers(0, 1),
        ),
        max_size=30,
    )
)
def test_whatever_happened_states_follow_one_another_and_differ(
    drawn: list[tuple[WaitKind, int, int, int, int]],
) -> None:
    waits = [
        wait(kind, begin, begin + length, taken_up_ms=begin + length + late, step=step)
        for kind, begin, length, late, step in drawn
    ]
    (lane,) = timeline([sample(1000)], observations(*waits, cpu_ms=3)).lanes
    assert lane.from_ns[0] == 0
    assert all(before < after for before, after in pairwise(lane.from_ns))
    assert all(before is not after for before, after in pairwise(lane.state))
    assert lane.from_ns[-1] < lane.end_ns
