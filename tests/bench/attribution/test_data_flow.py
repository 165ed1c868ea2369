"""The data flow of a session: what needs what, the bound, and what could overlap."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.attribution.data_flow import (
    AskedWait,
    asked_waits,
    data_flow,
    held_outputs,
    in_turn,
    with_paths,
)
from warpbench.bench.results.data_flow import DataFlow, Overlap
from warpbench.mocks.observe.data_flow import Asked, Output
from warpbench.mocks.observe.waits import Wait, WaitEnding, WaitKind

pytestmark = pytest.mark.once

NOBODY: frozenset[tuple[int, int]] = frozenset()


def model(
    step: int,
    begin_ns: int,
    end_ns: int,
    *,
    holds: Iterable[Output] = (),
    places: tuple[str, ...] = (),
) -> AskedWait:
    content = str(step).encode()
    asked = Asked(WaitKind.MODEL, 0, step, None, "", begin_ns, tuple(holds), content, places)
    return AskedWait(asked, begin_ns, end_ns)


def row(*lengths_ns: int) -> list[AskedWait]:
    """Waits that follow one another."""
    waits, at_ns = [], 0
    for step, length_ns in enumerate(lengths_ns):
        waits.append(model(step, at_ns, at_ns + length_ns))
        at_ns += length_ns
    return waits


def flow_of(waits: list[AskedWait], needs: Iterable[tuple[int, int]] = ()) -> DataFlow:
    """The data flow of waits that each come after all that was over before."""
    latency_ns = max(wait.end_ns for wait in waits)
    return data_flow(waits, latency_ns, frozenset(needs), in_turn(waits))


def test_what_needs_nothing_before_it_could_overlap() -> None:
    flow = flow_of(row(3, 5))

    assert (flow.latency_ns, flow.bound_ns, flow.saving_ns) == (8, 5, 3)
    assert flow.overlaps == (Overlap((0, 1), 3),)
    assert flow.critical == (1,)


def test_what_needs_the_one_before_it_could_not() -> None:
    flow = flow_of(row(3, 5), {(0, 1)})

    assert flow.overlaps == ()
    assert flow.bound_ns == flow.latency_ns == 8
    assert flow.critical == (0, 1)


def test_three_in_a_row_are_told_together() -> None:
    assert flow_of(row(3, 5, 4)).overlaps == (Overlap((0, 1, 2), 7),)


def test_each_group_is_told_with_what_it_saves_by_itself() -> None:
    flow = flow_of(row(1, 2, 6, 4), {(0, 2), (1, 2), (0, 3), (1, 3)})

    assert flow.overlaps == (Overlap((2, 3), 4), Overlap((0, 1), 1))
    assert flow.saving_ns == 5


def test_two_chains_in_a_row_save_the_shorter_one() -> None:
    flow = flow_of(row(1, 2, 3, 4), {(0, 1), (2, 3)})

    assert flow.overlaps == (Overlap((1, 2), 3),)
    assert flow.bound_ns == 7


def test_what_the_sessions_own_code_waits_stays() -> None:
    waits = [model(0, 0, 3), model(1, 5, 9)]
    flow = data_flow(waits, 10, NOBODY, frozenset({(0, 1)}))

    assert [node.lead_ns for node in flow.nodes] == [0, 2]
    assert flow.bound_ns == 2 + 4 + 1  # what is waited before the second, and at the end


def test_branches_that_run_side_by_side_are_not_in_turn_whatever_their_times() -> None:
    """The second branch waits in its own code, and goes on when the first one is over by chance."""
    waits = [model(0, 0, 10), model(1, 0, 4), model(2, 10, 12)]
    flow = data_flow(waits, 12, frozenset({(1, 2)}), frozenset({(1, 2)}))

    assert flow.overlaps == ()
    assert flow.bound_ns == flow.latency_ns


def test_a_need_over_a_third_wait_is_not_drawn() -> None:
    assert flow_of(row(1, 1, 1), {(0, 1), (1, 2), (0, 2)}).needs == ((0, 1), (1, 2))


def test_a_wait_holds_the_output_of_one_that_was_over() -> None:
    waits = [model(0, 0, 3), model(1, 3, 5, holds=[Output(0, 0)]), model(2, 3, 6)]

    assert held_outputs(waits) == {(0, 1)}


def test_what_names_an_output_that_is_not_there_yet_needs_nothing() -> None:
    waits = [model(0, 0, 3), model(1, 1, 5, holds=[Output(0, 0), Output(7, 7)])]

    assert held_outputs(waits) == NOBODY


def test_a_wait_is_named_by_the_line_that_no_other_has() -> None:
    asking, first, second = "a.py:ask:3", "a.py:session:10", "a.py:session:11"
    waits = [model(0, 0, 1, places=(asking, first)), model(1, 1, 2, places=(asking, second))]

    assert [node.place for node in flow_of(waits).nodes] == [first, second]


def test_a_wait_that_only_the_same_line_asks_for_has_that_line() -> None:
    waits = [model(0, 0, 1, places=("a.py:ask:3",)), model(1, 1, 2, places=("a.py:ask:3",))]

    assert [node.place for node in flow_of(waits).nodes] == ["a.py:ask:3"] * 2


def wait(begin_ns: int, end_ns: int, ending: WaitEnding = WaitEnding.WHOLE) -> Wait:
    return Wait(WaitKind.MODEL, 0, 0, None, "", begin_ns, end_ns, ending=ending)


def asked(begin_ns: int) -> Asked:
    return Asked(WaitKind.MODEL, 0, 0, None, "", begin_ns, (), b"the same")


@pytest.mark.parametrize(
    ("ending", "found"),
    [(WaitEnding.FAILED, [(0, 9)]), (WaitEnding.WHOLE, [(0, 3), (4, 9)])],
    ids=["failed", "answered"],
)
def test_a_retry_is_one_wait_with_what_it_retries(
    ending: WaitEnding, found: list[tuple[int, int]]
) -> None:
    joined = asked_waits([asked(10), asked(14)], [wait(10, 13, ending), wait(14, 19)], 10)

    assert [(each.begin_ns, each.end_ns) for each in joined] == found


def test_a_session_without_a_wait_has_none() -> None:
    flow = data_flow([], 5, NOBODY, NOBODY)

    assert (flow.nodes, flow.critical, flow.bound_ns) == ((), (), 5)


PROGRAMS = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=7
)


@given(PROGRAMS, st.data())
def test_no_overlap_saves_more_than_all_together_and_none_goes_below_a_path(
    drawn: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    waits = [
        model(step, begin_ns, begin_ns + length_ns)
        for step, (length_ns, begin_ns, _) in enumerate(sorted(drawn, key=lambda each: each[1]))
    ]
    turns = sorted(in_turn(waits))
    needs = frozenset(pair for pair in turns if data.draw(st.booleans()))
    flow = flow_of(waits, needs)

    assert max(node.length_ns for node in flow.nodes) <= flow.bound_ns <= flow.latency_ns
    for overlap in flow.overlaps:
        assert 0 < overlap.saving_ns <= flow.saving_ns
        assert not {*zip(overlap.waits, overlap.waits[1:], strict=False)} <= with_paths(needs)
