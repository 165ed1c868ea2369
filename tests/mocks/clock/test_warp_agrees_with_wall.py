"""What warp measures is what the wall would have shown: never less than the ideal.

How near the two come is measured by the fidelity command; here stand the bounds that hold
on any machine, however busy.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from warpbench.mocks.clock import Clock, ClockMode, create_clock, keeping_time, seconds
from warpbench.mocks.clock.real_time import real_perf_counter

from .worlds import MILLISECOND, SECOND, World, on_each_loop

SESSIONS = 12
AT_ONCE = 4
MODEL_NS = 20 * MILLISECOND
TOOL_NS = 10 * MILLISECOND
IDEAL_LATENCY_NS = MODEL_NS + TOOL_NS + MODEL_NS
IDEAL_MAKESPAN_NS = SESSIONS // AT_ONCE * IDEAL_LATENCY_NS


async def load(clock: Clock) -> tuple[int, list[int]]:
    """Run the sessions; return their makespan and their latencies in nanoseconds."""
    latencies_ns: list[int] = []
    slots = asyncio.Semaphore(AT_ONCE)

    async def session() -> None:
        async with slots:
            start_ns = clock.now_ns()
            await clock.sleep_until_ns(clock.now_ns() + MODEL_NS)
            tools = (clock.sleep_until_ns(clock.now_ns() + TOOL_NS) for _ in range(2))
            await asyncio.gather(*tools)
            await clock.sleep_until_ns(clock.now_ns() + MODEL_NS)
            latencies_ns.append(clock.now_ns() - start_ns)

    start_ns = clock.now_ns()
    await asyncio.gather(*(session() for _ in range(SESSIONS)))
    return clock.now_ns() - start_ns, latencies_ns


@on_each_loop
def test_no_mode_is_faster_than_the_ideal_and_virtual_is_the_ideal(loop: str) -> None:
    warp = World(ClockMode.WARP)
    makespan_ns, latencies_ns = warp.run(lambda: load(warp.clock), loop)
    assert makespan_ns >= IDEAL_MAKESPAN_NS
    assert min(latencies_ns) >= IDEAL_LATENCY_NS

    virtual = World(ClockMode.VIRTUAL)
    assert virtual.run(lambda: load(virtual.clock), loop) == (
        IDEAL_MAKESPAN_NS,
        [IDEAL_LATENCY_NS] * SESSIONS,
    )


def test_neither_is_the_wall() -> None:
    clock = create_clock(ClockMode.WALL)
    with keeping_time(clock):
        makespan_ns, latencies_ns = asyncio.run(load(clock))
    assert makespan_ns >= IDEAL_MAKESPAN_NS
    assert min(latencies_ns) >= IDEAL_LATENCY_NS


@pytest.mark.parametrize("mode", [ClockMode.WARP, ClockMode.VIRTUAL])
def test_threads_take_as_many_rounds_as_the_pool_makes_them(mode: ClockMode) -> None:
    world = World(mode)
    with world.scope():
        start_ns = world.clock.now_ns()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in range(SESSIONS):
                pool.submit(time.sleep, 0.05)
        makespan_ns = world.clock.now_ns() - start_ns
    assert makespan_ns >= SESSIONS // AT_ONCE * 50 * MILLISECOND
    if mode is ClockMode.VIRTUAL:
        assert makespan_ns == SESSIONS // AT_ONCE * 50 * MILLISECOND


@on_each_loop
def test_waiting_is_skipped(loop: str) -> None:
    world = World(ClockMode.WARP)

    async def main() -> None:
        for _ in range(50):
            await world.sleep_ns(3600 * SECOND)
            await asyncio.to_thread(time.sleep, 3600)

    began_s = real_perf_counter()
    start_ns = world.clock.now_ns()
    world.run(main, loop)
    assert seconds(world.clock.now_ns() - start_ns) >= 100 * 3600
    # However busy the machine is: a single one of the waits would take longer.
    assert real_perf_counter() - began_s < 3600


@on_each_loop
def test_warp_charges_computing_to_everybody_who_waits_for_the_loop(loop: str) -> None:
    world = World(ClockMode.WARP)

    async def compute() -> None:
        await world.sleep_ns(SECOND)
        world.clock.burn_ns(30 * MILLISECOND)

    async def main() -> int:
        start_ns = world.clock.now_ns()
        await asyncio.gather(*(compute() for _ in range(4)))
        return world.clock.now_ns() - start_ns

    assert world.run(main, loop) >= SECOND + 4 * 30 * MILLISECOND
