"""A queue written in C from before the scope is waited in on the clock."""

import queue
import threading
import time
from queue import SimpleQueue as BoundBefore

import pytest
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.clock.real_time import real_sleep
from warpbench.mocks.errors import ClockHangError, ClockRefusedError

from ..worlds import SECOND, World, in_both_skipping_modes


def consume(items: "queue.SimpleQueue[int]", world: World) -> list[tuple[int | str, int]]:
    """Return what comes out of a queue that is fed after 1 s and 3 s, and when."""

    def feed() -> None:
        time.sleep(1)
        items.put(1)
        time.sleep(2)
        items.put_nowait(2)

    found: list[tuple[int | str, int]] = []
    start_ns = world.clock.now_ns()
    thread = threading.Thread(target=feed)
    thread.start()
    for timeout_s in (None, 1, 5):
        try:
            item: int | str = items.get(timeout=timeout_s)
        except queue.Empty:
            item = "empty"
        found.append((item, (world.clock.now_ns() - start_ns) // SECOND))
    thread.join()
    return found


@in_both_skipping_modes
def test_items_and_timeouts_come_in_time(mode: ClockMode) -> None:
    older = queue.SimpleQueue[int]()
    world = World(mode)
    with world.scope():
        assert consume(older, world) == [(1, 1), ("empty", 2), (2, 3)]
    older.put(3)
    assert older.get(timeout=5) == 3


@in_both_skipping_modes
def test_also_one_made_inside_by_a_name_bound_before(mode: ClockMode) -> None:
    world = World(mode)
    with world.scope():
        assert consume(BoundBefore[int](), world) == [(1, 1), ("empty", 2), (2, 3)]


@in_both_skipping_modes
def test_what_was_put_before_is_there_and_what_is_left_stays(mode: ClockMode) -> None:
    older = queue.SimpleQueue[int]()
    older.put(1)
    older.put(2)
    with World(mode).scope():
        assert older.get() == 1
    assert older.get(timeout=5) == 2


@in_both_skipping_modes
def test_one_that_nobody_feeds_is_a_deadlock(mode: ClockMode) -> None:
    def consumes(items: "queue.SimpleQueue[int]") -> None:
        items.get()

    with pytest.raises(ClockHangError, match=r"deadlock.*consumes"), World(mode).scope():
        consumes(BoundBefore())


@in_both_skipping_modes
def test_an_ignored_thread_that_feeds_one_is_refused_by_name(mode: ClockMode) -> None:
    older, asked = queue.SimpleQueue[int](), queue.SimpleQueue[int]()
    ask_out_of_sight = asked.get

    def library_thread() -> None:
        ask_out_of_sight()
        older.put(1)

    thread = threading.Thread(target=library_thread, name="library", daemon=True)
    thread.start()
    world = World(mode)
    world.clock.tolerate(thread)
    with pytest.raises(ClockRefusedError, match=r"'library'.*woke"), world.scope():

        def asks() -> None:
            time.sleep(1)
            asked.put(1)
            while thread.is_alive():  # holds time back
                real_sleep(0.001)

        asking = threading.Thread(target=asks)
        asking.start()
        older.get()
    asking.join()
    thread.join()


def test_one_who_still_waits_when_the_scope_ends_goes_on_in_real_time() -> None:
    older, got = queue.SimpleQueue[int](), []
    thread = threading.Thread(target=lambda: got.append(older.get()))
    with World(ClockMode.VIRTUAL).scope():
        thread.start()
        time.sleep(1)
    older.put(7)
    thread.join()
    assert got == [7]
