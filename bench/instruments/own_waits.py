"""Looks where sessions wait inside their own code: for a lock, an event, a queue, a sleep.

A mocked wait is noted where it happens. A wait of the session's own leaves no trace, and to follow
each lock would cost every session. So the tasks are looked at a few dozen times in a trial, when
their loop has waited: a task that waits shows all the coroutines that it waits in.

Only what is certain is told. The task must be a session's own, and the user's function must itself
await one of asyncio's primitives. What waits for other tasks or for threads is left out, as is a
wait inside a package: whether that is an SDK's pause or a limit of the user's does not show.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any

from ...mocks.clock import seconds
from ..results.own_waits import OwnWait
from ..results.own_waits import by_place as summed
from ..services import asgi
from . import probe
from .code_origin import Origin, frames_of, name_of_file, origin_of, place_of

_RUN_SESSIONS = (probe.__file__, asgi.__file__)
"""Whose code runs the task of a session, or that of a request of it."""

_PRIMITIVES = ("asyncio/locks.py", "asyncio/queues.py")
_SLEEP = "asyncio/tasks.py:sleep"
_ENTERS = "__aenter__"  # of whatever: what it calls has the name
_MOST_LOOKED_AT = 25


class OwnWaits:
    """What was seen in one trial.

    Args:
        in_order: Whether to look at tasks by their names: in virtual time, where sorting them is
            free, and where it must not be chance which of them are looked at.
    """

    def __init__(self, *, in_order: bool) -> None:
        self._in_order = in_order
        self._seen_ns: defaultdict[tuple[str, str], int] = defaultdict(int)

    def look(self, tasks: Collection[asyncio.Task[Any]], since_ns: int) -> None:
        """Look at tasks, or at some of them where there are many.

        Args:
            tasks: Tasks of one event loop, of sessions and others.
            since_ns: Nanoseconds on the clock for which what is seen stands.
        """
        for task in self._chosen(tasks):
            found = own_wait_of(task)
            if found is not None:
                self._seen_ns[found] += since_ns

    def noted(self) -> tuple[OwnWait, ...]:
        """Return what was seen, the longest first."""
        return summed(
            OwnWait(place=place, awaits=awaits, seen_s=seconds(seen_ns))
            for (place, awaits), seen_ns in self._seen_ns.items()
        )

    def _chosen(self, tasks: Collection[asyncio.Task[Any]]) -> Iterable[asyncio.Task[Any]]:
        if not self._in_order:
            return islice(tasks, _MOST_LOOKED_AT)
        by_name = sorted(tasks, key=lambda task: (len(task.get_name()), task.get_name()))
        return by_name[:: len(by_name) // _MOST_LOOKED_AT + 1]


def own_wait_of(task: asyncio.Task[Any]) -> tuple[str, str] | None:
    """Return where a session's task waits for a primitive of asyncio's, and for which."""
    is_session = False
    own = first_below = innermost = None
    for frame in frames_of(task):
        origin = origin_of(frame.f_code.co_filename)
        if origin is Origin.OWN:
            own, first_below = frame, None
        elif origin is not Origin.STANDARD:
            is_session = is_session or frame.f_code.co_filename in _RUN_SESSIONS
            own = None  # what the lab or a package waits for is not the user's own wait
        elif first_below is None and frame.f_code.co_name != _ENTERS:
            first_below = frame
        innermost = frame
    if not is_session or own is None or first_below is None or innermost is None:
        return None
    waits_in = name_of_file(innermost.f_code.co_filename)
    if waits_in not in _PRIMITIVES and place_of(innermost.f_code) != _SLEEP:
        return None
    return f"{place_of(own.f_code)}:{own.f_lineno}", f"asyncio.{first_below.f_code.co_qualname}"
