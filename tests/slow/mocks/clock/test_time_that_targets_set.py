"""The date set by time-machine or freezegun, on each kind of loop in each mode that skips."""

import pytest
from warpbench.mocks.clock import ClockMode

from ....mocks.clock.test_time_that_targets_set import (
    check_around,
    check_inside,
    check_overlapping_in_sessions,
    each_setting,
)
from ....mocks.clock.worlds import in_both_skipping_modes, on_each_loop

pytestmark = pytest.mark.usefixtures("what_freezes_leave_is_undone")


@on_each_loop
@in_both_skipping_modes
@each_setting
def test_inside(setting: str, mode: ClockMode, loop: str) -> None:
    check_inside(setting, mode, loop)


@on_each_loop
@in_both_skipping_modes
@each_setting
def test_around(setting: str, mode: ClockMode, loop: str) -> None:
    check_around(setting, mode, loop)


@on_each_loop
@in_both_skipping_modes
@each_setting
def test_overlapping_in_sessions(setting: str, mode: ClockMode, loop: str) -> None:
    check_overlapping_in_sessions(setting, mode, loop)
