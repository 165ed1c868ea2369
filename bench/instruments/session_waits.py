"""Names the waits of sessions, and cancels a session in one of them.

A session's coroutine hands a future to its task wherever it waits. Standing between the two, one
sees each wait begin and end, and is told that a future is done before the task is.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from ... import mocks
from ...mocks.clock import NowNs, seconds
from ..results.cancellation import AT_ITS_END, Cancellation, CancelledAt, WaitMade
from .code_origin import Origin, frames_below, origin_of

_MOCKS = f"{Path(mocks.__file__).parent}/"
_ANSWER = "answer"
"""What a mocked wait is called, as in a schedule's choices."""


class SessionWaits:
    """The waits of one trial's sessions.

    Attributes:
        cancels: When some sessions are cancelled.
        cancelled: The cancellations that took place, in their order.
        origin_ns: Time on the clock from which their times count.

    Args:
        now_ns: Reads the clock.
        cancels: When some sessions are cancelled.
        notes: Whether to note the waits of all.
    """

    def __init__(
        self, now_ns: NowNs, cancels: Iterable[Cancellation] = (), *, notes: bool = False
    ) -> None:
        self.cancels = {each.session: each for each in cancels}
        self.cancelled: list[CancelledAt] = []
        self.origin_ns = now_ns()
        self._now_ns = now_ns
        self._notes = notes
        self._made: dict[int, list[WaitMade]] = {}

    @property
    def made(self) -> Mapping[int, Sequence[WaitMade]]:
        """The waits of each session that are over, if they were to be noted."""
        return {session: tuple(made) for session, made in self._made.items()}

    def watched(self, session: int, answer: Awaitable[str]) -> Awaitable[str]:
        """Return a session's answer with its waits seen.

        Args:
            session: Number of the session.
            answer: What is awaited for its answer.
        """
        cancellation = self.cancels.get(session)
        if cancellation is None and not self._notes:
            return answer
        made = self._made.setdefault(session, []) if self._notes else None
        return _Watched(answer, self._now_ns, made, cancellation, self._cancels)

    def _cancels(self, cancellation: Cancellation, task: "asyncio.Task[object]") -> None:
        """Cancel a session's task."""
        at_ns = self._now_ns() - self.origin_ns
        self.cancelled.append(CancelledAt(cancellation, at_ns))
        task.cancel()


class _Watched(Coroutine[Any, Any, str]):
    """A session's coroutine whose waits are seen; whoever asks what it waits in is told as before.

    Args:
        answer: What is awaited for the session's answer.
        now_ns: Reads the clock.
        made: Takes the session's waits, if they are to be noted.
        cancellation: When the session is cancelled, if it is.
        cancels: Cancels its task.
    """

    def __init__(
        self,
        answer: Awaitable[str],
        now_ns: NowNs,
        made: list[WaitMade] | None,
        cancellation: Cancellation | None,
        cancels: Any,
    ) -> None:
        is_coroutine = asyncio.iscoroutine(answer)
        self._coroutine = cast("Coroutine[Any, Any, str]", answer if is_coroutine else _of(answer))
        self._now_ns = now_ns
        self._made = made
        self._cancellation = cancellation
        self._cancels = cancels
        self._met: Counter[str] = Counter()
        self._begun: tuple[str, int, int] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._has_begun = False

    def send(self, value: Any) -> Any:
        self._goes_on()
        try:
            return self._waits_for(self._coroutine.send(value))
        except BaseException:
            self._ends()
            raise

    def throw(
        self,
        typ: Any,
        val: Any = None,
        tb: TracebackType | None = None,
    ) -> Any:
        self._goes_on()
        # With three arguments only where they are given: Python is to lose that form.
        error = (typ,) if val is None and tb is None else (typ, val, tb)
        try:
            return self._waits_for(self._coroutine.throw(*error))
        except BaseException:
            self._ends()
            raise

    def close(self) -> None:
        self._ends()
        self._coroutine.close()

    def __await__(self) -> "_Watched":
        return self

    def __iter__(self) -> "_Watched":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def __getattr__(self, name: str) -> Any:
        """Return what asyncio and tracebacks ask a coroutine for: its name, frame and awaited."""
        return getattr(self._coroutine, name)

    def _goes_on(self) -> None:
        if self._begun is not None:
            what, ordinal, begin_ns = self._begun
            self._begun = None
            if self._made is not None:
                self._made.append(WaitMade(what, ordinal, self._now_ns() - begin_ns))
        if self._has_begun:
            return
        self._has_begun = True
        cancellation = self._cancellation
        if cancellation is not None and not cancellation.what:
            self._set_timer(cancellation.after_ns or 0)

    def _waits_for(self, yielded: Any) -> Any:
        """Note a wait that begins; one turn of the loop is none."""
        if asyncio.isfuture(yielded):
            what = _what(self._coroutine, yielded)
            self._met[what] += 1
            ordinal = self._met[what]
            self._begun = what, ordinal, self._now_ns()
            cancellation = self._cancellation
            if cancellation is not None and (what, ordinal) == (
                cancellation.what,
                cancellation.ordinal,
            ):
                self._is_in_the_wait(yielded, cancellation.after_ns)
        return yielded

    def _is_in_the_wait(self, future: "asyncio.Future[object]", after_ns: int | None) -> None:
        cancel = partial(self._cancel, asyncio.current_task())
        if after_ns is AT_ITS_END or after_ns > 0:
            # It is called before the task is, which has not added its own callback yet.
            future.add_done_callback(cancel)
        if after_ns == 0:
            future.get_loop().call_soon(cancel)
        elif after_ns is not AT_ITS_END:
            self._set_timer(after_ns)

    def _set_timer(self, after_ns: int) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        self._timer = loop.call_later(seconds(after_ns), self._cancel, task)

    def _cancel(self, task: "asyncio.Task[object] | None", _future: object = None) -> None:
        cancellation = self._cancellation
        self._ends()
        if cancellation is not None and task is not None and not task.done():
            self._cancels(cancellation, task)

    def _ends(self) -> None:
        """Let nothing cancel the session any more."""
        self._cancellation = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def _of(answer: Awaitable[str]) -> str:
    return await answer


def _what(coroutine: object, future: "asyncio.Future[object]") -> str:
    """Name what a coroutine awaits: a mocked answer, a primitive of asyncio, a task."""
    innermost = None
    for innermost in frames_below(coroutine):  # noqa: B007 - the last one
        pass
    if innermost is not None:
        code = innermost.f_code
        if code.co_filename.startswith(_MOCKS):
            return _ANSWER
        if origin_of(code.co_filename) in {Origin.STANDARD, Origin.PACKAGE}:
            return code.co_qualname.rpartition(">.")[2]
    if isinstance(future, asyncio.Task):
        return "task"
    return "gather" if type(future).__name__ == "_GatheringFuture" else "future"
