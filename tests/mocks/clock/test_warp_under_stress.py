"""Many threads that sleep, hand things over and compute at once: nothing is lost or early."""

import asyncio
import queue
import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from warpbench.mocks.clock import ClockMode

from .worlds import MICROSECOND, MILLISECOND, NOBODY_CAME, SECOND, World, on_each_loop

THREADS = 16
ROUNDS = 40


@pytest.fixture(autouse=True, params=[0.005, 1e-5], ids=["calm", "restless"])
def switches(request: pytest.FixtureRequest) -> Iterator[None]:
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(request.param)
    yield
    sys.setswitchinterval(before_s)


def random_wait_ns(draw: random.Random) -> int:
    return draw.choice(
        [draw.randrange(10 * MICROSECOND), draw.randrange(MILLISECOND), draw.randrange(5 * SECOND)]
    )


@pytest.mark.parametrize("seed", range(2))
def test_threads_hand_things_over_and_wait(seed: int) -> None:
    """The slow suite has more seeds, here and below."""
    check_threads(seed)


def check_threads(seed: int) -> None:
    world = World(ClockMode.WARP)
    items: queue.Queue[tuple[int, int]] = queue.Queue(maxsize=8)
    early: list[int] = []
    got: list[tuple[int, int]] = []

    def wait(draw: random.Random) -> None:
        deadline_ns = world.clock.now_ns() + random_wait_ns(draw)
        world.clock.wait_until_ns(deadline_ns)
        if world.clock.now_ns() < deadline_ns:
            early.append(deadline_ns)

    def feed(number: int) -> None:
        draw = random.Random(f"{seed} feeds {number}")
        for turn in range(ROUNDS):
            wait(draw)
            items.put((number, turn), timeout=NOBODY_CAME)

    def take(number: int) -> None:
        draw = random.Random(f"{seed} takes {number}")
        for _ in range(ROUNDS):
            got.append(items.get(timeout=NOBODY_CAME))
            if draw.random() < 0.3:
                world.clock.burn_ns(20 * MICROSECOND)
            if draw.random() < 0.3:
                wait(draw)

    with world.scope(), ThreadPoolExecutor(2 * THREADS) as pool:
        for future in [
            pool.submit(work, number) for number in range(THREADS) for work in (feed, take)
        ]:
            future.result()

    assert not early
    assert sorted(got) == [(number, turn) for number in range(THREADS) for turn in range(ROUNDS)]


@on_each_loop
def test_a_loop_and_its_threads(loop: str) -> None:
    check_loop_and_threads(loop, seed=0)


def check_loop_and_threads(loop: str, seed: int) -> None:
    world = World(ClockMode.WARP)
    early: list[int] = []
    done: list[int] = []

    def call(number: int, deadline_ns: int) -> int:
        world.clock.wait_until_ns(deadline_ns)
        if world.clock.now_ns() < deadline_ns:
            early.append(deadline_ns)
        return number

    async def session(number: int) -> None:
        draw = random.Random(f"{seed} {number}")
        for _ in range(6):
            deadline_ns = world.clock.now_ns() + random_wait_ns(draw)
            async with asyncio.timeout(NOBODY_CAME):
                await world.clock.sleep_until_ns(deadline_ns)
            if world.clock.now_ns() < deadline_ns:
                early.append(deadline_ns)
            deadline_ns = world.clock.now_ns() + random_wait_ns(draw)
            async with asyncio.timeout(NOBODY_CAME):
                assert await asyncio.to_thread(call, number, deadline_ns) == number
        done.append(number)

    async def main() -> None:
        await asyncio.gather(*map(session, range(30)))

    world.run(main, loop)
    assert not early
    assert sorted(done) == list(range(30))


def test_threads_that_come_and_go() -> None:
    """So that unknown threads are looked for while threads begin and end all the time."""
    world = World(ClockMode.WARP)
    ended: list[int] = []

    def short(number: int) -> None:
        time.sleep(number % 5 / 1000)
        ended.append(number)

    def starter(number: int) -> None:
        for turn in range(15):
            thread = threading.Thread(target=short, args=(15 * number + turn,))
            thread.start()
            if turn % 3:
                thread.join()
            time.sleep(0.001)

    with world.scope(), ThreadPoolExecutor(8) as pool:
        list(pool.map(starter, range(8)))
        time.sleep(1)

    assert sorted(ended) == list(range(120))


def test_everybody_waits_for_one_moment() -> None:
    world = World(ClockMode.WARP)
    with world.scope(), ThreadPoolExecutor(100) as pool:
        deadline_ns = world.clock.now_ns() + 3600 * SECOND
        waits = [pool.submit(world.clock.wait_until_ns, deadline_ns) for _ in range(100)]
        for wait in waits:
            wait.result()
        assert world.clock.now_ns() >= deadline_ns
