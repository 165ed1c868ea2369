"""Plain locks whose holder waits on the clock are waited for on the clock."""

import importlib
import queue
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from warpbench.bench.instruments.call_counts import CallCounter
from warpbench.bench.results.call_counts import CallCounts
from warpbench.mocks.clock import ClockMode, keeping_time
from warpbench.mocks.errors import ClockHangError

from ..worlds import SECOND, World, in_both_skipping_modes

KINDS: dict[str, Callable[[], Any]] = {
    "Lock": threading.Lock,
    "RLock": threading.RLock,
    "Condition": threading.Condition,
    "Semaphore": threading.Semaphore,
}
of_each_kind = pytest.mark.parametrize("kind", KINDS)
older_and_newer = pytest.mark.parametrize("is_older", [True, False], ids=["older", "newer"])


def taken_by_three(world: World, make: Callable[[], Any], *, is_older: bool) -> list[int]:
    """Let three threads sleep 1 s each while they hold one lock, and return when each did so."""
    lock: Any = make() if is_older else None
    done_ns: list[int] = []

    def limited() -> None:
        with lock:
            time.sleep(1)
            done_ns.append(world.clock.now_ns())

    with world.scope():
        lock = lock or make()
        threads = [threading.Thread(target=limited) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return done_ns


@of_each_kind
@older_and_newer
def test_who_sleeps_under_a_lock_lets_the_others_wait(kind: str, *, is_older: bool) -> None:
    """As a rate limiter does."""
    taken = taken_by_three(World(ClockMode.VIRTUAL), KINDS[kind], is_older=is_older)
    assert taken == [SECOND, 2 * SECOND, 3 * SECOND]


@older_and_newer
def test_who_is_notified_takes_the_lock_back_in_sight(*, is_older: bool) -> None:
    condition = threading.Condition() if is_older else None
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        condition = condition or threading.Condition()

        def notifies() -> None:
            time.sleep(1)
            with condition:
                condition.notify()
                time.sleep(4)  # while it holds the lock still

        thread = threading.Thread(target=notifies)
        thread.start()
        with condition:
            condition.wait()
        assert world.clock.now_ns() == 5 * SECOND
        thread.join()


@of_each_kind
@pytest.mark.parametrize(("timeout_s", "taken", "at_s"), [(3, False, 4), (5, True, 5)])
def test_a_timeout_is_the_clocks(kind: str, timeout_s: int, taken: bool, at_s: int) -> None:
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        lock = KINDS[kind]()

        def holds() -> None:
            with lock:
                time.sleep(5)

        thread = threading.Thread(target=holds)
        thread.start()
        time.sleep(1)
        assert not lock.acquire(blocking=False)
        assert lock.acquire(timeout=timeout_s) is taken
        assert world.clock.now_ns() == at_s * SECOND
        thread.join()
        if taken:
            lock.release()


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
@pytest.mark.parametrize(
    "arguments", [(False, 1), (True, -5), (True, -0.5), (True, 1e20), (True, "x"), (True, None)]
)
def test_arguments_are_refused_as_in_plain_python(kind: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)) as plain:
        KINDS[kind]().acquire(*arguments)
    with (
        World(ClockMode.VIRTUAL).scope(),
        pytest.raises(plain.type, match=re.escape(str(plain.value))),
    ):
        KINDS[kind]().acquire(*arguments)


def test_a_lock_that_another_lets_go_of_is_a_signal() -> None:
    world = World(ClockMode.VIRTUAL)
    with world.scope():
        lock = threading.Lock()
        lock.acquire()

        def lets_go() -> None:
            time.sleep(2)
            lock.release()

        thread = threading.Thread(target=lets_go)
        thread.start()
        lock.acquire()
        assert world.clock.now_ns() == 2 * SECOND
        thread.join()


def test_who_takes_a_lock_twice_is_in_a_deadlock_once_nobody_else_goes_on() -> None:
    lock = threading.Lock()
    other = threading.Thread(target=time.sleep, args=(1,))
    with (
        pytest.raises(ClockHangError, match="MainThread: waits for a lock in test_who_takes"),
        World(ClockMode.VIRTUAL).scope(),
        lock,
    ):
        other.start()
        lock.acquire()
    other.join()


