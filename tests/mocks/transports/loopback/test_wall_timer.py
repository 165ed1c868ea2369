"""The server's clock: no wait ends early, however many there are, and each one ends."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, tuples
from warpbench.mocks.transports.loopback.wall_timer import Allowance, PreciseWallClock

MS = 1_000_000


@pytest.fixture
def clock() -> Iterator[PreciseWallClock]:
    with closing(PreciseWallClock()) as precise:
        yield precise
    assert "deadlines" not in {thread.name for thread in threading.enumerate()}


def test_no_wait_ends_early_whether_few_or_many_wait(clock: PreciseWallClock) -> None:

    async def early_ns(after_ns: int) -> int:
        deadline_ns = clock.now_ns() + after_ns
        await clock.sleep_until_ns(deadline_ns)
        return deadline_ns - clock.now_ns()

    async def main() -> list[int]:
        alone = [await early_ns(after_ns) for after_ns in (-MS, 0, MS // 10, MS // 2, 2 * MS)]
        return alone + await asyncio.gather(*(early_ns(n * MS // 7) for n in range(40)))

    assert max(asyncio.run(main())) <= 0


def test_a_wait_that_is_cancelled_holds_up_no_other(clock: PreciseWallClock) -> None:

    async def main() -> None:
        now_ns = clock.now_ns()
        first = asyncio.create_task(clock.sleep_until_ns(now_ns + 5 * MS))
        second = asyncio.create_task(clock.sleep_until_ns(now_ns + 10 * MS))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first, second])
        assert second.result() is None

    asyncio.run(main())


def test_a_deadline_that_comes_after_the_end_of_the_loop_ends_the_watch(
    clock: PreciseWallClock,
) -> None:

    async def main() -> None:
        wait = asyncio.create_task(clock.sleep_until_ns(clock.now_ns() + 20 * MS))
        await asyncio.sleep(0)
        wait.cancel()

    asyncio.run(main())
    while "deadlines" in {thread.name for thread in threading.enumerate()}:
        time.sleep(0.001)  # without the exception that a thread would be said to die of


@given(steps=lists(tuples(integers(0, 1000), integers(0, 50))), one_in=integers(1, 20))
def test_no_more_is_spent_than_was_saved_and_its_share_of_what_passed(
    steps: list[tuple[int, int]], one_in: int
) -> None:
    allowance, now_ns, spent_ns = Allowance(one_in, 100, 0), 0, 0
    for passed_ns, wanted_ns in steps:
        now_ns += passed_ns
        if allowance.left_ns(now_ns) >= wanted_ns:
            allowance.spend(wanted_ns)
            spent_ns += wanted_ns
        assert spent_ns <= 100 + now_ns // one_in
        assert allowance.left_ns(now_ns) <= 100


def test_what_was_spent_comes_back_in_time() -> None:
    allowance = Allowance(10, 100, 0)
    allowance.spend(100)

    assert [allowance.left_ns(now_ns) for now_ns in (0, 9, 10, 505, 10_000)] == [0, 0, 1, 50, 100]
