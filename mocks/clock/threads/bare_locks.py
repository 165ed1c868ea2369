"""Lets whoever waits for a plain lock park in virtual time, if a participant holds that lock.

One participant runs at a time, so that a lock is contended only if its holder waits on the clock
while it holds it: a rate limiter that sleeps under its lock, a thread that is notified while the
notifier still holds the condition. In C the wait would be out of sight, and nobody could go on.

So ``acquire`` tries, and where that fails it asks who holds the lock. A participant: then the
waiter parks, and the clock looks whether the lock is free whenever it passes the baton on, before
it moves the time. Anybody else (a thread that starts or ends, an ignored one, one that is unknown),
and the caller itself: then the wait is the real one, as ever, which holds time back.

Who holds a reentrant lock is told by the lock. For plain ones it is noted: so these have their
``release`` replaced, too. All locks are reached, whenever they were made (``c_types``), but not
methods that were bound before the scope.

In ``warp`` nothing is changed: who waits for a lock counts as running, which is slow and correct.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from types import BuiltinMethodType, CodeType
from typing import Any

from ..c_types import methods_replaced
from ..participants import Leave, Parking, Participant
from ..patching import patched
from ..protocol import waited_nanoseconds
from ..real_locks import real_acquire as real_acquire_plain
from ..real_locks import real_is_locked, real_release
from ..virtual import VirtualClock
from . import stacks

_Lock: Any = type(threading.Lock())
_RLock: Any = type(threading.RLock())
_real_acquire_again = vars(_RLock)["acquire"]
_real_release_again = vars(_RLock)["release"]
_real_restore = vars(_RLock)["_acquire_restore"]
_text_of = vars(_RLock)["__repr__"]

Acquire = Callable[..., bool]
Methods = Mapping[str, Callable[..., Any]]
FindsHolder = Callable[[Any], Participant | None]


@contextmanager
def bare_locks_taking_part(clock: VirtualClock) -> Iterator[None]:
    """Let the holders of plain locks be waited for on ``clock`` in this scope."""
    with ExitStack() as scope:
        scope.enter_context(methods_replaced(_Lock, _named("lock", _plain(clock))))
        scope.enter_context(methods_replaced(_RLock, _named("RLock", _reentrant(clock))))
        scope.enter_context(patched(threading.Condition, "wait", _wait_in_sight()))
        yield


def _plain(clock: VirtualClock) -> Methods:
    """Return the methods of a plain lock, which note who holds it."""
    holders: dict[object, Participant] = {}
    waits = _wait_on(clock, real_acquire_plain, holders.get, _is_free)

    def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        if not real_acquire_plain(lock, False) and not waits(lock, blocking, timeout):
            return False
        here = clock.current()
        if here is not None:
            holders[lock] = here
        return True

    def enter(lock: Any) -> bool:
        if not real_acquire_plain(lock, False) and not waits(lock, True, -1):
            return False  # never: there is no limit
        here = clock.current()
        if here is not None:
            holders[lock] = here
        return True

    def release(lock: Any) -> None:
        holders.pop(lock, None)
        real_release(lock)

    def leave(lock: Any, *_: object) -> None:
        holders.pop(lock, None)
        real_release(lock)

    return {"acquire": acquire, "__enter__": enter, "release": release, "__exit__": leave}


def _reentrant(clock: VirtualClock) -> Methods:
    """Return the methods of a lock that tells who holds it."""

    def holder_of(lock: Any) -> Participant | None:
        _, owner, rest = _text_of(lock).partition(" owner=")
        ident = int(rest.partition(" ")[0]) if owner else 0
        return clock.participant_with_ident(ident) if ident else None

    waits = _wait_on(clock, _real_acquire_again, holder_of, _is_free_again)

    def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        return _real_acquire_again(lock, False) or waits(lock, blocking, timeout)

    def enter(lock: Any) -> bool:
        return _real_acquire_again(lock, False) or waits(lock, True, -1)

    def restore(lock: Any, state: object) -> None:
        if not _is_free_again(lock) and waits(lock, True, -1):
            _real_release_again(lock)
        _real_restore(lock, state)

    return {"acquire": acquire, "__enter__": enter, "_acquire_restore": restore}


def stands_for(code: CodeType, caller: CodeType | None) -> str | None:
    """Return the C method that a call of ``code`` stands for, as a profile hook would name it.

    ``with`` calls ``__enter__`` below what a hook sees; a condition calls it by name.
    """
    if code.co_filename != __file__ or not code.co_qualname.startswith(("lock.", "RLock.")):
        return None
    is_called_by_name = caller is not None and caller.co_name == "__enter__"
    return code.co_qualname if code.co_name != "__enter__" or is_called_by_name else None


def _wait_on(
    clock: VirtualClock,
    real_acquire: Acquire,
    holder_of: FindsHolder,
    is_free: Callable[[Any], bool],
) -> Acquire:
    """Return what waits for a lock that was not free, and takes it."""

    def wait(lock: Any, blocking: bool, timeout: float) -> bool:
        here = clock.current()
        may_wait = blocking and timeout != 0 and here is not None and clock.may_park(here)
        # Who starts or ends a thread meets its plain locks by chance: no call here may be counted.
        if here is None or not may_wait or not _is_other(holder_of(lock), here):
            return real_acquire(lock, blocking, timeout)
        deadline_ns = None if timeout < 0 else clock.now_ns() + waited_nanoseconds(timeout)
        parking = Parking(here, lambda: f"waits for a lock in {stacks.of_thread(here.thread)}")
        clock.look_for(parking, lambda: is_free(lock))
        try:
            while _is_other(holder_of(lock), here):
                reason = clock.park(parking, deadline_ns)
                if here.ended:
                    break
                if real_acquire(lock, False):
                    return True
                if reason is Leave.DEADLINE:
                    return False
        finally:
            clock.look_no_more(parking)
        return real_acquire(lock, blocking, timeout)

    return wait


def _is_other(holder: Participant | None, here: Participant) -> bool:
    return holder is not None and holder is not here and not holder.ended


def _is_free(lock: Any) -> bool:
    return not real_is_locked(lock)


def _is_free_again(lock: Any) -> bool:
    text: str = _text_of(lock)
    return text.startswith("<unlocked")


def _named(kind: str, methods: Methods) -> Methods:
    """Return methods that tell the hooks of a profiler what they stand for."""
    method: Any
    for name, method in methods.items():
        method.__code__ = method.__code__.replace(co_name=name, co_qualname=f"{kind}.{name}")
    return methods


def _wait_in_sight() -> Callable[..., bool]:
    """Return a ``Condition.wait`` whose lock is taken back in sight, also in an older condition.

    It has bound that method of its lock when it was made.
    """
    real_wait = threading.Condition.wait

    @wraps(real_wait)
    def wait(condition: Any, timeout: float | None = None) -> bool:
        if isinstance(vars(condition).get("_acquire_restore"), BuiltinMethodType):
            condition._acquire_restore = condition._lock._acquire_restore
        return real_wait(condition, timeout)

    return wait