def test_a_module_that_waits_while_it_is_imported_lets_others_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's lock of a module is let go of by who imported it, not by who waits."""
    (tmp_path / "waits_while_imported.py").write_text("import time\ntime.sleep(1)\n")
    monkeypatch.syspath_prepend(tmp_path)
    world = World(ClockMode.VIRTUAL)
    done_ns: list[int] = []

    def imports() -> None:
        importlib.import_module("waits_while_imported")
        done_ns.append(world.clock.now_ns())

    with world.scope():
        threads = [threading.Thread(target=imports) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert done_ns == [SECOND] * 3
    del sys.modules["waits_while_imported"]


def test_what_was_bound_in_one_scope_takes_part_in_the_next() -> None:
    """A condition binds its lock's methods when it is made."""
    conditions: list[threading.Condition] = []
    for _ in range(2):
        world = World(ClockMode.VIRTUAL)
        with world.scope():
            condition = (conditions or [threading.Condition()])[0]
            conditions.append(condition)

            def notifies(condition: threading.Condition = condition) -> None:
                time.sleep(1)
                condition.acquire()
                condition.notify()
                time.sleep(4)  # while it holds the lock still
                condition.release()

            thread = threading.Thread(target=notifies)
            thread.start()
            condition.acquire()
            condition.wait()
            condition.release()
            assert world.clock.now_ns() == 5 * SECOND
            thread.join()


def test_locks_that_are_free_again_are_not_kept() -> None:
    with World(ClockMode.VIRTUAL).scope():
        first = threading.Lock()
        kept = weakref.ref(first)
        with first:
            pass
        del first
        for _ in range(300):
            lock = threading.Lock()
            with lock:
                pass
        assert kept() is None


def test_locks_taken_in_opposite_orders_are_a_deadlock_that_names_both() -> None:
    first, second = threading.Lock(), threading.Lock()

    def takes(one: threading.Lock, other: threading.Lock) -> None:
        one.acquire()
        time.sleep(1)
        other.acquire()

    threads = [
        threading.Thread(target=takes, args=pair, name=name)
        for name, pair in (("left", (first, second)), ("right", (second, first)))
    ]
    found = r"left: waits for a lock in .*takes.*right: waits for a lock in .*takes"
    with pytest.raises(ClockHangError, match=found), World(ClockMode.VIRTUAL).scope():
        for thread in threads:
            thread.start()
        try:
            threads[0].join()
        finally:
            first.release()
            second.release()
    for thread in threads:
        thread.join()


def test_a_reentrant_lock_is_its_holders_own() -> None:
    lock = threading.RLock()
    with World(ClockMode.VIRTUAL).scope(), lock, lock:
        time.sleep(1)
        assert lock.acquire(blocking=False)
        lock.release()


def test_one_who_still_waits_when_the_scope_ends_goes_on_in_real_time() -> None:
    lock, got = threading.Lock(), threading.Event()

    def waits() -> None:
        with lock:
            got.set()

    thread = threading.Thread(target=waits)
    with World(ClockMode.VIRTUAL).scope():
        lock.acquire()
        thread.start()
        time.sleep(1)
    assert not got.is_set()
    lock.release()
    thread.join()
    assert got.is_set()


@in_both_skipping_modes
def test_after_the_scope_the_locks_are_what_they_were(mode: ClockMode) -> None:
    kinds = [type(threading.Lock()), type(threading.RLock()), queue.SimpleQueue]
    before = [dict(vars(kind)) for kind in kinds]
    with World(mode).scope():
        pass
    assert [dict(vars(kind)) for kind in kinds] == before
    for kind in kinds:
        with pytest.raises(TypeError, match="immutable"):
            kind.put = None  # type: ignore[attr-defined]


def counted(scope: AbstractContextManager[None]) -> CallCounts:
    def work() -> None:
        plain, again, condition = threading.Lock(), threading.RLock(), threading.Condition()
        for _ in range(3):
            with plain, again, condition:
                pass
            plain.acquire()
            plain.release()
            again.acquire()
            again.release()
        items = queue.Queue[int]()
        items.put(1)
        items.get()

    counter = CallCounter()
    with counter.installed(), scope, counter.counting():
        work()
    return counter.counts()


def test_calls_are_counted_as_if_nothing_had_been_replaced() -> None:
    """In warp nothing is."""
    virtual, warp = (World(mode) for mode in (ClockMode.VIRTUAL, ClockMode.WARP))
    found = counted(keeping_time(virtual.clock))
    expected = counted(keeping_time(warp.clock))
    assert found.own == expected.own
    assert found.python == expected.python
    assert sum(found.c.values()) == sum(expected.c.values())
