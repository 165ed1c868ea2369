"""Where everything lies in the swim lanes of a failure."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.bench.results.case import Case
from warpbench.bench.results.exploration import Cancelled, Failure, FailureKind, Found
from warpbench.bench.results.steps import Step, StepKind
from warpbench.reports.html.swim_lanes import (
    BAR_HEIGHT,
    MOST_STEPS,
    WIDTH,
    Bar,
    LanePicture,
    draw_lanes,
    shown_steps,
)

from ..explorations import LEAK

pytestmark = pytest.mark.once

WHOLE = Case(0)


def step(
    session: int, begin_s: float, end_s: float, kind: StepKind = StepKind.MODEL_CALL, name: str = ""
) -> Step:
    call = 1 if kind is StepKind.MODEL_CALL else 0
    return Step(
        session=session, kind=kind, name=name, model_call=call, begin_s=begin_s, end_s=end_s
    )


def picture_of(
    steps: Sequence[Step], failure: Failure = LEAK, case: Case = WHOLE, **fields: object
) -> LanePicture:
    found = Found(failure=failure, case=case, seen_in=1, steps=tuple(steps))
    picture = draw_lanes(replace(found, **fields))  # type: ignore[arg-type]
    assert picture is not None
    return picture


def bars_of(picture: LanePicture) -> list[Bar]:
    return [bar for lane in picture.lanes for bar in lane.bars]


def test_a_bar_is_as_long_as_its_step_and_lies_in_its_sessions_lane() -> None:
    picture = picture_of([step(3, 0, 1), step(7, 0.5, 2)])

    whole = picture.right - picture.left
    first, second = bars_of(picture)
    assert (first.x, first.width) == (picture.left, pytest.approx(whole / 2, abs=0.1))
    assert second.x == pytest.approx(picture.left + whole / 4, abs=0.1)
    assert second.x + second.width == pytest.approx(picture.right, abs=0.1)
    assert [lane.name for lane in picture.lanes] == ["session 3", "session 7"]
    assert [lane.y for lane in picture.lanes] == [first.y, second.y]


def test_what_a_session_does_at_one_time_lies_one_below_the_other() -> None:
    tools = [step(3, 1, 2, StepKind.TOOL, name) for name in ("a", "b")]
    picture = picture_of([step(3, 0, 1), *tools, step(3, 2, 3)])

    call, first, second, last = bars_of(picture)
    assert call.y == first.y == last.y
    assert second.y >= first.y + BAR_HEIGHT
    assert picture.lanes[0].height >= second.y + BAR_HEIGHT - first.y


def test_the_moment_is_a_line_and_a_mark_in_the_lane_that_goes_wrong() -> None:
    picture = picture_of([step(3, 0, 1), step(7, 0, 1)], replace(LEAK, at_s=0.25))

    assert picture.moment is not None
    assert picture.moment.x == picture.lanes[0].failed_x
    assert picture.moment.x == pytest.approx(
        picture.left + (picture.right - picture.left) / 4, abs=0.1
    )
    assert picture.lanes[1].failed_x is None
    assert "failed" in {key.kind for key in picture.keys}


def test_the_text_of_a_late_moment_stands_before_its_line() -> None:
    steps = [step(3, 0, 1)]
    assert [
        moment.anchor
        for at_s in (0.1, 0.99)
        if (moment := picture_of(steps, replace(LEAK, at_s=at_s)).moment)
    ] == ["start", "end"]


def test_a_failure_of_no_known_time_has_no_moment() -> None:
    hang = Failure(kind=FailureKind.DEADLOCK, error="all wait")
    picture = picture_of([step(0, 0, 1)], hang)

    assert picture.moment is None
    assert "failed" not in {key.kind for key in picture.keys}


def test_a_cancelled_session_has_a_mark() -> None:
    picture = picture_of(
        [step(3, 0, 4), step(7, 1, 3)], differences=(Cancelled(session=7, after_s=3.0),)
    )

    assert picture.lanes[0].cancelled_x is None
    assert picture.lanes[1].cancelled_x == pytest.approx(
        picture.left + (picture.right - picture.left) * 3 / 4, abs=0.1
    )
    assert any("3.00 s" in note for note in picture.lanes[1].notes)
    assert "cancelled" in {key.kind for key in picture.keys}


def test_a_session_of_the_case_that_did_nothing_has_a_lane() -> None:
    picture = picture_of([step(3, 0, 1)], case=Case(0, sessions=(3, 7)))

    assert [(lane.name, len(lane.bars)) for lane in picture.lanes] == [
        ("session 3", 1),
        ("session 7", 0),
    ]


def test_of_many_sessions_those_that_the_failure_is_about_are_drawn() -> None:
    steps = [step(number, 0, 1) for number in range(30)]
    picture = picture_of(steps, replace(LEAK, session=28, owner=29))

    assert len(picture.lanes) + picture.more == 30
    assert [lane.name for lane in picture.lanes[-2:]] == ["session 28", "session 29"]
    assert picture.lanes[0].name == "session 0"


def test_of_many_steps_the_moment_is_drawn_and_not_what_was_long_before() -> None:
    steps = tuple(step(3, number, number + 1) for number in range(200))
    found = Found(failure=replace(LEAK, at_s=150.5), case=Case(0), seen_in=1, steps=steps)

    assert shown_steps(found) == steps[151 - MOST_STEPS : 151]
    picture = draw_lanes(found)
    assert picture is not None
    assert picture.ticks[0].text == "120 s"
    assert picture.moment is not None
    assert len(bars_of(picture)) == MOST_STEPS + 2  # those that touch its edges, too


def test_a_bar_has_the_longest_text_that_it_has_room_for() -> None:
    texts = []
    for length in (0.2, 0.08, 0.03, 0.01):
        long = step(3, 0, 1, StepKind.TOOL, "search")
        texts += [bars_of(picture_of([long, step(7, 0, length)]))[1].text]
    assert texts == ["model call 1", "call 1", "1", ""]


def test_late_times_that_are_close_together_are_told_apart() -> None:
    steps = [step(3, 100 + number / 100, 100 + number / 100 + 0.01) for number in range(60)]
    ticks = picture_of(steps, replace(LEAK, at_s=100.6)).ticks
    assert len({tick.text for tick in ticks}) == len(ticks) >= 3


def test_without_a_step_of_any_length_there_is_no_picture() -> None:
    nothing = Found(failure=LEAK, case=Case(0), seen_in=1)
    assert draw_lanes(nothing) is None
    assert draw_lanes(replace(nothing, steps=(step(3, 0, 0),))) is None


spans = st.tuples(
    st.integers(0, 13), st.integers(0, 1000), st.integers(0, 1000), st.sampled_from(StepKind)
)


@given(st.lists(spans, min_size=1, max_size=60), st.one_of(st.none(), st.floats(0, 2)))
def test_nothing_lies_outside_or_on_something_else(
    drawn: list[tuple[int, int, int, StepKind]], at_s: float | None
) -> None:
    steps = [
        step(session, begin / 1000, (begin + length) / 1000, kind, "a tool")
        for session, begin, length, kind in drawn
    ]
    failure = replace(LEAK, at_s=at_s)
    picture = draw_lanes(Found(failure=failure, case=Case(0), seen_in=1, steps=tuple(steps)))
    if picture is None:
        assert all(each.begin_s == each.end_s for each in steps) or len(steps) > MOST_STEPS
        return
    for lane in picture.lanes:
        for bar in lane.bars:
            assert picture.left <= bar.x
            assert bar.x + bar.width <= picture.right + 0.15
            assert lane.y <= bar.y
            assert bar.y + BAR_HEIGHT <= lane.y + lane.height
        for one, other in combinations(lane.bars, 2):
            apart = max(one.x, other.x) - min(one.x + one.width, other.x + other.width)
            assert one.y != other.y or apart >= -2.15  # the least length of a bar
    for above, below in zip(picture.lanes, picture.lanes[1:], strict=False):
        assert above.y + above.height < below.y
    assert picture.lanes[-1].y + picture.lanes[-1].height < picture.bottom < picture.height
    assert picture.right < WIDTH
