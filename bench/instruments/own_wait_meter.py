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
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from itertools import count
from types import FrameType
from typing import Any

from ...mocks.clock import NowNs
from ...mocks.observe.meter import SESSION
from ..attribution.own_waits import Awaited, ObservedWait
from .wait_stacks import BELOW_PYTHON, FUTURES_OF, StackReader

_Calls = tuple[tuple[FrameType, ...], tuple[int, ...]]

_LAST_CALLS: ContextVar[_Calls] = ContextVar("warpbench_last_calls", default=((), ()))
"""The frames of the user's functions at the last wait of the task or thread, and their numbers."""


_Where = tuple[str, str, Awaited, tuple[int, ...]]


class _Wait:
    """A wait that has begun, also the callback of the future that ends it."""

    __slots__ = (
        "_meter",
        "awaited",
        "awaits",
        "begin_ns",
        "blocks_loop",
        "due_ns",
        "end_ns",
        "path",
        "place",
        "session",
    )

    def __init__(
        self,
        meter: "OwnWaitMeter",
        session: int,
        due_ns: int | None,
        where: _Where,
        *,
        blocks_loop: bool,
    ) -> None:
        self._meter = meter
        self.session = session
        self.begin_ns = meter.now_ns()
        self.end_ns: int | None = None
        self.due_ns = due_ns
        self.place, self.awaits, self.awaited, self.path = where
        self.blocks_loop = blocks_loop

    def __call__(self, _future: object = None) -> None:
        """Note that it is over."""
        self.end_ns = self._meter.now_ns()

    def observed(self, until_ns: int) -> ObservedWait:
        """Return it as a value; one that is not over lasts until ``until_ns``."""
        return ObservedWait(
            session=self.session,
            begin_ns=self.begin_ns,
            end_ns=until_ns if self.end_ns is None else self.end_ns,
            due_ns=self.due_ns,
            place=self.place,
            awaits=self.awaits,
            awaited=self.awaited,
            path=self.path,
            blocks_loop=self.blocks_loop,
        )


class OwnWaitMeter:
    """The waits of one trial's sessions; a ``WaitObserver``.

    Attributes:
        now_ns: Reads the trial's clock.
    """

    def __init__(self, now_ns: NowNs) -> None:
        self.now_ns = now_ns
        self._calls = count(1)
        self._stacks = StackReader()
        self.forget()

    def forget(self) -> None:
        """Forget all waits so far."""
        self._begun: list[_Wait] = []

    def ends(self) -> None:
        """The calling session ends: keep none of its frames."""
        _LAST_CALLS.set(((), ()))

    def noted(self, until_ns: int) -> Mapping[int, Sequence[ObservedWait]]:
        """Return the waits of each session, in the order of their begins.

        Args:
            until_ns: When those end that are not over, on the clock.
        """
        by_session: dict[int, list[ObservedWait]] = {}
        for each in self._begun:
            wait = each.observed(until_ns)
            if wait.end_ns > wait.begin_ns:
                by_session.setdefault(wait.session, []).append(wait)
        return by_session

    # ---- told by the clock ----------------------------------------------------------------

    def future_made(self, future: "asyncio.Future[Any]") -> None:
        """Note a wait for one of asyncio's primitives, if it is for one."""
        session = SESSION.get()
        if session is None:
            return
        frame = sys._getframe(2)  # beyond the loop's method
        awaited = FUTURES_OF.get(id(frame.f_code))
        if awaited is not None:
            self._waits_for(future, session, frame, awaited, None)

    def timer_set(self, due_ns: int, /, *arguments: Any) -> None:
        """Note an ``asyncio.sleep``."""
        session = SESSION.get()
        if session is not None:
            self._waits_for(arguments[0], session, sys._getframe(1), Awaited.TIME, due_ns)

    def thread_parks(self, awaits: str, due_ns: int | None) -> "_Wait | None":
        """Note the wait of a thread."""
        session = SESSION.get()
        if session is None:
            return None
        frame = sys._getframe(1)
        awaited = BELOW_PYTHON[awaits]
        where = self._where(frame, awaited, awaits, below_python=awaited)
        if where is None:
            return None
        blocks_loop = asyncio._get_running_loop() is not None
        of_time = where[2] is Awaited.TIME
        wait = _Wait(self, session, due_ns if of_time else None, where, blocks_loop=blocks_loop)
        self._begun.append(wait)
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
        due_ns: int | None,
    ) -> None:
        where = self._where(frame, awaited, "")
        if where is not None:
            wait = _Wait(self, session, due_ns, where, blocks_loop=False)
            self._begun.append(wait)
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
        if stack is None or stack.is_for_tasks or (stack.is_packages and not stack.own):
            return None
        awaited = awaited if stack.awaited is None else stack.awaited
        if stack.called is not None:
            awaits = self._stacks.name(stack.called)
            if below_python is Awaited.LIMIT and awaited is Awaited.LIMIT:
                awaited = Awaited.SIGNAL  # the lock of a condition, or of an event
        if stack.is_packages and awaited is not Awaited.TIME:
            awaited = Awaited.RESULT
        if not stack.own:
            # A task that is nothing but a sleep: where it was started does not show.
            return "", awaits, awaited, (next(self._calls),)
        return self._stacks.place(stack.own[-1]), awaits, awaited, self._path(stack.own)

    def _path(self, own: list[FrameType]) -> tuple[int, ...]:
        """Number the calls of the user's functions, those of the last wait as they were."""
        last_frames, last_numbers = _LAST_CALLS.get()
        numbers: list[int] = []
        for depth, frame in enumerate(own):
            if depth >= len(last_frames) or last_frames[depth] is not frame:
                break
            numbers.append(last_numbers[depth])
        numbers += [next(self._calls) for _ in range(len(own) - len(numbers))]
        path = tuple(numbers)
        _LAST_CALLS.set((tuple(own), path))
        return path
