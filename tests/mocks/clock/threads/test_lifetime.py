"""Whether a thread lives, read without a Python call, is what its methods say."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from warpbench.mocks.clock.threads.lifetime import ident_of, is_alive, life_of


@contextmanager
def a_running_thread() -> Iterator[tuple[threading.Thread, Callable[[], bool]]]:
    """Yield a thread and what it says of its own life; it ends after the scope."""
    lives: list[Callable[[], bool]] = []
    has_begun, may_end = threading.Event(), threading.Event()

    def run() -> None:
        lives.append(life_of(threading.current_thread()))
        has_begun.set()
        may_end.wait()

    thread = threading.Thread(target=run)
    thread.start()
    has_begun.wait()
    try:
        yield thread, lives[0]
    finally:
        may_end.set()
        thread.join()


def test_one_that_runs_lives_and_one_that_was_joined_does_not() -> None:
    with a_running_thread() as (thread, lives):
        assert (thread.is_alive(), is_alive(thread), lives()) == (True, True, True)
    assert (thread.is_alive(), is_alive(thread), lives()) == (False, False, False)


def test_it_is_called_what_its_property_says() -> None:
    assert ident_of(threading.Thread()) is None
    with a_running_thread() as (thread, _):
        assert ident_of(thread) == thread.ident != threading.get_ident()


def test_the_main_thread_lives() -> None:
    assert is_alive(threading.main_thread())
    assert ident_of(threading.main_thread()) == threading.main_thread().ident


def test_to_know_of_its_life_does_not_keep_the_thread() -> None:
    with a_running_thread() as (thread, lives):
        kept = weakref.ref(thread)
    del thread
    gc.collect()
    assert kept() is None
    assert not lives()
