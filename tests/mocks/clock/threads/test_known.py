"""Threads that a clock must not skip over: all but managed, ignored and ended ones."""

import _thread
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from warpbench.mocks.clock.threads.frames import frames_by_thread
from warpbench.mocks.clock.threads.known import KnownThreads


@pytest.fixture
def known() -> KnownThreads:
    """As in a scope of this thread, in which only threads of the test can be unknown."""
    known = KnownThreads()
    known.begin()
    known.ignore_idents(set(frames_by_thread()) - {threading.get_ident()})
    return known


@contextmanager
def waiting_thread(name: str = "library") -> Iterator[threading.Thread]:
    may_end = _thread.allocate_lock()
    with may_end:
        thread = threading.Thread(target=may_end.acquire, name=name)
        thread.start()
        yield thread
    thread.join()


def test_a_thread_is_unknown_until_it_is_managed_or_ignored(known: KnownThreads) -> None:
    here = threading.current_thread()
    assert known.find_unknown([here]) is None
    with waiting_thread() as thread:
        assert known.find_unknown([here]) == "library"
        assert known.find_unknown([here, thread]) is None
        known.ignore(thread)
        assert known.find_unknown([here]) is None
        assert thread.native_id in known.ignored_native_ids


def test_an_ignored_thread_that_has_gone_makes_no_room(known: KnownThreads) -> None:
    here = threading.current_thread()
    with waiting_thread() as first:
        known.ignore(first)
    with waiting_thread("second"):
        assert known.find_unknown([here]) == "second"


def test_one_that_threading_knows_nothing_of_goes_by_its_number(known: KnownThreads) -> None:
    begun, may_end = _thread.allocate_lock(), _thread.allocate_lock()
    begun.acquire()
    count_before = _thread._count()

    def wait() -> None:
        begun.release()
        may_end.acquire()

    with may_end:
        ident = _thread.start_new_thread(wait, ())
        begun.acquire()
        assert known.find_unknown([threading.current_thread()]) == f"number {ident}"
        known.ignore_idents([ident])
        assert known.find_unknown([threading.current_thread()]) is None
    while _thread._count() > count_before:  # nobody can join it
        time.sleep(0.001)


def test_one_that_has_ended_for_the_clock_is_known_while_it_is_torn_down(
    known: KnownThreads,
) -> None:
    ended, may_go = _thread.allocate_lock(), _thread.allocate_lock()
    ended.acquire()
    was_known: list[bool] = []

    def end() -> None:
        was_known.append(known.is_ending_here())
        known.note_end_here(threading.current_thread())
        was_known.append(known.is_ending_here())
        ended.release()
        may_go.acquire()

    here = threading.current_thread()
    with may_go:
        thread = threading.Thread(target=end, name="ending")
        thread.start()
        ended.acquire()
        assert was_known == [False, True]
        assert known.find_unknown([here]) is None
        known.forget_ended()
        assert known.find_unknown([here]) == "ending"
    thread.join()
