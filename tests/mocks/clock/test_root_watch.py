"""A root that blocks out of the clock's sight is interrupted, also if it is alone."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FunctionType

import pytest
from warpbench.mocks.clock import (
    Clock,
    VirtualClock,
    WallClock,
    WarpClock,
    keeping_time,
    virtual,
)
from warpbench.mocks.clock.real_time import real_sleep
from warpbench.mocks.clock.root_watch import root_held_back, root_watched
from warpbench.mocks.errors import ClockHangError


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "STALL_AFTER_S", 0.1)
    monkeypatch.setattr(virtual, "STALL_LOOK_S", 0.02)


@pytest.fixture
def reading() -> Iterator[int]:
    """A pipe that nobody writes to."""
    reading, writing = os.pipe()
    yield reading
    os.close(reading)
    os.close(writing)


def by_select(reading: int) -> object:
    return select.select([reading], [], [])


def by_epoll(_reading: int) -> object:
    return select.epoll().poll()


def by_reading(reading: int) -> object:
    return os.read(reading, 1)


def by_a_socket(_reading: int) -> object:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server._accept()  # type: ignore[attr-defined]  # below Python's own frame


def by_a_lock(_reading: int) -> object:
    lock = threading.Lock()
    lock.acquire()
    return lock.acquire()


@pytest.mark.parametrize("blocks", [by_select, by_epoll, by_reading, by_a_socket, by_a_lock])
def test_it_is_told_where_it_blocks(blocks: Callable[[int], object], reading: int) -> None:
    clock = VirtualClock()
    with (
        pytest.raises(ClockHangError, match=rf"MainThread.*blocks.*{blocks.__name__}"),
        root_watched(clock),
        keeping_time(clock),
    ):
        blocks(reading)


def test_also_while_others_wait(reading: int) -> None:
    clock = VirtualClock()
    with (
        pytest.raises(ClockHangError, match=r"MainThread.*blocks.*by_reading"),
        root_watched(clock),
        keeping_time(clock),
    ):
        threading.Thread(target=time.sleep, args=(1,)).start()
        by_reading(reading)


def test_one_who_computes_or_waits_on_the_clock_is_left_alone() -> None:
    clock = VirtualClock()
    with root_watched(clock), keeping_time(clock):
        end_ns = time.thread_time_ns() + 300_000_000
        while time.thread_time_ns() < end_ns:
            pass
        time.sleep(1000)
        asyncio.run(asyncio.sleep(1000))


def test_a_child_process_that_computes_holds_the_root_up_for_as_long_as_it_takes() -> None:
    """It blocks in ``wait``, and who would wake it is no thread of this process."""
    clock = VirtualClock()
    computing = "import time\nwhile time.process_time() < 0.3: pass"
    with root_watched(clock), keeping_time(clock):
        subprocess.run([sys.executable, "-c", computing], check=True)


def waiting_for_its_turn(clock: Clock) -> None:
    """Wait for three times the patience of who looks, for what is not the clock's."""
    with root_held_back(clock):
        select.select([], [], [], 3 * virtual.STALL_AFTER_S)


def test_one_that_is_held_back_waits_for_as_long_as_that_takes() -> None:
    clock = VirtualClock()
    with root_watched(clock), keeping_time(clock):
        waiting_for_its_turn(clock)


def test_one_that_is_held_back_waits_also_while_others_wait() -> None:
    """A thread that a library started at its import, say, looks after the root, too."""
    clock = VirtualClock()
    with root_watched(clock), keeping_time(clock):
        threading.Thread(target=time.sleep, args=(1,)).start()
        waiting_for_its_turn(clock)


def test_behind_that_it_is_told_again_where_it_blocks(reading: int) -> None:
    clock = VirtualClock()
    with (
        pytest.raises(ClockHangError, match=r"MainThread.*blocks.*by_reading"),
        root_watched(clock),
        keeping_time(clock),
    ):
        waiting_for_its_turn(clock)
        by_reading(reading)


@pytest.mark.parametrize("clock", [WallClock(), WarpClock()])
def test_in_real_time_and_where_computing_counts_nobody_looks(clock: Clock) -> None:
    with root_watched(clock), keeping_time(clock), root_held_back(clock):
        pass


def test_it_leaves_the_process_as_it_was() -> None:
    before = signal.getsignal(signal.SIGURG), threading.active_count()
    clock = VirtualClock()
    with root_watched(clock), keeping_time(clock):
        pass
    assert (signal.getsignal(signal.SIGURG), threading.active_count()) == before


def test_a_child_from_before_that_does_nothing_does_not_excuse_it(reading: int) -> None:
    """The server of other tests, say."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as older:
        clock = VirtualClock()
        with (
            pytest.raises(ClockHangError, match="blocks"),
            root_watched(clock),
            keeping_time(clock),
        ):
            by_reading(reading)
        assert older.stdin is not None
        older.stdin.close()


def test_a_child_from_before_that_computes_does() -> None:
    clock = VirtualClock()
    computing = "import time\nwhile time.process_time() < 0.3: pass\nprint()"
    command = [sys.executable, "-c", computing]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as older:
        assert older.stdout is not None
        with root_watched(clock), keeping_time(clock):
            older.stdout.read()


def test_who_stops_in_a_debugger_is_left_alone() -> None:
    def stop() -> None:
        real_sleep(3 * virtual.STALL_AFTER_S)

    clock = VirtualClock()
    stop_in_pdb = FunctionType(stop.__code__, {**globals(), "__name__": "pdb"})
    with root_watched(clock), keeping_time(clock):
        stop_in_pdb()


def test_a_signal_that_somebody_handles_is_theirs() -> None:
    def theirs(_signal: int, _frame: object) -> None:
        """Do nothing."""

    before = signal.signal(signal.SIGURG, theirs)
    try:
        with root_watched(VirtualClock()):
            assert signal.getsignal(signal.SIGURG) is theirs
    finally:
        signal.signal(signal.SIGURG, before)


def test_in_another_thread_than_the_main_one_nothing_is_done() -> None:
    entered: list[bool] = []

    def enter() -> None:
        with root_watched(VirtualClock()):
            entered.append(signal.getsignal(signal.SIGURG) is signal.SIG_DFL)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [True]
