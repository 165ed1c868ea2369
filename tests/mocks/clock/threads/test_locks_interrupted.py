"""Who is interrupted while taking or letting go of a lock leaves it as in plain Python."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

import pytest
from warpbench.mocks.clock import ClockMode
from warpbench.mocks.clock.c_types import methods_replaced
from warpbench.mocks.clock.patching import patched
from warpbench.mocks.clock.threads import bare_locks

from ..worlds import SECOND, World

of_each_kind = pytest.mark.parametrize("make", [threading.Lock, threading.RLock])


class InterruptedHereError(Exception):
    """What a signal's handler raises."""


def is_free(lock: Any) -> bool:
    return str(lock).startswith("<unlocked")


def is_interrupted(nth: int, work: Callable[[], None]) -> bool:
    """Raise where the lab's methods of locks may be interrupted for the n-th time, if so often.

    The interpreter lets handlers run when a function begins, and after each call of one in C.
    """
    chances = count()

    def interrupt(frame: FrameType, event: str, _: object) -> None:
        if (
            frame.f_code.co_filename == bare_locks.__file__
            and event in ("call", "c_return")
            and next(chances) == nth
        ):
            raise InterruptedHereError

    sys.setprofile(interrupt)
    try:
        work()
    except InterruptedHereError:
        return True
    finally:
        sys.setprofile(None)
    return False


@of_each_kind
def test_a_lock_is_free_however_a_with_is_interrupted(make: Callable[[], Any]) -> None:
    lock = make()

    def take_and_let_go() -> None:
        with lock:
            pass

    with World(ClockMode.VIRTUAL).scope():
        for nth in count():
            if not is_interrupted(nth, take_and_let_go):
                break
            assert is_free(lock), nth
    assert nth > 1


def test_who_waits_for_a_conditions_lock_has_it_back_before_he_is_interrupted() -> None:
    """The reentrant lock does so in C; else ``with`` would let go of what is another's."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise InterruptedHereError

    world = World(ClockMode.VIRTUAL)
    condition = threading.Condition()
    main = threading.get_ident()

    def notifies() -> None:
        time.sleep(1)
        with condition:
            condition.notify()
            time.sleep(2)
            signal.pthread_kill(main, signal.SIGUSR1)
            time.sleep(2)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with world.scope():
            thread = threading.Thread(target=notifies)
            thread.start()
            with pytest.raises(InterruptedHereError), condition:
                condition.wait()
            assert world.clock.now_ns() == 5 * SECOND
            assert is_free(condition._lock)  # type: ignore[attr-defined]
            thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)


class CutShort(dict[str, Any]):
    """Methods of which one is replaced before an interruption."""

    def items(self) -> Any:
        yield from super().items()
        raise InterruptedHereError


def test_methods_are_given_back_if_replacing_them_is_interrupted() -> None:
    kind = type(threading.Lock())
    before = dict(vars(kind))
    with (
        pytest.raises(InterruptedHereError),
        methods_replaced(kind, CutShort(locked=lambda _lock: True)),
    ):
        pass
    assert dict(vars(kind)) == before


@pytest.mark.parametrize("name", ["own", "inherited"])
def test_an_attribute_is_given_back_if_replacing_it_is_interrupted(name: str) -> None:
    class Owner:
        inherited = "before"

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if value == "replaced":
                raise InterruptedHereError

    owner = Owner()
    owner.own = "before"
    with pytest.raises(InterruptedHereError), patched(owner, name, "replaced"):
        pass
    assert getattr(owner, name) == "before"
    assert vars(owner) == {"own": "before"}
