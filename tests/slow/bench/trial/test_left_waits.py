"""Sessions that do not wait for their script, by every strategy on every loop."""

from collections.abc import Callable
from typing import Any

import pytest

from ....bench.trial.test_left_waits import (
    ASYNC,
    HOLDS_UP,
    LEAVES,
    SYNC,
    check_held_up,
    check_left,
    check_plainly_left,
)

LOOPS = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@LOOPS
@pytest.mark.parametrize("strategy", ASYNC)
@pytest.mark.parametrize(("leave", "how"), LEAVES)
def test_a_stream_that_is_left_fails_its_session(
    leave: Callable[[Any], Any], how: str, strategy: str, loop: str
) -> None:
    check_left(leave, how, strategy, loop)


@pytest.mark.parametrize("strategy", SYNC)
@pytest.mark.parametrize("closes", [True, False])
def test_so_does_one_of_plain_code(strategy: str, closes: bool) -> None:
    check_plainly_left(strategy, closes=closes)


@LOOPS
@pytest.mark.parametrize("name", HOLDS_UP)
def test_a_tool_counts_for_the_ideal_as_far_as_it_held_its_session_up(name: str, loop: str) -> None:
    check_held_up(name, loop)
