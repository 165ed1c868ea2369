"""A CPU-bound tool costs thread time in warp, and clock time alone in virtual."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from warpbench.mocks.clock import ClockMode, create_clock

from .worlds import MILLISECOND, SECOND, World, on_each_loop


def test_virtual_moves_the_clock_and_holds_everybody_back() -> None:
    world = World(ClockMode.VIRTUAL)
    woken_ns: list[int] = []

    def sleeper() -> None:
        world.wait_ns(SECOND)
        woken_ns.append(world.clock.now_ns())

    with world.scope():
        thread = threading.Thread(target=sleeper)
        thread.start()
        time.sleep(0.5)
        world.clock.burn_ns(10 * SECOND)
        assert world.clock.now_ns() == 10_500 * MILLISECOND
        assert not woken_ns
        thread.join()

    assert woken_ns == [10_500 * MILLISECOND]


@on_each_loop
def test_virtual_holds_the_loop_back(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)

    async def burn() -> int:
        world.clock.burn_ns(3 * SECOND)
        return world.clock.now_ns()

    async def sleep() -> int:
        await world.sleep_ns(SECOND)
        return world.clock.now_ns()

    async def main() -> list[int]:
        return await asyncio.gather(burn(), burn(), sleep())

    assert world.run(main, loop) == [3 * SECOND, 6 * SECOND, 7 * SECOND]


def test_virtual_burns_one_after_the_other_in_threads() -> None:
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(world.clock.burn_ns, [SECOND] * 4))
        assert world.clock.now_ns() == 4 * SECOND


def test_virtual_computes_for_free() -> None:
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        assert sum(range(200_000)) > 0
        assert world.clock.now_ns() == 0


def test_warp_burns_thread_time() -> None:
    world = World(ClockMode.WARP)
    with world.scope():
        start_ns, cpu_start_ns = world.clock.now_ns(), time.thread_time_ns()
        world.clock.burn_ns(20 * MILLISECOND)
        cpu_ns = time.thread_time_ns() - cpu_start_ns
        # Clock time is at least thread time: the core may have been another's meanwhile.
        assert world.clock.now_ns() - start_ns >= 19 * MILLISECOND
    assert cpu_ns >= 20 * MILLISECOND


def test_the_wall_burns_thread_time() -> None:
    cpu_start_ns = time.thread_time_ns()
    create_clock(ClockMode.WALL).burn_ns(20 * MILLISECOND)
    assert time.thread_time_ns() - cpu_start_ns >= 20 * MILLISECOND
