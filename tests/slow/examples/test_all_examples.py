"""Every example on the clock that charges for computing, and twice in virtual time."""

import pytest

from ...examples.test_examples import (
    TARGETS,
    WITH_LAB,
    require_success_on_both_loops,
    require_two_equal_runs,
    run,
)

EVERY_EXAMPLE = pytest.mark.parametrize("target", TARGETS + WITH_LAB)


@EVERY_EXAMPLE
def test_every_session_succeeds_on_both_loops(target: str) -> None:
    require_success_on_both_loops(run(target, "--clock", "warp"))


@EVERY_EXAMPLE
def test_virtual_runs_are_the_same_in_every_field(target: str) -> None:
    require_two_equal_runs(target)
