"""The waits of a session's own code: which of several counts at a moment, and which is left out."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.attribution.own_waits import (
    Awaited,
    ObservedWait,
    own_spans,
    slept_ns,
    union_ns,
    with_sleeps_beside,
)
from warpbench.mocks.observe.waits import Wait, WaitKind

pytestmark = pytest.mark.once


def wait(
    begin: int, end: int, awaited: Awaited = Awaited.TIME, due: int | None = None
) -> ObservedWait:
    return ObservedWait(
        session=0,
        begin_ns=begin,
        end_ns=end,
        due_ns=due,
        place="a.py:f:1",
        awaits="",
        awaited=awaited,
        path=(1,),
    )


def spans(waits: list[ObservedWait], *gaps: tuple[int, int]) -> list[tuple[int, int, Awaited]]:
    return [(each.begin_ns, each.end_ns, each.waits[0].awaited) for each in own_spans(waits, gaps)]


def test_a_limit_comes_first_then_time_then_what_others_bring_about() -> None:
    limit, time, signal, result = (
        Awaited.LIMIT,
        Awaited.TIME,
        Awaited.SIGNAL,
        Awaited.RESULT,
    )
    nested = [wait(0, 40, result), wait(10, 30, signal), wait(12, 28), wait(20, 25, limit)]
    assert spans(nested, (5, 35)) == [
        (5, 10, result),
        (10, 12, signal),
        (12, 20, time),
        (20, 25, limit),
        (25, 28, time),
        (28, 30, signal),
        (30, 35, result),
    ]


def test_only_what_lies_in_a_gap_counts() -> None:
    assert spans([wait(0, 100)], (5, 10), (20, 30)) == [
        (5, 10, Awaited.TIME),
        (20, 30, Awaited.TIME),
    ]
    assert spans([wait(0, 5), wait(30, 40)], (5, 10), (20, 30)) == []


def test_a_sleep_lasts_until_it_is_due_however_late_the_code_goes_on() -> None:
    assert slept_ns([wait(0, 20, due=12)], 0, 30) == 12
    assert slept_ns([wait(0, 8, due=12)], 0, 30) == 8  # it was cancelled
    assert slept_ns([wait(0, 20, Awaited.SIGNAL)], 0, 30) == 0


moments = st.lists(
    st.builds(
        lambda begin, length, kind: wait(begin, begin + length, kind),
        st.integers(0, 60),
        st.integers(1, 40),
        st.sampled_from(list(Awaited)),
    ),
    max_size=8,
)


@given(moments)
def test_the_spans_cover_what_the_waits_do_each_moment_once(waits: list[ObservedWait]) -> None:
    found = list(own_spans(waits, [(0, 200)]))
    assert sum(each.end_ns - each.begin_ns for each in found) == union_ns(waits)
    for one, other in pairwise(found):
        assert one.end_ns <= other.begin_ns
    for each in found:
        assert each.begin_ns < each.end_ns
        open_waits = [w for w in waits if w.begin_ns <= each.begin_ns < each.end_ns <= w.end_ns]
        assert len(open_waits) == len(each.waits)


def test_a_sleep_beside_a_model_call_is_told_from_one_that_holds_its_session_up() -> None:
    call = Wait(WaitKind.MODEL, 0, 0, None, "", 10, 20)
    elsewhere = Wait(WaitKind.MODEL, 1, 0, None, "", 0, 100)
    tool = Wait(WaitKind.TOOL, 0, 0, 0, "", 20, 30)
    before, beside, after = wait(0, 10), wait(5, 12), wait(20, 30)
    event = wait(5, 12, Awaited.SIGNAL)
    told = with_sleeps_beside({0: [before, beside, after, event]}, [call, elsewhere, tool])
    assert [each.awaited for each in told[0]] == [
        Awaited.TIME,
        Awaited.BESIDE,
        Awaited.TIME,
        Awaited.SIGNAL,
    ]
