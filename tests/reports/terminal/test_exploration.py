"""What an exploration found, in sentences."""

from dataclasses import replace

import pytest
from warpbench.bench.results.cancellation import Cancellation
from warpbench.bench.results.case import Case
from warpbench.bench.results.exploration import (
    Exploration,
    Failure,
    FailureKind,
    Found,
    Replayed,
)
from warpbench.reports.terminal.exploration import exploration_lines, replayed_lines

from ...built import CELL
from ...golden import assert_golden
from ..explorations import CASE, DIFFERENCES, FAILURES, FOUND, INTERRUPTED, LEAK, NOTES, STEPS

pytestmark = pytest.mark.once


def test_the_wording_of_an_exploration() -> None:
    lines = [
        *exploration_lines(FOUND, "./chat.toml"),
        "",
        *exploration_lines(Exploration(cell=CELL, schedules=200, elapsed_s=12.0), "chat"),
        *exploration_lines(INTERRUPTED, "chat"),
        *exploration_lines(
            Exploration(cell=CELL, begins_at=9, schedules=1, of=2, elapsed_s=12.0), "chat"
        ),
        *exploration_lines(Exploration(cell=CELL, not_applicable="it has no form"), "chat"),
        "",
        *replayed_lines(CELL, Replayed(Case(17), None, FAILURES)),
        *replayed_lines(CELL, Replayed(CASE, None, ())),
        *replayed_lines(CELL, Replayed(Case(12), None, (), (), NOTES)),
        *replayed_lines(CELL, Replayed(CASE, None, (), (DIFFERENCES[-1], DIFFERENCES[-1]))),
        *replayed_lines(CELL, Replayed(CASE, None, (), (Cancellation(3, "answer", 2),))),
    ]
    assert_golden("exploration", "\n".join(lines))


def test_of_many_steps_those_before_the_failure_are_shown() -> None:
    steps = tuple(
        replace(STEPS[0], begin_s=number / 100, end_s=number / 100 + 0.5, model_call=number)
        for number in range(80)
    )
    found = Found(failure=LEAK, case=CASE, seen_in=1, steps=steps)

    lines = list(exploration_lines(replace(FOUND, found=(found,), not_repeated=()), "chat"))

    shown = [line.split("model call ")[1].split()[0] for line in lines if "model call " in line]
    assert shown[1:] == [str(number) for number in range(42, 52)]


def test_of_many_that_wait_for_each_other_the_first_are_shown() -> None:
    error = "; ".join(f"thread {number}: waits" for number in range(30))
    failure = Failure(kind=FailureKind.DEADLOCK, error=error)
    found = Found(failure=failure, case=CASE, seen_in=1)

    lines = list(exploration_lines(replace(FOUND, found=(found,), not_repeated=()), "chat"))

    assert sum(": waits" in line for line in lines) == 9
    assert "    and 21 more" in lines
