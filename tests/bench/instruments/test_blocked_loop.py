"""A blocked loop is noticed in virtual time, and its culprit named."""

import asyncio
import time
from collections.abc import Callable, Coroutine

import pytest
from warpbench.bench.instruments import blocked_loop
from warpbench.bench.instruments.blocked_loop import BlockedLoops
from warpbench.bench.instruments.code_origin import Origin
from warpbench.mocks.clock import NANOSECONDS_PER_SECOND, VirtualClock, WarpClock, keeping_time
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.loops.uvloop_loop import SkippingUvloop


def blocked_by(main: object, loop: type = SkippingEventLoop) -> list[tuple[str, float]]:
    clock, blocked = VirtualClock(), BlockedLoops()
    clock.on_blocked_loop = blocked.note
    with (
        keeping_time(clock),
        asyncio.Runner(loop_factory=lambda: loop(clock)) as runner,
    ):
        runner.run(main())  # type: ignore[operator]
    return [
        (each.place.rpartition(".")[2], (each.end_ns - each.start_ns) / NANOSECONDS_PER_SECOND)
        for each in blocked.noted()
    ]


async def sleeps_in_plain_code() -> None:
    time.sleep(0.25)  # noqa: ASYNC251 - the blunder


async def awaits() -> None:
    await asyncio.sleep(0.25)
    await asyncio.to_thread(time.sleep, 0.25)


async def joins_a_pool_of_threads() -> None:
    future = asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.5)
    # The blunder: to wait for it without await.
    while not future.done():
        time.sleep(0.2)  # noqa: ASYNC251
        await asyncio.sleep(0)


@pytest.mark.parametrize("loop", [SkippingEventLoop, SkippingUvloop])
def test_a_wait_in_plain_code_blocks_and_an_awaited_one_does_not(loop: type) -> None:
    assert blocked_by(sleeps_in_plain_code, loop) == [
        ("py:sleeps_in_plain_code", 0.25),
    ]
    assert blocked_by(awaits, loop) == []


def test_each_stretch_is_noted() -> None:
    assert blocked_by(joins_a_pool_of_threads) == [("py:joins_a_pool_of_threads", 0.2)] * 3


def blocked_for_ns(
    work: Callable[[], Coroutine[object, object, None]], blocked: BlockedLoops
) -> list[int]:
    """How long a loop was blocked, by real time and what was skipped."""
    clock = WarpClock()
    clock.before_blocked_loop, clock.on_blocked_loop = blocked.begin, blocked.note
    with (
        keeping_time(clock),
        asyncio.Runner(loop_factory=lambda: SkippingEventLoop(clock)) as runner,
    ):
        runner.run(work())
    return [each.end_ns - each.start_ns for each in blocked.noted()]


def test_time_without_a_core_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    delays_ns = iter((5_000_000, 205_000_000))
    monkeypatch.setattr(blocked_loop, "run_delay_ns", lambda _thread: next(delays_ns))
    (found_ns,) = blocked_for_ns(sleeps_in_plain_code, BlockedLoops())
    assert found_ns >= 40_000_000  # of 250 ms, give or take what the warp clock does

    delays_ns = iter((5_000_000, 10**12))
    assert blocked_for_ns(sleeps_in_plain_code, BlockedLoops()) == []


def test_nobody_is_blamed_where_only_the_labs_own_code_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocked_loop, "origin_of", lambda _file: Origin.LAB)
    assert blocked_by(sleeps_in_plain_code) == []
