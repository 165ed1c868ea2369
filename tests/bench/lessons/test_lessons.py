"""The lessons: each claim is seen in what its code did, and what is shown is that code."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.lessons import LESSONS
from warpbench.bench.lessons.playing import play
from warpbench.bench.results.lesson import Doing, Played, Seen, Segment
from warpbench.reports.comparison.lesson_text import observation
from warpbench.reports.terminal.lesson import code_of, lesson_text

from ...golden import assert_golden

# What a turn of the loop costs is measured, and eager tasks need Python 3.12.
ELSEWHERE = {
    "uvloop": Seen(True, {"asyncio_us": 12.34, "uvloop_us": 5.0}),
    "eager-tasks": Seen(True, {"scheduled": "not started", "eager": "done"}),
}
HERE = [name for name in LESSONS if name != "eager-tasks" or sys.version_info >= (3, 12)]


@pytest.mark.parametrize("name", HERE)
def test_the_claim_of_each_lesson_is_seen(name: str) -> None:
    seen = LESSONS[name].seen(play(LESSONS[name]))
    assert seen.holds, seen.values


@pytest.mark.parametrize("name", HERE)
def test_a_lesson_plays_the_same_each_time(name: str) -> None:
    assert play(LESSONS[name]) == play(LESSONS[name])


@pytest.mark.parametrize("name", HERE)
def test_a_lesson_shows_the_code_that_was_run_and_every_lane(name: str) -> None:
    lesson = LESSONS[name]
    played = play(lesson)
    text = lesson_text(lesson, played, lesson.seen(played))
    for act in lesson.acts:
        assert f"async def {act.__name__}(stage: Stage) -> None:" in text
    for one in played.values():
        assert all(each.lane in text for each in one.segments)
        assert all(word in text for word in one.words)
    assert "def _seen" not in text
    assert len(code_of(lesson).splitlines()) <= 45  # short enough to be read


def test_a_claim_that_does_not_hold_is_not_seen() -> None:
    played = play(LESSONS["two-tasks"])
    slow = {**played, "side_by_side": played["in_turn"]}
    seen = LESSONS["two-tasks"].seen(slow)
    assert seen == Seen(False, {"in_turn_s": 2, "side_by_side_s": 2})
    assert "NOT OBSERVED: " in lesson_text(LESSONS["two-tasks"], slow, seen)


def test_a_lane_is_drawn_to_scale_and_what_was_cut_short_is_marked() -> None:
    waits = Segment("a", Doing.WAITS, 0, 500)
    blocks = Segment("b", Doing.BLOCKS, 500, 1000, is_cut_short=True)
    played = {
        "in_turn": Played((waits, blocks), (), 1000),
        "side_by_side": Played((), ((0, "hello"),), 0),
    }
    lesson = LESSONS["two-tasks"]
    lines = lesson_text(lesson, played, lesson.seen(played)).splitlines()
    assert "  a  " + "▒" * 25 in lines
    assert "  b  " + " " * 25 + "█" * 24 + "✗" in lines
    assert "      0 s  hello" in lines


def test_the_command_lists_them(warpbench: Callable[..., Any]) -> None:
    done = warpbench("learn")
    assert done.status == 0
    assert [line.split()[0] for line in done.out.splitlines()] == list(LESSONS)


def test_the_command_plays_one_and_draws_it(warpbench: Callable[..., Any], tmp_path: Path) -> None:
    done = warpbench("learn", "failure", "--out", str(tmp_path))
    assert done.status == 0, done.err
    assert "\nobserved: " in done.out
    assert {path.name for path in tmp_path.iterdir()} == {
        "lesson-failure.svg",
        "lesson-failure.png",
    }


def test_the_command_plays_all_that_this_python_has(warpbench: Callable[..., Any]) -> None:
    done = warpbench("learn", "all")
    assert done.status == 0
    assert done.out.count("\nobserved: ") == len(HERE)
    assert ("eager-tasks: left out" in done.out) is ("eager-tasks" not in HERE)


def test_an_unknown_lesson_is_refused(warpbench: Callable[..., Any]) -> None:
    done = warpbench("learn", "two-task")
    assert done.status == 2
    assert "did you mean 'two-tasks'?" in done.err


@pytest.mark.once
def test_the_wording_of_the_lessons() -> None:
    texts = [
        f"# {name}\n{lesson.claim}\n{lesson.why}\n"
        + observation(name, ELSEWHERE.get(name) or lesson.seen(play(lesson)))
        for name, lesson in LESSONS.items()
    ]
    two_tasks = LESSONS["two-tasks"]
    played = play(two_tasks)
    shown = lesson_text(two_tasks, played, two_tasks.seen(played))
    assert_golden("lessons", "\n\n".join([*texts, shown]))


@pytest.mark.parametrize("name", [name for name in HERE if name in ELSEWHERE])
def test_what_is_worded_without_being_played_has_the_values_of_the_lesson(name: str) -> None:
    assert LESSONS[name].seen(play(LESSONS[name])).values.keys() == ELSEWHERE[name].values.keys()
