"""Lets whoever waits for a plain lock park in virtual time, if a participant took that lock.

One participant runs at a time, so that a lock is contended only if its holder waits on the clock
while it holds it: a rate limiter that sleeps under its lock, a thread that is notified while the
notifier still holds the condition. In C the wait would be out of sight, and nobody could go on.

So ``acquire`` tries, and where that fails it asks who took the lock. A participant: then the
waiter parks, and the clock looks whether the lock is free whenever it passes the baton on, before
it moves the time. (Also if it was the waiter itself, or one that has ended, as long as others may
go on: a plain lock may be let go of by anybody, and serves as a signal, in Python's imports for
instance.) Anybody else (a thread that starts or ends, an ignored one, one that is unknown): then
the wait is the real one, as ever, which holds time back.

Who holds a reentrant lock is told by the lock. For plain ones it is noted who took them last. All
locks are reached, whenever they were made (``c_types``), but not methods that were bound before the
scope. Ones that were bound inside do after it what they would have done without a scope.

In ``warp`` nothing is changed: who waits for a lock counts as running, which is slow and correct.

Invariants
----------
1. Whoever is interrupted (Ctrl-C, a handler of another signal that raises) either has taken the
   lock and is told so, or has not taken it. ``with`` relies on that. The interpreter lets handlers
   run after each call, so a lock is taken, and that is noted, in one call of a function in C; what
   is between that and the caller is a return, or an ``except`` that lets go of the lock.
2. So nothing but C lets go of a lock: a handler may also run before the first line of a function.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from operator import call
from threading import get_ident
from types import BuiltinMethodType, CodeType
from typing import Any

from ...errors import ClockError
from ..c_types import methods_replaced
from ..own_waits import LOCK
from ..participants import Leave, Parking, Participant
from ..patching import patched
from ..protocol import waited_nanoseconds
from ..real_locks import real_acquire as real_acquire_plain
from ..real_locks import real_allocate_lock, real_is_locked, real_release
from ..virtual import VirtualClock
from . import stacks

_Lock: Any = type(threading.Lock())
_RLock: Any = type(threading.RLock())
_real_acquire_again = vars(_RLock)["acquire"]
_real_release_again = vars(_RLock)["release"]
_real_restore = vars(_RLock)["_acquire_restore"]
_text_of = vars(_RLock)["__repr__"]

_call: Any = call

_FEWEST_NOTES = 64

Acquire = Callable[..., bool]
Methods = Mapping[str, Callable[..., Any]]
MayPark = Callable[[Any, Participant], bool]


@contextmanager
def bare_locks_taking_part(clock: VirtualClock) -> Iterator[None]:
    """Let the holders of plain locks be waited for on ``clock`` in this scope."""
    with ExitStack() as scope:
        scope.enter_context(methods_replaced(_Lock, _named("lock", _plain(clock))))
        scope.enter_context(methods_replaced(_RLock, _named("RLock", _reentrant(clock))))
        scope.enter_context(patched(threading.Condition, "wait", _wait_in_sight()))
        yield


class _Takings:
    """Which participant took each plain lock last, as far as it is not known to be free again.

    By its identifier, 0 for anybody else: the end of a ``Thread`` runs code, and must not wait
    until a lock is taken again.
    """

    __slots__ = ("_by_lock", "_clock", "_many", "_note")

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        # The clock's: a method that a lock was asked for in one scope may be called in another.
        self._by_lock = clock.lock_takings
        self._note = self._by_lock.__setitem__
        self._many = _FEWEST_NOTES

    def take_at_once(self, lock: Any) -> bool:
        """Take a lock if it is free, and note it: see the module's invariants."""
        if len(self._by_lock) > self._many:
            self._forget_free()
        taking = [0 if self._clock.current() is None else get_ident()]  # another object each time
        try:
            # The second is called if the first returns true.
            all(map(_call, (real_acquire_plain, self._note), (lock, lock), (False, taking)))
            return self._by_lock.get(lock) is taking
        except BaseException:
            if self._by_lock.get(lock) is taking:
                real_release(lock)
            raise

    def take(self, lock: Any, blocking: bool, timeout: float) -> bool:
        """Take a lock out of the clock's sight, and note it: see the module's invariants."""
        taking = [0 if self._clock.current() is None else get_ident()]
        acquire = partial(real_acquire_plain, lock, blocking, timeout)
        try:
            all(map(_call, (acquire, partial(self._note, lock, taking))))
            return self._by_lock.get(lock) is taking
        except BaseException:
            if self._by_lock.get(lock) is taking:
                real_release(lock)
            raise

    def was_taken_inside(self, lock: Any, here: Participant) -> bool:
        """Say whether a participant took the lock last, and one may let go of it."""
        for ident in self._by_lock.get(lock, ()):
            holder = self._clock.participant_with_ident(ident)
            if ident and holder is not None and holder is not here:
                return True
            return ident != 0 and self._clock.may_others_go_on()
        return False

    def _forget_free(self) -> None:
        for lock in list(self._by_lock):
            if not real_is_locked(lock):
                self._by_lock.pop(lock, None)
        self._many = max(_FEWEST_NOTES, 2 * len(self._by_lock))


