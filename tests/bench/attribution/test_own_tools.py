"""What own tools need at least, and what running them in turn costs: by construction."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.attribution.met import Met
from warpbench.bench.attribution.own_tools import (
    Held,
    held_up,
    least_needed_ns,
    tool_rounds,
)
from warpbench.bench.attribution.own_waits import Awaited, ObservedWait, ToolRound, union_ns
from warpbench.bench.results.samples import Outcome, SessionSample
from warpbench.mocks.workload.ideal import Waits
from warpbench.mocks.workload.script import ModelCallScript, SessionScript, ToolCallScript, ToolKind

pytestmark = pytest.mark.once

SEARCH = ToolCallScript("search", "{}", ToolKind.ASYNC, 0)
LOOK_UP = "agent.py:look_up:3"


def wait(begin: int, end: int, *path: int, **more: Any) -> ObservedWait:
    return ObservedWait(
        session=more.pop("session", 0),
        begin_ns=begin,
        end_ns=end,
        due_ns=more.pop("due_ns", None),
        place=more.pop("place", LOOK_UP),
        awaits=more.pop("awaits", "asyncio.sleep"),
        awaited=more.pop("awaited", Awaited.TIME),
        path=path or (1,),
        **more,
    )


def test_two_calls_of_a_function_are_two_tools() -> None:
    assert least_needed_ns([wait(0, 3, 1, 2), wait(3, 8, 1, 3)], 2) == 5


def test_what_one_tool_sleeps_in_steps_is_needed_in_whole() -> None:
    steps = [wait(0, 3, 1, 2, 3), wait(3, 8, 1, 2, 4)]
    assert least_needed_ns(steps, 1) == 8
    assert least_needed_ns([*steps, wait(8, 9, 1, 5)], 2) == 8


def test_more_calls_than_tools_were_asked_for_are_not_taken_apart() -> None:
    pages = [wait(0, 3, 1, 2), wait(3, 6, 1, 3), wait(6, 9, 1, 4)]
    assert least_needed_ns(pages, 2) == 9
    assert least_needed_ns(pages, 3) == 3


def test_tools_that_are_written_out_are_told_by_their_number() -> None:
    written_out = [wait(0, 3), wait(3, 8)]
    assert least_needed_ns(written_out, 2) == 5
    assert least_needed_ns(written_out, 3) == 8
    elsewhere = [wait(0, 3), wait(3, 8, place="agent.py:look_up:4")]
    assert least_needed_ns(elsewhere, 2) == 8


def test_what_the_function_sleeps_that_calls_the_tools_is_no_tools() -> None:
    assert least_needed_ns([wait(0, 3, 1, 2), wait(3, 8, 1, 3), wait(8, 10, 1)], 2) == 7


def test_tools_in_tasks_of_their_own_need_the_longest() -> None:
    assert least_needed_ns([wait(0, 3, 5), wait(0, 8, 6)], 2) == 8


waits = st.lists(
    st.builds(
        lambda begin, length, path: wait(begin, begin + length, *path),
        st.integers(0, 50),
        st.integers(1, 30),
        st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=8,
)


@given(waits, st.integers(1, 4))
def test_never_more_is_needed_than_was_slept_and_never_less_than_one_sleep(
    slept: list[ObservedWait], tools: int
) -> None:
    least_ns = least_needed_ns(slept, tools)
    assert max(each.end_ns - each.begin_ns for each in slept) <= least_ns <= union_ns(slept)


def script(*tools: int) -> SessionScript:
    calls = [ModelCallScript(10, 1, 1, (SEARCH,) * count) for count in (*tools, 0)]
    return SessionScript(0, tuple(calls))


MET = Met(asked_ns={(0, 0): 0, (0, 1): 30}, read_ns={(0, 0): 10, (0, 1): 40}, tool_spans_ns={})
SAMPLE = SessionSample(0, Outcome.SUCCEEDED, 0, 40)


def rounds(*slept: ObservedWait, of: Waits = Waits.MODEL) -> list[ToolRound]:
    found = tool_rounds([script(2)], [SAMPLE], {0: slept}, of, MET)
    return list(found.get(0, ()))


def test_a_round_lies_between_an_answer_and_the_next_request() -> None:
    inside = [wait(10, 15, 1, 2), wait(15, 30, 1, 3)]
    assert rounds(*inside) == [ToolRound(15, tuple(inside))]
    assert rounds(wait(5, 15, 1), wait(20, 31, 1)) == []  # one begins before, one ends after it
    assert rounds(wait(10, 15, awaited=Awaited.SIGNAL), wait(15, 20, awaited=Awaited.LIMIT)) == []


def test_only_a_target_with_tools_of_its_own_has_rounds() -> None:
    slept = wait(10, 15, 1)
    assert rounds(slept, of=Waits.ALL) == rounds(slept, of=Waits.FIRST_CALL) == []
    failed = SessionSample(0, Outcome.FAILED, 0, 40)
    assert tool_rounds([script(2)], [failed], {0: (slept,)}, Waits.MODEL, MET) == {}
    assert tool_rounds([script(0)], [SAMPLE], {0: (slept,)}, Waits.MODEL, MET) == {0: ()}


def held(slept: list[ObservedWait], needed_ns: int) -> Held:
    return held_up(slept, [(10, 30)], [ToolRound(needed_ns, tuple(slept))])


def test_what_is_slept_beyond_what_is_needed_ran_in_turn() -> None:
    found = held([wait(10, 15, 1, 2), wait(15, 30, 1, 3)], needed_ns=15)
    assert found == Held(15, 5, ((LOOK_UP, "asyncio.sleep"),), {})


def test_tools_that_begin_a_little_later_did_not_run_in_turn() -> None:
    slept = (wait(100, 199, 2), wait(101, 200, 3))
    found = held_up(slept, [(100, 200)], [ToolRound(99, slept)])
    assert found == Held(99, 1, (), {})


def test_where_a_limit_keeps_a_tool_waiting_that_is_what_is_lost() -> None:
    sleeps = [wait(10, 20, 2), wait(20, 30, 3)]
    lock = wait(10, 20, 3, place="agent.py:guarded:7", awaited=Awaited.LIMIT, awaits="Lock")
    found = held_up([*sleeps, lock], [(10, 30)], [ToolRound(10, tuple(sleeps))])
    assert found == Held(10, 0, (), {("agent.py:guarded:7", "Lock"): 10})


def test_the_parts_never_exceed_what_a_session_waited_at_all() -> None:
    found = Held(10, 20, (), {("a", "b"): 30, ("c", "d"): 10})
    assert found.at_most(100) == found
    assert found.at_most(50) == Held(10, 20, (), {("a", "b"): 15, ("c", "d"): 5})
    assert found.at_most(15) == Held(10, 5, (), {("a", "b"): 0, ("c", "d"): 0})
    assert found.at_most(4) == Held(4, 0, (), {("a", "b"): 0, ("c", "d"): 0})


@given(waits, st.integers(0, 60), st.integers(0, 40), st.booleans())
def test_all_that_is_waited_in_gaps_is_one_of_the_three(
    slept: list[ObservedWait], gap_ns: int, length_ns: int, in_round: bool
) -> None:
    found = held_up(
        slept,
        [(gap_ns, gap_ns + length_ns)],
        [ToolRound(least_needed_ns(slept, 2), tuple(slept))] if in_round else [],
    )
    inside = [
        wait(max(each.begin_ns, gap_ns), min(each.end_ns, gap_ns + length_ns))
        for each in slept
        if each.end_ns > gap_ns and each.begin_ns < gap_ns + length_ns
    ]
    assert found.needed_ns + found.in_turn_ns + sum(found.lost_ns.values()) == union_ns(inside)
