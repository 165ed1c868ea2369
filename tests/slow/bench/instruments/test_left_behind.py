"""What sessions leave behind, in each way to drive them."""

import pytest

from ....bench.instruments.leaving import LEAVINGS
from ....bench.instruments.test_left_behind import RUNS, THERE_ONCE, check_told, grows, pytestmark

__all__ = ["pytestmark"]

EACH_RUN = pytest.mark.parametrize(("name", "strategy", "loop"), RUNS)


@EACH_RUN
def test_what_each_session_leaves_is_told(name: str, strategy: str, loop: str) -> None:
    check_told(name, strategy, loop)


@EACH_RUN
def test_of_the_repaired_agent_nothing_grows(name: str, strategy: str, loop: str) -> None:
    assert grows(LEAVINGS[name].repaired, strategy, loop) == ()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("name", THERE_ONCE)
def test_what_is_there_once_for_all_sessions_does_not_grow(name: str, loop: str) -> None:
    assert grows(THERE_ONCE[name], "gather", loop) == ()


@pytest.mark.parametrize(
    ("target", "strategy"),
    [
        ("agent", "taskgroup"),
        ("agent", "executor"),
        ("bare-sdk", "workers"),
        ("bare-sdk", "sync"),
        ("agent-streaming", "gather"),
    ],
)
def test_the_targets_that_come_with_the_lab_leave_nothing_that_grows(
    target: str, strategy: str
) -> None:
    assert grows(target, strategy, "asyncio") == ()
