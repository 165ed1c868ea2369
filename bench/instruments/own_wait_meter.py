"""Notes each wait that a session's own code begins, with its place, on a clock that skips.

The clock tells of futures, timers and parked threads (``mocks.clock.own_waits``). What no session's
code waits for is left out at once. For the rest the stack is read (``wait_stacks``): what stands
between the user's function and the wait says what is waited for, and whose wait it is. One that the
lab's code begins is a mock's, or the lab's.

To know whether two waits lie in the same call of a function, the frames of the last wait are kept
until the next one in the same task or thread, or the session's end: a frame that has gone may have
lent its address to another.
"""

import asyncio
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from itertools import count, islice
from types import FrameType
from typing import Any

from ...mocks.clock import NowNs
from ...mocks.observe.session import session_here
from ..attribution.own_waits import Awaited, ObservedWait
from .wait_stacks import BELOW_PYTHON, FUTURES_OF, StackReader

_Calls = tuple[Sequence[FrameType], tuple[int, ...]]

_LAST_CALLS: ContextVar[_Calls] = ContextVar("warpbench_last_calls", default=((), ()))
"""The frames of the user's functions at the last wait of the task or thread, and their numbers."""


# To go through the class takes longer than all that is done with it.
_TIME, _LIMIT, _SIGNAL, _RESULT = Awaited.TIME, Awaited.LIMIT, Awaited.SIGNAL, Awaited.RESULT

_Kind = tuple[str, str, Awaited]
"""The place of a wait, what it awaits, and what it is for."""

_Where = tuple[int, tuple[int, ...]]
"""The number of a wait's kind, and the calls of the user's functions in which it lies."""

_NO_TIME = -1
_COLUMNS = 7
_OVER = object()


class _Wait:
    """A wait that has begun, also the callback of the future that ends it."""

    __slots__ = ("_begin_ns", "_blocks_loop", "_due_ns", "_meter", "_session", "_where")

    def __init__(
        self,
        meter: "OwnWaitMeter",
        session: int,
        span_ns: tuple[int, int],
        where: _Where,
        *,
        blocks_loop: bool,
    ) -> None:
        self._meter = meter
        self._session = session
        self._begin_ns, self._due_ns = span_ns
        self._where = where
        self._blocks_loop = blocks_loop

    def __call__(self, _future: object = None) -> None:
        """Note that it is over."""
        meter = self._meter
        if meter.open_waits.pop(self, _OVER) is None:
            meter.note(self.row(meter.now_ns()))

    def row(self, end_ns: int) -> tuple[int, ...]:
        """Return it as numbers, with its end."""
        at, path = self._where
        due_ns, blocks_loop = self._due_ns, self._blocks_loop
        return (len(path), self._session, self._begin_ns, end_ns, due_ns, at, blocks_loop, *path)


