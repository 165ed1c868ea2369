"""One colour for each strategy, one line style for each loop."""

from hypothesis import given
from hypothesis import strategies as st
from warpbench.reports.charts.palette import (
    FURTHER_COLOURS,
    KNOWN_COLOURS,
    KNOWN_LINES,
    loop_lines,
    strategy_colours,
)

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


@given(st.lists(st.text(min_size=1), unique=True, max_size=len(FURTHER_COLOURS)))
def test_no_two_share_a_colour_while_colours_last(strategies: list[str]) -> None:
    colours = strategy_colours([*strategies, *KNOWN_COLOURS])
    assert len(set(colours.values())) == len(colours)


def test_a_name_gives_the_same_colour_in_every_process() -> None:
    assert strategy_colours(["anyio"]) == {"anyio": "#999933"}
