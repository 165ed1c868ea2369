"""One colour for each strategy, one line style for each loop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.reports.charts.palette import (
    FURTHER_COLOURS,
    IDEAL_COLOUR,
    KNOWN_COLOURS,
    KNOWN_LINES,
    MUTED,
    loop_lines,
    on_dark,
    share_colour,
    strategy_colours,
)

pytestmark = pytest.mark.once

names = st.lists(st.text(min_size=1), unique=True)


def test_known_strategies_are_the_same_in_every_run() -> None:
    assert strategy_colours(["gather"])["gather"] == strategy_colours(KNOWN_COLOURS)["gather"]
    assert strategy_colours(["gather", "mine"])["gather"] == KNOWN_COLOURS["gather"]


def test_no_two_known_ones_look_alike() -> None:
    colours = [*KNOWN_COLOURS.values(), *FURTHER_COLOURS]
    assert len(set(colours)) == len(colours)
    distinct = {(line.dashes, line.marker) for line in KNOWN_LINES.values()}
    assert len(distinct) == len(KNOWN_LINES) - 1  # "eager" has two names


@given(names)
def test_the_order_of_a_run_decides_nothing(strategies: list[str]) -> None:
    assert strategy_colours(strategies) == strategy_colours(strategies[::-1])
    assert loop_lines(strategies) == loop_lines(strategies[::-1])


@given(st.lists(st.text(min_size=1), unique=True, max_size=40))
def test_no_two_strategies_share_a_colour(strategies: list[str]) -> None:
    colours = strategy_colours([*strategies, *KNOWN_COLOURS])
    assert len(set(colours.values())) == len(colours)


@given(st.lists(st.text(min_size=1), unique=True, max_size=20))
def test_no_two_loops_share_a_line_style(loops: list[str]) -> None:
    known = set(KNOWN_LINES) - {"asyncio-eager"}  # another name of "eager"
    lines = loop_lines([*(loop for loop in loops if loop != "asyncio-eager"), *known])
    assert len({(line.dashes, line.marker) for line in lines.values()}) == len(lines)


def test_a_share_is_darker_the_greater_it_is() -> None:
    colours = [int(share_colour(step / 20)[1:], 16) for step in range(21)]
    assert share_colour(0) == "#F3F6F9"
    assert share_colour(1) == "#0B4F7D"
    assert colours == sorted(colours, reverse=True)


def test_a_name_gives_the_same_colour_in_every_process() -> None:
    assert strategy_colours(["anyio"]) == {"anyio": "#999933"}


def contrast(one: str, other: str) -> float:
    """Return the ratio of contrast of two colours, as WCAG defines it."""

    def luminance(colour: str) -> float:
        channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    low, high = sorted((luminance(one), luminance(other)))
    return high / low


@pytest.mark.parametrize("colour", [*KNOWN_COLOURS.values(), *FURTHER_COLOURS, MUTED, IDEAL_COLOUR])
def test_a_colour_stands_out_from_a_dark_ground(colour: str) -> None:
    assert contrast(on_dark(colour), "#14181D") >= 3


def test_two_blues_stay_two_on_a_dark_ground() -> None:
    gather, taskgroup = (on_dark(KNOWN_COLOURS[name]) for name in ("gather", "taskgroup"))
    assert contrast(gather, taskgroup) >= 1.8
