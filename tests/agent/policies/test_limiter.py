import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warpbench.agent import Limiter, SettingsError

from ..virtual import in_virtual_time, on_each_loop


class Room:
    """Counts who is in it."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.order: list[int] = []

    def enter(self, who: int) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.order.append(who)

    def leave(self) -> None:
        self.inside -= 1


@on_each_loop
def test_at_most_so_many_are_let_in_and_first_come_first_served(loop: str) -> None:
    limiter, room = Limiter(3), Room()

    async def visit(who: int) -> None:
        async with limiter:
            room.enter(who)
            await asyncio.sleep(1)
            room.leave()

    async def main() -> None:
        await asyncio.gather(*map(visit, range(10)))

    assert in_virtual_time(main, loop)[1] == 4.0
    assert room.most == 3
    assert room.order == list(range(10))


def test_threads_and_event_loops_share_one() -> None:
    limiter, room = Limiter(2), Room()

    def stay() -> None:
        with limiter:
            room.enter(0)
            time.sleep(1)
            room.leave()

    async def stay_async() -> None:
        async with limiter:
            room.enter(1)
            await asyncio.sleep(1)
            room.leave()

    async def loop() -> None:
        await asyncio.gather(*(stay_async() for _ in range(3)))

    def main() -> None:
        with ThreadPoolExecutor(5) as threads:
            stays = [threads.submit(stay) for _ in range(3)]
            stays += [threads.submit(asyncio.run, loop())]
            for each in stays:
                each.result()

    assert in_virtual_time(main)[1] == 3.0
    assert room.most == 2


def test_a_thread_gives_up_when_its_time_is_up_and_takes_no_slot_along() -> None:
    limiter = Limiter(1)
    limiter.acquire()
    with pytest.raises(TimeoutError):
        limiter.acquire(timeout_s=0.01)
    limiter.release()
    limiter.acquire(timeout_s=0)


def test_an_interrupted_thread_leaves_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = Limiter(1)
    limiter.acquire()

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Condition, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            limiter.acquire()
    limiter.release()
    limiter.acquire(timeout_s=0)


visits = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.none() | st.integers(0, 6)),
    min_size=1,
    max_size=12,
)


@given(limit=st.integers(1, 3), visits=visits)
def test_whoever_is_cancelled_whenever_no_slot_is_lost_and_none_is_made(
    limit: int, visits: list[tuple[int, int, int | None]]
) -> None:
    limiter, room = Limiter(limit), Room()

    async def visit(after: int, stay: int) -> None:
        await asyncio.sleep(after)
        async with limiter:
            room.enter(0)
            try:
                await asyncio.sleep(stay)
            finally:
                room.leave()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        tasks = []
        for after, stay, cancelled_after in visits:
            task = asyncio.create_task(visit(after, stay))
            if cancelled_after is not None:
                loop.call_later(cancelled_after, task.cancel)
            tasks.append(task)
        await asyncio.gather(*tasks, return_exceptions=True)
        # All slots are back: so many, and no more, can be taken without waiting.
        for _ in range(limit):
            await asyncio.wait_for(limiter.acquire_async(), timeout=0.5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(limiter.acquire_async(), timeout=0.5)

    in_virtual_time(main)
    assert room.most <= limit
    assert room.inside == 0


def test_a_limit_lets_somebody_in() -> None:
    with pytest.raises(SettingsError, match="limit is 0"):
        Limiter(0)
