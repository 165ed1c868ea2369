"""Figures of streams, of each form of session by every strategy on every loop."""

from collections.abc import Callable
from typing import Any

import pytest
from warpbench.bench.strategies import Strategy

from ....bench.trial.test_streaming_figures import (
    ASYNC,
    ASYNC_FORMS,
    EVERY_STRATEGY,
    FAILURES,
    WITHOUT_TOOLS,
    check_cancels,
    check_exact,
    check_first_output,
    check_raises,
    trial_of,
)

LOOPS = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@LOOPS
@pytest.mark.parametrize("session", ASYNC_FORMS)
def test_in_virtual_they_are_what_was_drawn(session: Callable[..., Any], loop: str) -> None:
    check_exact(trial_of(session, WITHOUT_TOOLS, loop=loop))


@EVERY_STRATEGY
def test_the_first_output_is_noted(strategy: Strategy, loop: str) -> None:
    check_first_output(strategy.name, loop)


@EVERY_STRATEGY
@pytest.mark.parametrize("outcome", FAILURES)
def test_one_that_raises_after_its_first_output_is_accounted_for(
    strategy: Strategy, loop: str, outcome: str
) -> None:
    check_raises(strategy.name, loop, outcome)


@LOOPS
@pytest.mark.parametrize("strategy", ASYNC)
def test_one_that_cancels_itself_is_closed_and_counts_as_cancelled(
    strategy: str, loop: str
) -> None:
    check_cancels(strategy, loop)
