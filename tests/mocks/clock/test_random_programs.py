"""Random concurrent programs in virtual time: the same twice, and as in warp.

``tests/slow`` compares more of them, with plain Python as well. What that found is kept here.
"""

import pytest
from hypothesis import given
from warpbench.mocks.clock import ClockMode

from .programs.comparison import Other, differences, is_steady
from .programs.program import LOOPS, TASK_STEPS, THREAD_STEPS, Ending, Program, programs
from .programs.running import on_clock, virtually
from .programs.task_steps import TASK
from .programs.thread_steps import THREAD
from .worlds import examples


def ends(found: list[Ending], who: str) -> list[tuple[str, int]]:
    """Return how each step of an actor ended, and when."""
    return [(how, units) for name, _, _, how, units in found if name == who]


@examples(12)
@given(program=programs())
def test_any_program_is_the_same_twice(program: Program) -> None:
    check_twice(program)


def check_twice(program: Program) -> None:
    assert virtually(program) == virtually(program)


@examples(6)
@given(program=programs())
def test_a_steady_program_is_the_same_in_warp(program: Program) -> None:
    check_warp(program)


def check_warp(program: Program) -> None:
    found = virtually(program)
    if is_steady(program, found):
        assert not differences(
            found, lambda unit_s: Other(on_clock(program, ClockMode.WARP, unit_s))
        )


def test_every_kind_of_step_is_drawn() -> None:
    assert set(THREAD) == set(THREAD_STEPS)
    assert set(TASK) == set(TASK_STEPS)


KEPT = {
    "a lock held by one who sleeps": (
        Program(threads=((("lock", 3, 0),), (("lock", 2, 0),)), older=frozenset({"lock"})),
        {"thread 0": [("None", 3)], "thread 1": [("None", 5)]},
    ),
    "a condition held by one who notifies": (
        Program(threads=((("condition wait", 4, 1),), (("notify", 0, 1), ("condition", 3, 0)))),
        {"thread 0": [("True", 5)], "thread 1": [("None", 1), ("None", 4)]},
    ),
    "an older queue written in C": (
        Program(
            threads=((("get simple for ever", 0, 0),), (("put simple", 0, 0),)),
            older=frozenset({"simple"}),
        ),
        {"thread 0": [("thread 1", 1)], "thread 1": [("None", 1)]},
    ),
    "a time limit that is reached to the nanosecond": (
        Program(threads=((("own pool", 2, 4),),)),
        {"thread 0": [("timeout", 6)]},
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_was_found(name: str) -> None:
    program, expected = KEPT[name]
    found = virtually(program)
    assert {who: ends(found, who) for who in expected} == expected


CHANCE = {
    "who is woken first takes a thread of a pool": Program(
        threads=((("event wait for ever", 0, 0), ("pool map", 4, 2)),) * 2,
    ),
    "one lets go of a lock for which another waits, and wants it again": Program(
        threads=((("lock", 3, 0), ("lock", 3, 0)), (("lock", 3, 0),)),
    ),
    "who is woken first is some steps later at the same lock": Program(
        threads=(
            (("event wait for ever", 0, 0), ("rlock", 0, 0)),
            (("event wait for ever", 0, 0), ("get simple", 4, 0), ("rlock", 3, 0)),
        ),
    ),
    "one blocks a loop at the moment at which another is due": Program(
        threads=(),
        tasks=(
            (("condition wait", 2, 4), ("put", 3, 3), ("thread", 2, 4), ("block", 2, 3)),
            (("sleep", 1, 3),),
            (("sleep", 2, 2),),
        ),
    ),
}


@pytest.mark.parametrize("name", CHANCE)
def test_what_chance_decides_is_not_steady(name: str) -> None:
    assert not is_steady(CHANCE[name], virtually(CHANCE[name]))


@pytest.mark.parametrize("loop", LOOPS)
def test_whether_a_thread_or_a_blocked_loop_is_first_is_chance(loop: str) -> None:
    """A step of task 1 is overdue when task 0, which blocked the loop, hands a thread a step."""
    hands_over = (("block", 2, 0), ("thread event wait", 0, 0))
    program = Program(threads=(), tasks=(hands_over, (("block", 1, 0),)), loop=loop)
    assert not is_steady(program, virtually(program))
