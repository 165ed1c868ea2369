"""What code reads of the time, and what it sleeps by itself, agree with the clock."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from warpbench.mocks.clock import ClockMode, seconds

from .worlds import SECOND, World, in_both_skipping_modes, on_each_loop

READINGS: tuple[Callable[[], float], ...] = (
    lambda: time.monotonic() + 0,
    lambda: time.perf_counter() + 0,
    lambda: time.time() + 0,
    lambda: time.monotonic_ns() / SECOND,
    lambda: time.perf_counter_ns() / SECOND,
    lambda: time.time_ns() / SECOND,
)
ROUNDING_S = 1e-6  # of floats that count from 1970


def slept_by_all_readings(sleep_s: float) -> list[float]:
    before = [read() for read in READINGS]
    time.sleep(sleep_s)
    return [read() - start for read, start in zip(READINGS, before, strict=True)]


@in_both_skipping_modes
def test_in_the_main_thread(mode: ClockMode) -> None:
    with World(mode).scope():
        slept = slept_by_all_readings(10)
    assert min(slept) >= 10 - ROUNDING_S
    if mode is ClockMode.VIRTUAL:
        assert slept == pytest.approx([10] * len(READINGS), abs=ROUNDING_S)


@in_both_skipping_modes
def test_in_a_worker_thread(mode: ClockMode) -> None:
    with World(mode).scope(), ThreadPoolExecutor(1) as pool:
        assert min(pool.submit(slept_by_all_readings, 10).result()) >= 10 - ROUNDING_S


@on_each_loop
@in_both_skipping_modes
def test_in_a_coroutine_where_it_blocks_the_loop(mode: ClockMode, loop: str) -> None:
    world = World(mode)

    async def blunder() -> list[float]:
        return slept_by_all_readings(10)

    async def main() -> tuple[float, float]:
        start_s = asyncio.get_running_loop().time()
        slept, others_s = await asyncio.gather(blunder(), asyncio.sleep(1, "other"))
        assert others_s == "other"
        return min(slept), asyncio.get_running_loop().time() - start_s

    slept_s, passed_s = world.run(main, loop)
    assert slept_s >= 10 - ROUNDING_S
    assert passed_s >= 10


def test_virtual_time_starts_at_0_in_2026() -> None:
    with World(ClockMode.VIRTUAL).scope():
        assert time.monotonic() == time.perf_counter() == 0
        assert time.gmtime(time.time())[:6] == (2026, 1, 1, 0, 0, 0)


def test_warp_tells_the_date() -> None:
    real_s = time.time()
    with World(ClockMode.WARP).scope():
        assert abs(time.time() - real_s) < 60


@in_both_skipping_modes
def test_timeouts_of_the_standard_library_count_on_the_clock(mode: ClockMode) -> None:
    world = World(mode)
    with world.scope():
        start_s = time.monotonic()
        threading.Event().wait(3)
        with pytest.raises(queue.Empty):
            queue.Queue[None]().get(timeout=3)
        with ThreadPoolExecutor(1) as pool:
            with pytest.raises(TimeoutError):
                pool.submit(time.sleep, 9).result(timeout=3)
            assert time.monotonic() - start_s >= 9
        assert time.monotonic() - start_s >= 15
        thread = threading.Thread(target=time.sleep, args=(9,))
        thread.start()
        thread.join(timeout=3)
        assert thread.is_alive()
        thread.join()
        assert not thread.is_alive()
        assert time.monotonic() - start_s >= 24


@in_both_skipping_modes
@pytest.mark.parametrize("start_s", [0.1, 0.3, 0.7])
def test_sleeping_for_what_is_left_of_a_deadline_comes_to_an_end(
    mode: ClockMode, start_s: float
) -> None:
    """Found by replaying programs: 5e-17 s are left, and no time passes in sleeping them."""
    with World(mode).scope():
        time.sleep(start_s)
        for pause_s in (0.1, 0.2, 0.3, 0.6, 0.7):
            end_s = time.monotonic() + pause_s
            while time.monotonic() < end_s:
                time.sleep(end_s - time.monotonic())
            with pytest.raises(queue.Empty):
                queue.Queue[None]().get(timeout=pause_s)


@in_both_skipping_modes
def test_sleep_refuses_a_negative_length(mode: ClockMode) -> None:
    with World(mode).scope(), pytest.raises(ValueError, match="non-negative"):
        time.sleep(-1)


@in_both_skipping_modes
def test_all_is_real_after_the_scope(mode: ClockMode) -> None:
    before, names = [read() for read in READINGS], dict(vars(time))
    with World(mode).scope():
        time.sleep(10_000)
    assert all(0 <= read() - was < 60 for read, was in zip(READINGS, before, strict=True))
    assert dict(vars(time)) == names


@in_both_skipping_modes
def test_all_is_real_after_an_error(mode: ClockMode) -> None:
    before = [read() for read in READINGS]
    with pytest.raises(LookupError), World(mode).scope():
        time.sleep(10_000)
        raise LookupError
    assert all(0 <= read() - was < 60 for read, was in zip(READINGS, before, strict=True))


def test_the_clock_reads_what_time_does() -> None:
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        time.sleep(1.5)
        assert time.monotonic() == seconds(world.clock.now_ns()) == 1.5
