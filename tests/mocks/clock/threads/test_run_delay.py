"""Time for which a thread is ready and gets no core is nobody's waiting."""

import os
import threading

import pytest
from warpbench.mocks.clock import WallClock
from warpbench.mocks.clock.threads.run_delay import RunDelays

from ..worlds import SECOND

SCHEDSTAT = "/proc/thread-self/schedstat"
on_linux = pytest.mark.skipif(
    not os.path.exists(SCHEDSTAT),  # noqa: PTH110 - no file system: the kernel's
    reason="this system keeps no count of it",
)


class Starved:
    """What the kernel tells of threads that got no core for so many seconds so far."""

    def __init__(self) -> None:
        self.delay_s = 0

    def pread(self, _descriptor: int, _length: int, _offset: int) -> bytes:
        return b"1000 %d 7\n" % (self.delay_s * SECOND)


@pytest.fixture
def starved(monkeypatch: pytest.MonkeyPatch) -> Starved:
    starved = Starved()
    monkeypatch.setattr(os, "pread", starved.pread)
    return starved


@on_linux
def test_it_is_added_up_over_the_threads_that_ask(starved: Starved) -> None:
    delays = RunDelays()
    starved.delay_s = 2
    assert delays.total_ns() == 2 * SECOND
    assert delays.total_ns() == 2 * SECOND

    def another() -> None:
        delays.total_ns()
        starved.delay_s = 5
        delays.total_ns()

    thread = threading.Thread(target=another)
    thread.start()
    thread.join()
    assert delays.total_ns() == (2 + 3 + 3) * SECOND


@on_linux
def test_in_real_time_it_is_no_idle_time(starved: Starved) -> None:
    clock = WallClock()
    before_ns = clock.idle_ns()
    starved.delay_s = 1000
    assert clock.idle_ns() - before_ns < -900 * SECOND


@on_linux
def test_the_files_of_threads_that_have_ended_are_closed() -> None:
    delays = RunDelays()
    delays.total_ns()
    open_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(20):
        thread = threading.Thread(target=delays.total_ns)
        thread.start()
        thread.join()
    assert len(os.listdir("/proc/self/fd")) <= open_before + 1  # noqa: PTH208


def test_where_the_system_keeps_no_count_it_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> int:
        raise FileNotFoundError(SCHEDSTAT)

    monkeypatch.setattr(os, "open", missing)
    assert RunDelays().total_ns() == 0
