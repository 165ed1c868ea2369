"""The server's clock: no wait ends early, however many there are, and each one ends."""

import asyncio

from warpbench.mocks.server.precise_clock import PreciseWallClock

MS = 1_000_000


def test_no_wait_ends_early_whether_few_or_many_wait() -> None:
    clock = PreciseWallClock()

    async def early_ns(after_ns: int) -> int:
        deadline_ns = clock.now_ns() + after_ns
        await clock.sleep_until_ns(deadline_ns)
        return deadline_ns - clock.now_ns()

    async def main() -> list[int]:
        alone = [await early_ns(after_ns) for after_ns in (-MS, 0, MS // 10, MS // 2, 2 * MS)]
        return alone + await asyncio.gather(*(early_ns(n * MS // 7) for n in range(40)))

    assert max(asyncio.run(main())) <= 0


def test_a_wait_that_is_cancelled_holds_up_no_other() -> None:
    clock = PreciseWallClock()

    async def main() -> None:
        now_ns = clock.now_ns()
        first = asyncio.create_task(clock.sleep_until_ns(now_ns + 5 * MS))
        second = asyncio.create_task(clock.sleep_until_ns(now_ns + 10 * MS))
        await asyncio.sleep(0)
        first.cancel()
        await second
        assert first.cancelled()

    asyncio.run(main())
