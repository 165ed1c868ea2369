"""Puts a clock behind the date, wherever code reads it: ``time.time``, ``datetime.now`` and others.

``time_machine`` does it in C, and so reaches names that were bound before the scope, and callers
in compiled modules. The date moves with the clock: from a fixed moment in ``virtual``, from the
system's in ``warp``. Threads that do not take part read the system's.

A target may set the date itself, as in real life:

- ``time_machine.travel``, inside the scope or around it, governs the date alone. Where it ticks,
  it ticks with the clock. What sessions leave travelling ends with the scope.
- ``freezegun`` freezes ``time.monotonic`` as well. Plain event loops keep time by that, and hang:
  where one would, the clock refuses (see ``loops.asyncio_loop``). With ``real_asyncio=True`` they
  do not. Around the scope it must not tick, since it ticks in real time.
"""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import failure_text as text
from .patching import patched
from .protocol import NowNs
from .real_time import real_time_ns
from .skipping import SkippingClock

VIRTUAL_EPOCH_NS = 1_767_225_600 * 1_000_000_000
"""``time.time()`` at virtual time 0: 2026-01-01T00:00:00Z, the same in every run."""


@contextmanager
def date_of(clock: SkippingClock) -> Iterator[NowNs]:
    """Let the date be that of ``clock`` in this scope.

    Yields:
        What reads it, in nanoseconds since 1970.

    Raises:
        ClockRefusedError: freezegun is active, and ticks.
    """
    real_epoch_ns = real_time_ns() - clock.now_ns()
    epoch_ns = real_epoch_ns if clock.mode.charges_cpu else VIRTUAL_EPOCH_NS

    def date_ns() -> int:
        return real_time_ns() if clock.current() is None else epoch_ns + clock.now_ns()

    def ticking_ns() -> int:
        return real_time_ns() if clock.current() is None else real_epoch_ns + clock.now_ns()

    if _is_frozen(clock):
        yield date_ns
    else:
        with _travelling(date_ns, ticking_ns) as reads_ns:
            yield reads_ns


@contextmanager
def _travelling(date_ns: NowNs, ticking_ns: NowNs) -> Iterator[NowNs]:
    """Show ``date_ns`` unless other travels do, and let those tick by ``ticking_ns``."""
    # Imported here: it imports pytest where that is installed, which takes 0.1 s, and most
    # commands keep no clock's time. Trials are forked from a process that has imported it.
    import time_machine  # noqa: PLC0415

    travels = time_machine.traveller_stack
    around = len(travels)
    machinery: Any = vars(time_machine)["_time_machine"]  # by which travels tick
    # Else uuid.uuid1() would start a process to ask for it: in a travel it does without its C code.
    uuid.getnode()
    with patched(machinery, "original_time_ns", ticking_ns):
        if not travels:
            date = time_machine.travel(0, tick=False).start()
            date.time_ns = date_ns  # type: ignore[method-assign]  # of this one traveller
        try:
            # A session may have ended more travels than it began.
            yield lambda: travels[-1].time_ns() if travels else date_ns()
        finally:
            while len(travels) > around:
                time_machine.travel(0).stop()


def _is_frozen(clock: SkippingClock) -> bool:
    freezegun: Any = sys.modules.get("freezegun.api")
    if freezegun is None or not freezegun.freeze_factories:
        return False
    if any(freezegun.tick_flags):
        raise clock.refuse(text.TICKING_FREEZEGUN)
    return True