class OwnWaitMeter:
    """The waits of one trial's sessions; a ``WaitObserver``.

    Attributes:
        now_ns: Reads the trial's clock.
        open_waits: The waits that are not over.
        note: Records a wait that is over; appending is atomic.
    """

    def __init__(self, now_ns: NowNs) -> None:
        self.now_ns = now_ns
        self._calls = count(1)
        self._stacks = StackReader()
        self._kinds: dict[_Kind, int] = {}
        self._numbers = count()
        self.forget()

    def forget(self) -> None:
        """Forget all waits so far."""
        # Flat, so that the garbage collector need not look at what is only noted.
        self._rows = array("q")
        self.note: Callable[[tuple[int, ...]], None] = self._rows.extend
        self.open_waits: dict[_Wait, None] = {}

    def ends(self) -> None:
        """The calling session ends: keep none of its frames."""
        _LAST_CALLS.set(((), ()))

    def noted(self, until_ns: int) -> Mapping[int, Sequence[ObservedWait]]:
        """Return the waits of each session, in the order of their begins.

        Args:
            until_ns: When those end that are not over, on the clock.
        """
        flat = array("q", self._rows)
        for still_open in list(self.open_waits):
            flat.extend(still_open.row(until_ns))
        kinds = {number: kind for kind, number in self._kinds.items()}
        waits = sorted(_observed(flat, kinds), key=lambda wait: (wait.begin_ns, wait.path))
        by_session: dict[int, list[ObservedWait]] = {}
        for wait in waits:
            if wait.end_ns > wait.begin_ns:
                by_session.setdefault(wait.session, []).append(wait)
        return by_session

    # ---- told by the clock ----------------------------------------------------------------

    def future_made(self, future: "asyncio.Future[Any]") -> None:
        """Note a wait for one of asyncio's primitives, if it is for one."""
        session = session_here()
        if session is None:
            return
        frame = sys._getframe(2)  # beyond the loop's method
        awaited = FUTURES_OF.get(id(frame.f_code))
        if awaited is not None:
            self._waits_for(future, session, frame, awaited, _NO_TIME)

    def timer_set(self, due_ns: int, /, *arguments: Any) -> None:
        """Note an ``asyncio.sleep``."""
        session = session_here()
        if session is not None:
            self._waits_for(arguments[0], session, sys._getframe(1), _TIME, due_ns)

    def thread_parks(self, awaits: str, due_ns: int | None) -> "_Wait | None":
        """Note the wait of a thread."""
        session = session_here()
        if session is None:
            return None
        begin_ns, frame = self.now_ns(), sys._getframe(1)
        awaited = BELOW_PYTHON[awaits]
        where = self._where(frame, awaited, awaits, below_python=awaited)
        if where is None:
            return None
        ends_ns = _NO_TIME if due_ns is None or awaited is not _TIME else due_ns
        span_ns = begin_ns, ends_ns
        blocks_loop = asyncio._get_running_loop() is not None
        wait = _Wait(self, session, span_ns, where, blocks_loop=blocks_loop)
        self.open_waits[wait] = None
        return wait

    def thread_goes_on(self, wait: object) -> None:
        """Note that it is over."""
        if isinstance(wait, _Wait):
            wait()

    # ---- whose wait it is -----------------------------------------------------------------

    def _waits_for(
        self,
        future: "asyncio.Future[Any]",
        session: int,
        frame: FrameType,
        awaited: Awaited,
        due_ns: int,
    ) -> None:
        begin_ns = self.now_ns()
        where = self._where(frame, awaited, "")
        if where is not None:
            wait = _Wait(self, session, (begin_ns, due_ns), where, blocks_loop=False)
            self.open_waits[wait] = None
            future.add_done_callback(wait)

    def _where(
        self,
        innermost: FrameType,
        awaited: Awaited,
        awaits: str,
        below_python: Awaited | None = None,
    ) -> _Where | None:
        """Return where a wait is, what it awaits and is for, and the calls in which it lies.

        Returns:
            ``None`` for a wait that the lab begins, or that is for other tasks.
        """
        stack = self._stacks.read(innermost)
        if stack is None:
            return None
        own, called, is_packages, of_call = stack
        if of_call is not None:
            awaited = of_call
        if called is not None:
            awaits = self._stacks.name(called)
            if below_python is _LIMIT and awaited is _LIMIT:
                awaited = _SIGNAL  # the lock of a condition, or of an event
        if is_packages and awaited is not _TIME:
            awaited = _RESULT
        if own:
            return self._kind(self._stacks.place(own[-1]), awaits, awaited), self._path(own)
        # A task that is nothing but a sleep, and no package's: where it was started does not show.
        return None if is_packages else (self._kind("", awaits, awaited), (next(self._calls),))

    def _kind(self, place: str, awaits: str, awaited: Awaited) -> int:
        kind = place, awaits, awaited
        number = self._kinds.get(kind)
        return self._kinds.setdefault(kind, next(self._numbers)) if number is None else number

    def _path(self, own: list[FrameType]) -> tuple[int, ...]:
        """Number the calls of the user's functions, those of the last wait as they were."""
        last_frames, last_numbers = _LAST_CALLS.get()
        if own == last_frames:
            return last_numbers
        depth = 0
        for frame, last in zip(own, last_frames, strict=False):
            if frame is not last:
                break
            depth += 1
        path = (*last_numbers[:depth], *islice(self._calls, len(own) - depth))
        _LAST_CALLS.set((own, path))
        return path


def _observed(flat: "array[int]", kinds: Mapping[int, _Kind]) -> Iterator[ObservedWait]:
    """Read the waits that were noted as numbers."""
    at = 0
    while at < len(flat):
        depth, session, begin_ns, end_ns, due_ns, kind, blocks_loop = flat[at : at + _COLUMNS]
        place, awaits, awaited = kinds[kind]
        yield ObservedWait(
            session=session,
            begin_ns=begin_ns,
            end_ns=end_ns,
            due_ns=None if due_ns == _NO_TIME else due_ns,
            place=place,
            awaits=awaits,
            awaited=awaited,
            path=tuple(flat[at + _COLUMNS : at + _COLUMNS + depth]),
            blocks_loop=bool(blocks_loop),
        )
        at += _COLUMNS + depth
