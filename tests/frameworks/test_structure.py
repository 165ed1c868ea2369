from collections.abc import Sequence

import pytest

from .matrix.structure import Call, Structure, calls_of, seen_by, told_by
from .values import SECOND, cell, trial

pytestmark = pytest.mark.once

ANSWER = (0, 0)
OVERLAPPING = [Call(ANSWER, 0.0, 0.2), Call(ANSWER, 0.0, 0.2)]
IN_TURN = [Call(ANSWER, 0.0, 0.2), Call(ANSWER, 0.2, 0.4)]


def seen(calls: Sequence[Call], *, saved_s: float = 0.0) -> Structure:
    """What is seen of calls, and of a session that takes less with a thread for everything."""
    return seen_by(calls, [round((2 + saved_s) * SECOND)], [2 * SECOND])


def test_tools_that_overlap_have_no_fault() -> None:
    assert seen(OVERLAPPING) == Structure()


def test_tools_of_an_answer_that_never_overlap_run_one_after_another() -> None:
    assert seen(IN_TURN) == Structure(one_after_another=True)


def test_tools_of_different_sessions_are_not_compared() -> None:
    elsewhere = [Call((1, 0), 0.1, 0.3), Call((1, 0), 0.3, 0.5)]

    assert seen([*IN_TURN, *elsewhere]) == Structure(one_after_another=True)


def test_a_plain_tool_on_the_loop_blocks_it() -> None:
    assert seen([*OVERLAPPING, Call(ANSWER, 0.2, 0.4, on_loop=True)]) == Structure(
        blocks_the_loop=True
    )


def test_what_a_thread_for_everything_saves_was_waited_for_threads() -> None:
    assert seen(OVERLAPPING, saved_s=0.2) == Structure(waits_for_threads=True)


def test_tools_that_run_in_turn_may_wait_for_threads_too() -> None:
    assert seen(IN_TURN, saved_s=0.2) == Structure(one_after_another=True, waits_for_threads=True)


def test_another_order_of_the_sessions_saves_nothing() -> None:
    found = seen_by(OVERLAPPING, [2 * SECOND, 3 * SECOND], [3 * SECOND, 2 * SECOND])

    assert found == Structure()


def test_no_call_has_no_structure() -> None:
    with pytest.raises(ValueError, match="no tool ran"):
        seen([])


def test_calls_of_a_warm_up_are_left_out() -> None:
    record = {"tool": "lookup", "begin_s": 1.0, "end_s": 1.2, "on_loop": True}

    calls = calls_of([{**record, "ticket": "-1.0.3"}, {**record, "ticket": "4.0.3"}])

    assert calls == (Call((4, 0), 1.0, 1.2, on_loop=True),)


def test_an_awaited_tool_on_the_loop_is_no_fault() -> None:
    record = {"tool": "search", "begin_s": 1.0, "end_s": 1.2, "on_loop": True, "ticket": "0.0.0"}

    assert not calls_of([record])[0].on_loop


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, Structure()),
        (
            {"trial_figures": [trial(serialised=[SECOND // 2])]},
            Structure(one_after_another=True),
        ),
        ({"trial_figures": [trial(admission=[SECOND // 2])]}, Structure(waits_for_threads=True)),
        ({"loop_blockers": [{"place": "lookup"}]}, Structure(blocks_the_loop=True)),
    ],
)
def test_a_run_tells_the_structure_by_its_figures(
    fields: dict[str, object], told: Structure
) -> None:
    assert told_by(cell(**fields)) == told


def test_a_session_whose_tools_overlap_shows_that_the_framework_lets_them() -> None:
    figures = trial(serialised=[0, SECOND]) | {"session": [0, 1]}

    assert told_by(cell(trial_figures=[figures])) == Structure()


def test_a_structure_is_said_in_words() -> None:
    assert str(Structure()) == "tools overlap"
    assert str(Structure(one_after_another=True, blocks_the_loop=True)) == (
        "tools run one after another, a plain tool blocks the event loop"
    )
