"""In virtual time, polling lets others run, but lets no time pass."""

import asyncio
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest
from warpbench.mocks.clock import ClockMode, virtual
from warpbench.mocks.errors import ClockHangError

from .worlds import SECOND, World, in_both_skipping_modes, on_each_loop


@on_each_loop
@in_both_skipping_modes
def test_a_loop_that_polls_for_a_thread_lets_it_run(mode: ClockMode, loop: str) -> None:
    async def main() -> bool:
        done = threading.Event()
        thread = threading.Thread(target=done.set)
        thread.start()
        while not done.is_set():  # noqa: ASYNC110 - this is what is tried
            await asyncio.sleep(0)
        thread.join()
        return True

    assert World(mode).run(main, loop)


@in_both_skipping_modes
def test_a_thread_that_sleeps_for_nothing_lets_others_run(mode: ClockMode) -> None:
    with World(mode).scope():
        done = threading.Event()
        thread = threading.Thread(target=done.set)
        thread.start()
        while not done.is_set():
            time.sleep(0)
        thread.join()


def test_who_sleeps_for_nothing_has_a_turn_among_others_who_never_rest() -> None:
    turns: list[str] = []

    def play(first: queue.SimpleQueue[int], second: queue.SimpleQueue[int]) -> None:
        for _ in range(50):
            first.get()
            turns.append("play")
            second.put(0)

    with World(ClockMode.VIRTUAL).scope():
        ping, pong = queue.SimpleQueue[int](), queue.SimpleQueue[int]()
        players = [
            threading.Thread(target=play, args=balls) for balls in ((ping, pong), (pong, ping))
        ]
        for player in players:
            player.start()
        ping.put(0)
        for _ in range(3):
            time.sleep(0)
            turns.append("sleep")
        for player in players:
            player.join()
    assert turns.index("sleep") < 5
    assert turns[10:].count("sleep") == 0


@on_each_loop
def test_loops_that_poll_for_each_other_take_turns(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)
    flags = [threading.Event(), threading.Event()]

    async def poll(number: int) -> None:
        flags[number].set()
        while not flags[1 - number].is_set():  # noqa: ASYNC110 - this is what is tried
            await asyncio.sleep(0)

    with world.scope(), ThreadPoolExecutor(2) as pool:
        polls = [
            pool.submit(world.run_here, lambda number=number: poll(number), loop)
            for number in range(2)
        ]
        for future in polls:
            future.result()
    assert world.clock.now_ns() == 0


@on_each_loop
def test_a_busy_loop_lets_no_time_pass(loop: str) -> None:
    world = World(ClockMode.VIRTUAL)

    async def compute() -> int:
        for _ in range(5_000):
            await asyncio.sleep(0)
        return world.clock.now_ns()

    async def main() -> list[int]:
        thread = threading.Thread(target=time.sleep, args=(1,))
        thread.start()
        try:
            return await asyncio.gather(compute(), compute())
        finally:
            thread.join()

    assert world.run(main, loop) == [0, 0]


@on_each_loop
def test_a_loop_that_polls_for_what_never_comes_is_a_hang(
    loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual, "SPINS_THAT_HANG", 2_000)
    world = World(ClockMode.VIRTUAL)

    async def poll_for_ever() -> None:
        while True:  # noqa: ASYNC110 - this is what is tried
            await asyncio.sleep(0)

    with pytest.raises(ClockHangError, match=r"poll_for_ever \(test_spinning.py:"):
        world.run(poll_for_ever, loop)


@on_each_loop
def test_a_loop_that_polls_until_time_has_passed_is_a_hang(
    loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the clock it looks like computing, for which time does not move."""
    monkeypatch.setattr(virtual, "SPINS_THAT_HANG", 2_000)
    world = World(ClockMode.VIRTUAL)

    async def poll_until_tomorrow() -> None:
        while world.clock.now_ns() < 86_400 * SECOND:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(poll_until_tomorrow(), asyncio.sleep(1))

    with pytest.raises(ClockHangError, match="poll_until_tomorrow"):
        world.run(main, loop)


def test_a_thread_that_polls_is_a_hang_too_and_the_root_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(virtual, "SPINS_THAT_HANG", 2_000)
    caught: list[ClockHangError] = []

    def poll_for_ever() -> None:
        try:
            while True:
                time.sleep(0)
        except ClockHangError as error:
            caught.append(error)

    def root() -> None:
        thread = threading.Thread(target=poll_for_ever)
        with World(ClockMode.VIRTUAL).scope():
            thread.start()
            try:
                time.sleep(1)
            finally:
                thread.join()

    with pytest.raises(ClockHangError, match="turns without waiting"):
        root()
    assert len(caught) == 1


@on_each_loop
def test_turns_are_counted_anew_at_each_instant(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "SPINS_THAT_HANG", 500)
    world = World(ClockMode.VIRTUAL)

    async def main() -> None:
        for _ in range(10):
            for _ in range(300):
                await asyncio.sleep(0)
            await world.sleep_ns(1)

    world.run(main, loop)


@on_each_loop
def test_in_warp_time_passes_while_a_loop_polls(loop: str) -> None:
    world = World(ClockMode.WARP)

    async def main() -> None:
        end_ns = world.clock.now_ns() + SECOND // 50
        while world.clock.now_ns() < end_ns:  # noqa: ASYNC110 - this is what is tried
            await asyncio.sleep(0)

    world.run(main, loop)


def test_a_wait_until_a_time_that_is_reached_and_has_not_passed_ends() -> None:
    """``as_completed`` gives up when less than nothing is left; until then it waits for nothing."""
    world = World(ClockMode.VIRTUAL)
    with world.scope(), ThreadPoolExecutor(1) as pool:
        futures = [pool.submit(time.sleep, 5)]
        with pytest.raises(TimeoutError):
            list(as_completed(futures, timeout=2))
        assert 2 * SECOND <= world.clock.now_ns() <= 2 * SECOND + 1


def test_who_polls_for_what_never_comes_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "SPINS_THAT_HANG", 10_000)
    never = threading.Event()

    def polls() -> None:
        while not never.wait(0):
            pass

    with (
        pytest.raises(ClockHangError, match="turns without waiting"),
        World(ClockMode.VIRTUAL).scope(),
    ):
        polls()


def test_who_polls_lets_the_others_run() -> None:
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        event = threading.Event()
        thread = threading.Thread(target=event.set)
        thread.start()
        while not event.wait(0):
            pass
        thread.join()
        assert world.clock.now_ns() <= 1


def test_a_pool_that_is_asked_for_an_idle_thread_does_not_poll() -> None:
    world = World(ClockMode.VIRTUAL)
    with world.scope(), ThreadPoolExecutor(1) as pool:
        for _ in range(3 * virtual.POLLS_A_TURN):
            pool.submit(abs, 1)
        assert world.clock.now_ns() == 0