def _plain(clock: VirtualClock) -> Methods:
    """Return the methods of a plain lock, which note who takes it."""
    takings = _Takings(clock)
    take_at_once = takings.take_at_once
    waits = _wait_on(clock, take_at_once, takings.take, takings.was_taken_inside, _is_free)

    def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        if not clock.is_open:
            return _Lock.acquire(lock, blocking, timeout)  # type: ignore[no-any-return]
        if timeout != -1 or (blocking is not True and blocking is not False):
            _check(blocking, timeout)
        return take_at_once(lock) or waits(lock, blocking, timeout)

    def enter(lock: Any) -> bool:
        if not clock.is_open:
            return _Lock.__enter__(lock)  # type: ignore[no-any-return]
        return take_at_once(lock) or waits(lock, True, -1)

    return {"acquire": acquire, "__enter__": enter}


def _reentrant(clock: VirtualClock) -> Methods:
    """Return the methods of a lock that tells who holds it."""

    def is_held_inside(lock: Any, here: Participant) -> bool:
        _, owner, rest = _text_of(lock).partition(" owner=")
        ident = int(rest.partition(" ")[0]) if owner else 0
        holder = clock.participant_with_ident(ident) if ident else None
        return holder is not None and holder is not here

    waits = _wait_on(clock, _take_again, _take_again, is_held_inside, _is_free_again)

    def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:
        if not clock.is_open:
            return _RLock.acquire(lock, blocking, timeout)  # type: ignore[no-any-return]
        if timeout != -1 or (blocking is not True and blocking is not False):
            _check(blocking, timeout)
        return _take_again(lock, False) or waits(lock, blocking, timeout)

    def enter(lock: Any) -> bool:
        if not clock.is_open:
            return _RLock.__enter__(lock)  # type: ignore[no-any-return]
        return _take_again(lock, False) or waits(lock, True, -1)

    return {"acquire": acquire, "__enter__": enter, "_acquire_restore": _restoring(clock, waits)}


def _take_again(lock: Any, blocking: bool = False, timeout: float = -1) -> bool:
    taken: list[bool] = []
    try:
        taken.extend(map(_real_acquire_again, (lock,), (blocking,), (timeout,)))
        return taken[0]
    except BaseException:
        if any(taken):
            _real_release_again(lock)
        raise


def _restoring(clock: VirtualClock, waits: Acquire) -> Callable[[Any, object], None]:
    """Return what gives a reentrant lock back to one who waited on its condition."""

    def restore(lock: Any, state: object) -> None:
        if not clock.is_open:
            _RLock._acquire_restore(lock, state)
            return
        # As in C, whoever is interrupted has the lock back first: he will let go of it.
        interruption: BaseException | None = None
        while not _is_free_again(lock):
            try:
                if waits(lock, True, -1):
                    _real_release_again(lock)
                break
            except ClockError:
                raise  # it will never be free
            except BaseException as error:  # noqa: BLE001 - raised below
                interruption = error
        _real_restore(lock, state)
        if interruption is not None:
            raise interruption

    return restore


def _check(blocking: bool, timeout: float) -> None:
    """Raise what C does if these are no arguments for ``acquire``."""
    real_acquire_plain(real_allocate_lock(), blocking, timeout)


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
    take_at_once: Callable[[Any], bool],
    take: Acquire,
    may_park: MayPark,
    is_free: Callable[[Any], bool],
) -> Acquire:
    """Return what waits for a lock that was not free, and takes it."""

    def wait(lock: Any, blocking: bool, timeout: float) -> bool:
        here = clock.current()
        # Who starts or ends a thread meets its plain locks by chance: no call here may be counted.
        if here is None or not blocking or timeout == 0 or not clock.may_park(here):
            return take(lock, blocking, timeout)
        deadline_ns = None if timeout < 0 else clock.now_ns() + waited_nanoseconds(timeout)
        parking = Parking(here, partial(_describe, here), awaits=LOCK)
        while may_park(lock, here):
            reason = _park_until_free(clock, parking, deadline_ns, partial(is_free, lock))
            if here.ended:
                break
            if take_at_once(lock):
                return True
            if reason is Leave.DEADLINE:
                return False
        return take(lock, blocking, timeout)

    return wait


def _describe(here: Participant) -> str:
    return f"waits for a lock in {stacks.of_thread(here.thread)}"


def _park_until_free(
    clock: VirtualClock, parking: Parking, deadline_ns: int | None, is_free: Callable[[], bool]
) -> Leave:
    try:
        clock.look_for(parking, is_free)
        return clock.park(parking, deadline_ns)
    finally:
        clock.look_no_more(parking)


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
