"""No wait ends before its deadline; in virtual time it ends exactly then."""

import asyncio
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from warpbench.mocks.clock import ClockMode, WallClock, nanoseconds

from .worlds import (
    MICROSECOND,
    MILLISECOND,
    SECOND,
    World,
    examples,
    in_both_skipping_modes,
    on_each_loop,
)

durations_ns = st.one_of(
    st.integers(0, 2 * MICROSECOND),
    st.integers(0, 3 * MILLISECOND),
    st.integers(0, 60 * SECOND),
)


lists_of_waits = given(
    waits=st.lists(st.lists(durations_ns, min_size=1, max_size=4), min_size=1, max_size=8)
)


@on_each_loop
@in_both_skipping_modes
@examples(12)
@lists_of_waits
def test_of_coroutines(mode: ClockMode, loop: str, waits: list[list[int]]) -> None:
    check_of_coroutines(mode, loop, waits)


def check_of_coroutines(mode: ClockMode, loop: str, waits: list[list[int]]) -> None:
    world = World(mode)
    late_ns: list[int] = []

    async def wait(durations: list[int]) -> None:
        for duration_ns in durations:
            deadline_ns = world.clock.now_ns() + duration_ns
            await world.clock.sleep_until_ns(deadline_ns)
            late_ns.append(world.clock.now_ns() - deadline_ns)

    async def main() -> None:
        await asyncio.gather(*map(wait, waits))

    world.run(main, loop)

    assert len(late_ns) == sum(map(len, waits))
    assert min(late_ns) >= 0
    if mode is ClockMode.VIRTUAL:
        assert max(late_ns) == 0


waits_of_threads = given(
    waits=st.lists(st.lists(durations_ns, min_size=1, max_size=4), min_size=1, max_size=6)
)


@in_both_skipping_modes
@examples(12)
@waits_of_threads
def test_of_threads(mode: ClockMode, waits: list[list[int]]) -> None:
    check_of_threads(mode, waits)


def check_of_threads(mode: ClockMode, waits: list[list[int]]) -> None:
    world = World(mode)
    late_ns: list[int] = []

    def wait(durations: list[int]) -> None:
        for duration_ns in durations:
            deadline_ns = world.clock.now_ns() + duration_ns
            world.clock.wait_until_ns(deadline_ns)
            late_ns.append(world.clock.now_ns() - deadline_ns)

    with world.scope(), ThreadPoolExecutor(len(waits)) as pool:
        list(pool.map(wait, waits))

    assert len(late_ns) == sum(map(len, waits))
    assert min(late_ns) >= 0
    if mode is ClockMode.VIRTUAL:
        assert max(late_ns) == 0


sleeps_and_calls = given(
    sleeps_ns=st.lists(durations_ns, min_size=1, max_size=5),
    calls_ns=st.lists(durations_ns, min_size=1, max_size=5),
)


@on_each_loop
@in_both_skipping_modes
@examples(7)
@sleeps_and_calls
def test_of_coroutines_and_threads_together(
    mode: ClockMode, loop: str, sleeps_ns: list[int], calls_ns: list[int]
) -> None:
    check_of_coroutines_and_threads_together(mode, loop, sleeps_ns, calls_ns)


def check_of_coroutines_and_threads_together(
    mode: ClockMode, loop: str, sleeps_ns: list[int], calls_ns: list[int]
) -> None:
    world = World(mode)
    late_ns: list[int] = []

    async def sleep(duration_ns: int) -> None:
        deadline_ns = world.clock.now_ns() + duration_ns
        await world.clock.sleep_until_ns(deadline_ns)
        late_ns.append(world.clock.now_ns() - deadline_ns)

    def call(duration_ns: int) -> None:
        deadline_ns = world.clock.now_ns() + duration_ns
        world.clock.wait_until_ns(deadline_ns)
        late_ns.append(world.clock.now_ns() - deadline_ns)

    async def main() -> None:
        await asyncio.gather(
            *map(sleep, sleeps_ns), *(asyncio.to_thread(call, call_ns) for call_ns in calls_ns)
        )

    world.run(main, loop)

    assert len(late_ns) == len(sleeps_ns) + len(calls_ns)
    assert min(late_ns) >= 0


timers = given(durations=st.lists(durations_ns, min_size=1, max_size=8))


@on_each_loop
@in_both_skipping_modes
@examples(7)
@timers
def test_of_the_loops_own_timers_but_for_the_rounding_of_floats(
    mode: ClockMode, loop: str, durations: list[int]
) -> None:
    check_of_the_loops_own_timers_but_for_the_rounding_of_floats(mode, loop, durations)


def check_of_the_loops_own_timers_but_for_the_rounding_of_floats(
    mode: ClockMode, loop: str, durations: list[int]
) -> None:
    world = World(mode)
    late_ns: list[int] = []

    async def sleep(duration_ns: int) -> None:
        start_ns = world.clock.now_ns()
        await asyncio.sleep(duration_ns / SECOND)
        late_ns.append(world.clock.now_ns() - start_ns - duration_ns)

    async def main() -> None:
        await asyncio.gather(*map(sleep, durations))

    world.run(main, loop)

    # A loop counts in seconds as floats: one nanosecond is their grain some days after boot.
    grain_ns = 1 if mode is ClockMode.VIRTUAL else 10
    assert min(late_ns) >= -grain_ns


