"""Many threads that sleep, hand things over and compute at once: more of them."""

import pytest

from ....mocks.clock.test_warp_under_stress import check_loop_and_threads, check_threads, switches
from ....mocks.clock.worlds import on_each_loop

__all__ = ["switches"]


@pytest.mark.parametrize("seed", range(2, 12))
def test_threads_hand_things_over_and_wait(seed: int) -> None:
    check_threads(seed)


@on_each_loop
@pytest.mark.parametrize("seed", range(1, 8))
def test_a_loop_and_its_threads(loop: str, seed: int) -> None:
    check_loop_and_threads(loop, seed)
