"""No wait ends before its deadline: tried more often."""

from warpbench.mocks.clock import ClockMode

from ....mocks.clock.test_waits_hold_their_deadlines import (
    check_of_a_timer_that_is_set_again_until_its_moment_has_come,
    check_of_coroutines,
    check_of_coroutines_and_threads_together,
    check_of_the_loops_own_timers_but_for_the_rounding_of_floats,
    check_of_threads,
    lists_of_waits,
    sleeps_and_calls,
    timers,
    timers_set_again,
    waits_of_threads,
)
from ....mocks.clock.worlds import examples, in_both_skipping_modes, on_each_loop


@on_each_loop
@in_both_skipping_modes
@examples(100)
@lists_of_waits
def test_of_coroutines(mode: ClockMode, loop: str, waits: list[list[int]]) -> None:
    check_of_coroutines(mode, loop, waits)


@in_both_skipping_modes
@examples(100)
@waits_of_threads
def test_of_threads(mode: ClockMode, waits: list[list[int]]) -> None:
    check_of_threads(mode, waits)


@on_each_loop
@in_both_skipping_modes
@examples(60)
@sleeps_and_calls
def test_of_coroutines_and_threads_together(
    mode: ClockMode, loop: str, sleeps_ns: list[int], calls_ns: list[int]
) -> None:
    check_of_coroutines_and_threads_together(mode, loop, sleeps_ns, calls_ns)


@on_each_loop
@in_both_skipping_modes
@examples(60)
@timers
def test_of_the_loops_own_timers_but_for_the_rounding_of_floats(
    mode: ClockMode, loop: str, durations: list[int]
) -> None:
    check_of_the_loops_own_timers_but_for_the_rounding_of_floats(mode, loop, durations)


@on_each_loop
@in_both_skipping_modes
@examples(300)
@timers_set_again
def test_of_a_timer_that_is_set_again_until_its_moment_has_come(
    mode: ClockMode, loop: str, before_s: float, delay_s: float, ulps: int
) -> None:
    check_of_a_timer_that_is_set_again_until_its_moment_has_come(
        mode, loop, before_s, delay_s, ulps
    )