@pytest.mark.parametrize("new_loop", [asyncio.SelectorEventLoop, uvloop.new_event_loop])
def test_of_coroutines_on_the_wall(new_loop: type[asyncio.AbstractEventLoop]) -> None:
    clock = WallClock()
    late_ns: list[int] = []

    async def wait(duration_ns: int) -> None:
        deadline_ns = clock.now_ns() + duration_ns
        await clock.sleep_until_ns(deadline_ns)
        late_ns.append(clock.now_ns() - deadline_ns)

    async def main() -> None:
        tenths_ms = (0, 1, 4, 5, 9, 10, 14, 15, 16, 55, 99, 101, 205, 255)
        await asyncio.gather(*(wait(tenth * 100 * MICROSECOND) for tenth in tenths_ms))
        for tenth in (3, 15, 105):
            await wait(tenth * 100 * MICROSECOND)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())

    assert len(late_ns) == 17
    assert min(late_ns) >= 0


def test_of_plain_code_on_the_wall() -> None:
    clock = WallClock()
    for duration_ns in (0, 1, 50 * MICROSECOND, 3 * MILLISECOND):
        deadline_ns = clock.now_ns() + duration_ns
        clock.wait_until_ns(deadline_ns)
        assert clock.now_ns() >= deadline_ns


@in_both_skipping_modes
def test_though_somebody_else_is_woken_and_waits_anew_meanwhile(mode: ClockMode) -> None:
    """Each skip makes the others' timeouts stale; none may end by them."""
    world = World(mode)
    late_ns: list[int] = []

    def long_wait() -> None:
        deadline_ns = world.clock.now_ns() + 10 * SECOND
        world.clock.wait_until_ns(deadline_ns)
        late_ns.append(world.clock.now_ns() - deadline_ns)

    with world.scope():
        threads = [threading.Thread(target=long_wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(300):
            time.sleep(0.03)
        for thread in threads:
            thread.join()

    assert min(late_ns) >= 0


def test_in_warp_a_deadline_also_passes_while_somebody_computes() -> None:
    """Found in review: the next deadline kept the timeout of before the last skip.

    The waiter's timeout is 10 real seconds when it begins to wait. The root is released
    after a skip of 9.9 of them and then computes: the waiter has to be up within 0.1 s.
    """
    world = World(ClockMode.WARP)
    done = threading.Event()
    released = threading.Event()
    woken_ns: list[int] = []

    with world.scope():
        start_ns = world.clock.now_ns()

        def waiter() -> None:
            world.clock.wait_until_ns(start_ns + 10 * SECOND)
            woken_ns.append(world.clock.now_ns())
            done.set()

        def releaser() -> None:
            world.clock.wait_until_ns(start_ns + 99 * SECOND // 10)
            released.set()

        threads = [threading.Thread(target=waiter), threading.Thread(target=releaser)]
        for thread in threads:
            thread.start()
        assert released.wait(timeout=9.95)  # itself the earliest deadline, left by release
        give_up_ns = start_ns + 16 * SECOND
        while not done.is_set() and world.clock.now_ns() < give_up_ns:
            world.clock.burn_ns(5 * MILLISECOND)
        for thread in threads:
            thread.join()

    assert start_ns + 10 * SECOND <= woken_ns[0] < give_up_ns


def test_nanoseconds_round_to_the_nearest() -> None:
    assert nanoseconds(0.0205) == 20_500_000
    assert nanoseconds(1e-9) == 1


timers_set_again = given(
    before_s=st.floats(0, 1_000),
    delay_s=st.one_of(st.floats(0, 1e-8), st.floats(0, 1), st.sampled_from([0.1, 0.2, 0.3])),
    ulps=st.integers(0, 3),
)


@on_each_loop
@in_both_skipping_modes
@examples(25)
@timers_set_again
def test_of_a_timer_that_is_set_again_until_its_moment_has_come(
    mode: ClockMode, loop: str, before_s: float, delay_s: float, ulps: int
) -> None:
    """As anyio's cancel scopes do: a float may lie an ulp after the nanosecond it is due in."""
    check_of_a_timer_that_is_set_again_until_its_moment_has_come(
        mode, loop, before_s, delay_s, ulps
    )


def check_of_a_timer_that_is_set_again_until_its_moment_has_come(
    mode: ClockMode, loop: str, before_s: float, delay_s: float, ulps: int
) -> None:
    world = World(mode)

    async def main() -> int:
        running = asyncio.get_running_loop()
        await asyncio.sleep(before_s)
        deadline_s = running.time() + delay_s
        for _ in range(ulps):
            deadline_s = math.nextafter(deadline_s, math.inf)
        over = asyncio.Event()
        calls = 0

        def when_due() -> None:
            nonlocal calls
            calls += 1
            assert calls < 100, "time stands still"
            if running.time() >= deadline_s:
                over.set()
            else:
                running.call_at(deadline_s, when_due)

        running.call_at(deadline_s, when_due)
        async with asyncio.timeout(1_000):
            await over.wait()
        return calls

    # Once more if the float was rounded down to its nanosecond.
    assert world.run(main, loop) <= 2
