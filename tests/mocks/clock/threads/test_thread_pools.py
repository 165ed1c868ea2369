"""A ``multiprocessing.pool.ThreadPool`` takes part in a scope, made in it or before."""

import threading
import time
from collections.abc import Callable
from multiprocessing.pool import ThreadPool

import pytest
from warpbench.mocks.clock import ClockMode

from ..worlds import SECOND, World, in_both_skipping_modes

USES: dict[str, tuple[Callable[[ThreadPool], object], int]] = {
    "map": (lambda pool: pool.map(time.sleep, [5] * 4), 10),
    "starmap": (lambda pool: pool.starmap(time.sleep, [(5,)] * 4), 10),
    "imap": (lambda pool: list(pool.imap(time.sleep, [5] * 3)), 10),
    "imap_unordered": (lambda pool: list(pool.imap_unordered(time.sleep, [5] * 2)), 5),
    "apply": (lambda pool: pool.apply(time.sleep, (5,)), 5),
    "apply_async": (lambda pool: pool.apply_async(time.sleep, (5,)).get(timeout=6), 5),
}


@in_both_skipping_modes
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("is_older", [True, False], ids=["older", "newer"])
def test_its_work_waits_on_the_clock(mode: ClockMode, use: str, *, is_older: bool) -> None:
    run, takes_s = USES[use]
    older = ThreadPool(2) if is_older else None
    world = World(mode)
    world.clock.tolerate_those_alive()
    with world.scope():
        pool = older or ThreadPool(2)
        start_ns = world.clock.now_ns()
        run(pool)
        taken_ns = world.clock.now_ns() - start_ns
        if older is None:
            pool.close()
            pool.join()
    if mode is ClockMode.VIRTUAL:
        assert taken_ns == takes_s * SECOND
    else:
        assert takes_s - 1 < world.clock.idle_ns() / SECOND < takes_s + 1
    if older is not None:
        assert older.map(abs, [-1, -2]) == [1, 2]
        older.terminate()
        older.join()


@in_both_skipping_modes
def test_an_older_one_begins_as_it_would_and_its_threads_end_with_the_scope(
    mode: ClockMode,
) -> None:
    begun: list[str] = []
    older = ThreadPool(1, begun.append, ("begun",))
    older.apply(abs, (1,))
    before = set(threading.enumerate())
    world = World(mode)
    world.clock.tolerate_those_alive()
    with world.scope():
        older.apply(time.sleep, (5,))
        inside = set(threading.enumerate()) - before
    assert begun == ["begun"] * 2
    assert inside
    for thread in inside:
        thread.join(10)
        assert not thread.is_alive()
    older.terminate()
    older.join()


@in_both_skipping_modes
def test_an_older_one_that_is_closed_inside_ends_after_its_work(mode: ClockMode) -> None:
    older = ThreadPool(1)
    world = World(mode)
    world.clock.tolerate_those_alive()
    with world.scope():
        found = older.apply_async(time.sleep, (5,))
        older.close()
        older.join()
        assert found.ready()
        with pytest.raises(ValueError, match="not running"):
            older.apply(abs, (1,))
