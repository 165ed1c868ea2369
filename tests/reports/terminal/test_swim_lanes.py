"""Swim lanes in text: what lies where, and what is never lost."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.blocked_loop import BlockedLoop
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.bench.results.timeline import Lane, LaneState, Timeline
from warpbench.mocks.observe.waits import Wait, WaitKind
from warpbench.reports.terminal.swim_lanes import (
    BLOCKED,
    MODEL,
    OWN_WAIT,
    SwimLanes,
    own_waits_of,
    swim_lanes,
)

pytestmark = pytest.mark.once

SECOND = 1_000_000_000


def sample(session: int, start_s: float, end_s: float) -> SessionSample:
    return SessionSample(session, Outcome.SUCCEEDED, int(start_s * SECOND), int(end_s * SECOND))


def wait(session: int, index: int | None, start_s: float, end_s: float) -> Wait:
    kind = WaitKind.MODEL if index is None else WaitKind.TOOL
    return Wait(kind, session, 0, index, "", int(start_s * SECOND), int(end_s * SECOND))


def drawn(*waits: Wait, blocked: tuple[BlockedLoop, ...] = (), origin_s: float = 0) -> list[str]:
    lanes = SwimLanes(
        samples=(sample(0, 0, 10), sample(1, 2, 8)),
        waits=waits,
        blocked_loop=blocked,
        origin_ns=int(origin_s * SECOND),
        end_ns=10 * SECOND,
    )
    return swim_lanes(lanes, width=10).splitlines()


def test_a_lane_shows_model_tools_and_what_is_neither() -> None:
    lines = drawn(
        wait(0, None, 0, 3), wait(0, 0, 4, 6), wait(0, 1, 5, 7), wait(0, None, 8, 10),
        wait(1, None, 2, 8),
    )  # fmt: skip
    assert lines == [
        "         0 s 10.000 s",
        "       0 ███·▒▓▒·██",
        "       1   ██████  ",
        "         █ model  ▒ a tool  ▓ tools in parallel  · neither",
    ]


def test_a_blocked_loop_has_a_lane_of_its_own() -> None:
    lines = drawn(blocked=(BlockedLoop("agent.py:ask", 2 * SECOND, 4 * SECOND),))
    assert lines[3] == "    loop   !!      "
    assert "! loop blocked" in lines[4]


def test_times_of_the_clock_are_counted_from_the_trials_begin() -> None:
    assert drawn(wait(0, None, 100, 103), origin_s=100)[1] == "       0 ███·······"


def test_many_sessions_are_counted_not_drawn() -> None:
    samples = tuple(sample(number, 0, 1) for number in range(40))
    lanes = SwimLanes(samples=samples, waits=(), blocked_loop=(), origin_ns=0, end_ns=SECOND)
    assert "and 28 more sessions" in swim_lanes(lanes)


def test_waits_in_a_sessions_own_code_have_a_sign_of_their_own() -> None:
    lane = Lane(
        session=1,
        outcome=Outcome.SUCCEEDED,
        end_ns=10 * SECOND,
        from_ns=(0, 3 * SECOND, 7 * SECOND),
        state=(LaneState.MODEL, LaneState.OWN_WAIT, LaneState.OTHER),
    )
    own_waits = own_waits_of(Timeline(lanes=(lane,)))
    assert own_waits == {1: ((3 * SECOND, 7 * SECOND),)}
    assert own_waits_of(None) == {}
    lanes = SwimLanes(
        samples=(sample(1, 0, 10),),
        waits=(wait(1, None, 0, 3),),
        blocked_loop=(),
        origin_ns=0,
        end_ns=10 * SECOND,
        own_waits=own_waits,
    )
    _, drawn_lane, legend = swim_lanes(lanes, width=10).splitlines()
    assert drawn_lane == f"       1 ███{OWN_WAIT * 4}···"
    assert legend.endswith(f"{OWN_WAIT} waiting in its own code")
    assert OWN_WAIT not in swim_lanes(replace(lanes, own_waits={}), width=10)


segments = st.tuples(st.integers(0, 1000), st.integers(1, 1000))


@given(st.lists(segments, min_size=1, max_size=5), st.integers(10, 80))
def test_every_wait_shows_however_short_it_is(spans: list[tuple[int, int]], width: int) -> None:
    waits = [Wait(WaitKind.MODEL, 0, 0, None, "", start, start + length) for start, length in spans]
    end_ns = max(each.end_ns for each in waits) * 50
    blocked = [BlockedLoop("", each.start_ns, each.end_ns) for each in waits]
    lanes = SwimLanes(
        samples=(SessionSample(0, Outcome.SUCCEEDED, 0, end_ns),),
        waits=waits,
        blocked_loop=blocked,
        origin_ns=0,
        end_ns=end_ns,
    )
    _, lane, loop, _ = swim_lanes(lanes, width).splitlines()
    assert MODEL in lane
    assert BLOCKED in loop
    assert len(lane) == len(loop) == width + 9
