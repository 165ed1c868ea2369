"""The scope in which a skipping clock keeps the time of the whole process."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial

from ..errors import ClockError
from .loops.asyncio_loop import SkippingEventLoop
from .loops.made_inside import NewLoop, chosen_loops, loops_on_clock
from .loops.ordering import same_on_every_machine
from .patching import patched
from .protocol import Clock
from .skipping import SkippingClock, is_skipping
from .threads.bare_locks import bare_locks_taking_part
from .threads.collecting import collections_noted
from .threads.conditions import threads_taking_part
from .threads.older_pools import older_pools_taking_part
from .threads.thread_pools import thread_pools_taking_part
from .time_functions import readings_of
from .virtual import passes_a_baton

HOLD_THE_CLOCK_ALONE = frozenset(
    {
        "RLock.__enter__",
        "RLock._acquire_restore",
        "RLock.acquire",
        "SimpleQueue.__init__",
        "lock.__enter__",
        "lock.acquire",
        "queue.SimpleQueue",
        "threading._allocate_lock",
    }
)
"""What stands in a scope's virtual clock for others' code and holds nothing of it but the clock.

Whoever has bound one of these in a scope (each ``threading.Condition`` does) has what he would have
bound in any other scope of that clock.
"""

_the_scope = threading.Lock()


def keeping_time(clock: Clock, new_loop: NewLoop | None = None) -> AbstractContextManager[None]:
    """Return the scope in which ``clock`` keeps the process's time.

    The calling thread becomes its root, where an error of the clock is raised. Real time
    needs no help: for a wall clock the scope changes nothing but the kind of the loops.

    Args:
        clock: The clock.
        new_loop: Makes the event loops that code in the scope asks asyncio for
            (``asyncio.run``, say), on this clock. Without it they are asyncio's own.

    Raises:
        ClockError: In entering: another scope is open. In leaving: time could not be kept,
            but the code inside ignored the error; what it measured is void.
    """
    if is_skipping(clock):
        return _skipping_scope(clock, new_loop or partial(SkippingEventLoop, clock))
    if _the_scope.locked():
        raise _already_kept(clock)
    return nullcontext() if new_loop is None else chosen_loops(new_loop)


@contextmanager
def _skipping_scope(clock: SkippingClock, new_loop: NewLoop) -> Iterator[None]:
    """Put threads, readings of time, and the loops that code makes itself on ``clock``."""
    if not _the_scope.acquire(blocking=False):
        raise _already_kept(clock)
    with ExitStack() as scope:
        scope.callback(_the_scope.release)
        scope.enter_context(clock.rooted())
        scope.enter_context(collections_noted(clock.collecting))
        scope.enter_context(threads_taking_part(clock))
        if passes_a_baton(clock):
            scope.enter_context(bare_locks_taking_part(clock))
        scope.enter_context(older_pools_taking_part(clock))
        scope.enter_context(thread_pools_taking_part(clock))
        scope.enter_context(readings_of(clock))
        # freezegun replaces it, and forgets to put it back if two of its freezes overlap.
        scope.enter_context(patched(SkippingEventLoop, "time", SkippingEventLoop.time))
        scope.enter_context(same_on_every_machine(clock))
        scope.enter_context(loops_on_clock(clock, new_loop))
        yield


def _already_kept(clock: Clock) -> ClockError:
    return ClockError(
        f"the scope of this {clock.mode} clock was entered inside that of another clock; one "
        "clock keeps the time of the whole process. Leave the outer scope first."
    )
