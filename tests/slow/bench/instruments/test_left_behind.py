"""Of agents that leave nothing behind nothing grows, whatever drives their sessions."""

import pytest

from ....bench.instruments.leaving import LEAVINGS
from ....bench.instruments.test_left_behind import FIRST_RUNS, RUNS, grows


@pytest.mark.parametrize(
    ("name", "strategy", "loop"), [run for run in RUNS if run[:2] not in FIRST_RUNS]
)
def test_of_the_repaired_agent_nothing_grows(name: str, strategy: str, loop: str) -> None:
    assert grows(LEAVINGS[name].repaired, strategy, loop) == ()
