"""asyncio's loop in real time, which looks at mocked waits where it looks for data."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from warpbench.mocks.clock import ClockMode, create_clock
from warpbench.mocks.clock.loops.polling import WaitingEventLoop

T = TypeVar("T")
MS = 1_000_000
CLOCK = create_clock(ClockMode.WALL)


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=WaitingEventLoop) as runner:
        return runner.run(work())


async def sleep_ms(duration_ms: int) -> int:
    """Wait on the clock; return by how much it was late."""
    due_ns = CLOCK.now_ns() + duration_ms * MS
    await CLOCK.sleep_until_ns(due_ns)
    return CLOCK.now_ns() - due_ns


def test_no_wait_ends_early() -> None:
    async def wait() -> list[int]:
        return await asyncio.gather(*(sleep_ms(duration_ms) for duration_ms in range(20)))

    assert min(run(wait)) >= 0


def test_a_wait_needs_no_timer_of_the_loop() -> None:
    async def wait() -> int:
        waiting = asyncio.create_task(sleep_ms(5))
        await asyncio.sleep(0)
        loop: Any = asyncio.get_running_loop()
        timers = len(loop._scheduled)
        await waiting
        return timers

    assert run(wait) == 0


def test_timers_and_waits_take_their_turns() -> None:
    order: list[str] = []

    async def note(name: str, wait: Coroutine[Any, Any, object]) -> None:
        await wait
        order.append(name)

    async def wait() -> None:
        await asyncio.gather(
            note("wait 60", sleep_ms(60)),
            note("timer 40", asyncio.sleep(0.04)),
            note("wait 20", sleep_ms(20)),
            note("timer 80", asyncio.sleep(0.08)),
        )

    run(wait)

    assert order == ["wait 20", "timer 40", "wait 60", "timer 80"]


def test_data_from_a_socket_wakes_it_before_a_wait_does() -> None:
    async def wait() -> tuple[bytes, bool]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            waiting = asyncio.create_task(sleep_ms(2_000))
            await asyncio.sleep(0)
            theirs.send(b"here")
            data = await asyncio.get_running_loop().sock_recv(ours, 10)
            was_waiting = not waiting.done()
            waiting.cancel()
            return data, was_waiting

    assert run(wait) == (b"here", True)


def test_nobody_waits_for_a_wait_that_was_cancelled() -> None:
    async def wait() -> None:
        waiting = asyncio.create_task(sleep_ms(3_600_000))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await sleep_ms(1)

    began_s = time.monotonic()
    run(wait)

    assert time.monotonic() - began_s < 3600
