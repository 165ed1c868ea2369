"""The probe: wraps a session and notes when each one began, ended, and how.

Strategies never see it: what they drive is a session like any other, except that it does
not raise. A failed session is a result; it must not sink the ones beside it.
"""

import asyncio
import concurrent.futures
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ...mocks import network
from ...mocks.clock import Clock
from ...mocks.errors import ClockError, UnmockedRequestError, name_of, text_of
from ...mocks.observe.meter import Meter
from ...mocks.observe.session import SESSION, SessionScope
from ...mocks.redaction import redact
from ..results.samples import Outcome, SessionSample
from ..strategies.protocol import AsyncSession, SyncSession
from ..targets.outputs import AsyncOutputs, SyncOutputs, answering, answering_async
from .code_origin import Origin, name_of_file, origin_of
from .session_waits import SessionWaits

# By the package that has each: what has not been imported has raised nothing.
_TIMEOUTS = {
    "openai": "APITimeoutError",
    "anthropic": "APITimeoutError",
    "httpx": "TimeoutException",
    "httpx2": "TimeoutException",
}
# What a mistake in the code raises; its text alone seldom says where.
_MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    TypeError,
)
_CANCELLATIONS = (asyncio.CancelledError, concurrent.futures.CancelledError)
# What ends no process but a session. Others, Ctrl-C and a test's time limit, pass where a process
# is not the trial's alone.
_ENDS_A_SESSION = (Exception, SystemExit, *_CANCELLATIONS)
_LONGEST_ERROR = 500
_STAND_INS = f"{Path(network.__file__).parent}/"


class WrongAnswerError(Exception):
    """The target's own check says that the answer of a session is wrong."""


class Probe:
    """Watches the sessions of one trial.

    Attributes:
        origin_ns: Time on the clock from which it counts.

    Args:
        clock: Keeps the trial's time.
        session_of: Number of the session that a task belongs to.
        meter: Told whose code runs.
        intended_ns: When each session is to begin, counted from the origin, in an open loop.
        owns_process: Whether whatever a session raises is its own: nobody else is interrupted.
        check: Told the task and the answer of a session; raises, or returns ``False``, if that is
            wrong.
        waits: Sees the waits of the sessions, and cancels some, as a client that goes away does.
        takes_up: Told what a session that succeeded returns, by its number.
        find_driver: Returns the task that runs the strategy, or ``None`` once it has ended. Without
            it, no session is taken to have cancelled its own task.
    """

    def __init__(
        self,
        clock: Clock,
        session_of: Mapping[str, int],
        meter: Meter | None = None,
        intended_ns: Mapping[int, int] | None = None,
        *,
        owns_process: bool = False,
        check: Callable[[str, str], object] | None = None,
        waits: SessionWaits | None = None,
        takes_up: Callable[[int, object], None] | None = None,
        find_driver: "Callable[[], asyncio.Task[object] | None] | None" = None,
    ) -> None:
        self._clock = clock
        self._outcomes = (BaseException,) if owns_process else _ENDS_A_SESSION
        self._check = check
        self._waits = waits
        self._takes_up = takes_up
        self._find_driver = find_driver
        self._session_of = session_of
        self._meter = meter
        self._intended_ns: Mapping[int, int] = intended_ns or {}
        self.origin_ns = clock.now_ns()
        # When each began, and how long nobody had computed until then.
        self._running: dict[int, tuple[int, int]] = {}
        self._first_output_ns: dict[int, int] = {}
        self._ended: list[SessionSample] = []
        # Whose answer the check says is wrong.
        self._wrong: set[int] = set()

    def watch_async(self, session: AsyncSession | AsyncOutputs) -> AsyncSession:
        """Return ``session`` watched."""
        answer_of = answering_async(session, self._has_output)

        async def watched(task: str) -> str:
            arrival_ns = self._arrival_ns(task)
            if arrival_ns is not None:
                await self._arrive(arrival_ns)
            number = self._begin(task, on_loop=True)
            try:
                answer = await self._answer(answer_of, task, number)
                await self._meet_cancellation()
                self._require_right(task, answer, number)
            except ClockError:
                raise
            except asyncio.CancelledError as error:
                self._end(number, Outcome.CANCELLED, error)
                if self._is_cancelled_by_driver():
                    raise
                return ""
            except self._outcomes as error:
                self._end(number, _outcome_of(error), error)
                return ""
            else:
                self._end(number, Outcome.SUCCEEDED)
            finally:
                _leave(number)
            if self._takes_up is not None:
                self._takes_up(number, answer)
            return answer

        return watched

    def watch_sync(self, session: SyncSession | SyncOutputs) -> SyncSession:
        """Return ``session`` watched."""
        answer_of = answering(session, self._has_output)

        def watched(task: str) -> str:
            arrival_ns = self._arrival_ns(task)
            if arrival_ns is not None:
                self._clock.wait_until_ns(arrival_ns)
            number = self._begin(task, on_loop=False)
            try:
                answer = answer_of(task)
                self._require_right(task, answer, number)
            except ClockError:
                raise
            except self._outcomes as error:
                self._end(number, _outcome_of(error), error)
                return ""
            else:
                self._end(number, Outcome.SUCCEEDED)
            finally:
                _leave(number)
            if self._takes_up is not None:
                self._takes_up(number, answer)
            return answer

        return watched

    @property
    def running(self) -> int:
        """Sessions that have begun and not ended."""
        return len(self._running)

    def not_begun(self, tasks: Sequence[str]) -> list[str]:
        """Return those of some tasks whose sessions have not begun."""
        begun = {*self._running, *(sample.session for sample in self._ended)}
        return [task for task in tasks if self._session_of[task] not in begun]

    def samples(self) -> tuple[SessionSample, ...]:
        """Return one sample per started session, in the order of their ends.

        A session that is still running counts as cancelled: its strategy left it behind.
        """
        now_ns = self._clock.now_ns() - self.origin_ns
        left_behind = "still running when the strategy returned"
        return (
            *self._ended,
            *(
                SessionSample(
                    number,
                    Outcome.CANCELLED,
                    start_ns,
                    now_ns,
                    left_behind,
                    self._intended_ns.get(number),
                    idle_at_start_ns=idle_ns,
                    idle_at_end_ns=self._idle_ns(),
                    first_output_ns=self._first_output_ns.get(number),
                )
                for number, (start_ns, idle_ns) in self._running.items()
            ),
        )

    async def _answer(self, answer_of: AsyncSession, task: str, number: int) -> str:
        """Return a session's answer; cancel it on the way if that is to be."""
        waits = self._waits
        if waits is None:
            return await answer_of(task)
        answer = waits.watched(number, answer_of(task))
        if not waits.cancels:
            return await answer
        # In a task of its own: the one of now may run the next session, too. So are those that are
        # not cancelled, or these would always begin after them.
        child = asyncio.ensure_future(answer)
        scope = SESSION.get()
        if scope is not None:  # else a session would look like what others started
            scope.task = child
        return await child

    def _require_right(self, task: str, answer: str, number: int) -> None:
        if self._check is None:
            return
        self._wrong.add(number)
        if self._check(task, answer) is False:
            raise WrongAnswerError("check(task, answer) says that the answer is wrong")
        self._wrong.discard(number)

    def _is_cancelled_by_driver(self) -> bool:
        """Say whether a session was cancelled from outside, and did not do so itself.

        A cancellation that is nothing but raised leaves no trace in its task. One that the session
        asked of its own task does, and is taken back: another session may run in it next.
        """
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            return False
        if self._driver_is_cancelled():
            return True
        _take_back_cancellations(task)
        return False

    def _driver_is_cancelled(self) -> bool:
        driver = None if self._find_driver is None else self._find_driver()
        return driver is None or bool(driver.cancelling())

    async def _meet_cancellation(self) -> None:
        """Let a session be cancelled that cancelled its task, and returned without an await.

        It would be the next session that is cancelled, or the strategy.
        """
        task = _current_task()
        if task is not None and task.cancelling():
            await asyncio.sleep(0)
            if not self._driver_is_cancelled():
                _take_back_cancellations(task)

    async def _arrive(self, arrival_ns: int) -> None:
        """Wait for a session's arrival, which no other session can cancel."""
        while True:
            try:
                await self._clock.sleep_until_ns(arrival_ns)
            except asyncio.CancelledError:
                if self._is_cancelled_by_driver():
                    raise
            else:
                return

    def _arrival_ns(self, task: str) -> int | None:
        """When a session arrives, on the clock.

        It may hold a place under the limit while it waits for that. No other is kept from it:
        those before it have arrived, and those after it will later still.
        """
        intended_ns = self._intended_ns.get(self._session_of[task])
        return None if intended_ns is None else self.origin_ns + intended_ns

    def _has_output(self, task: str) -> None:
        """Note when the user of a session that yields sees its first output."""
        self._first_output_ns[self._session_of[task]] = self._clock.now_ns() - self.origin_ns

    def _begin(self, task: str, *, on_loop: bool) -> int:
        number = self._session_of[task]
        now_ns, idle_ns = self._clock.now_ns(), self._idle_ns()
        self._running[number] = now_ns - self.origin_ns, idle_ns
        SESSION.set(SessionScope(number, _current_task() if on_loop else None))
        if self._meter is not None:
            self._meter.begins(number, now_ns, idle_ns, on_loop=on_loop)
        return number

    def _end(self, number: int, outcome: Outcome, error: BaseException | None = None) -> None:
        now_ns, idle_at_end_ns = self._clock.now_ns(), self._idle_ns()
        if self._meter is not None:
            self._meter.ends(number, now_ns, idle_at_end_ns)
        _leave(number)
        start_ns, idle_at_start_ns = self._running.pop(number)
        text = None if error is None else describe_error(error)
        self._ended.append(
            SessionSample(
                number,
                outcome,
                start_ns,
                now_ns - self.origin_ns,
                text,
                self._intended_ns.get(number),
                idle_at_start_ns=idle_at_start_ns,
                idle_at_end_ns=idle_at_end_ns,
                first_output_ns=self._first_output_ns.pop(number, None),
                is_wrong=number in self._wrong,
            )
        )

    def _idle_ns(self) -> int:
        """Where it is wanted: for real clocks it takes a system call."""
        return 0 if self._meter is None else self._meter.idle_ns()


def _leave(number: int) -> None:
    """Let the code that goes on here be no session's, however this one has ended: Ctrl-C, too."""
    scope = SESSION.get()
    # A coroutine that nobody awaits to its end is closed wherever it is found, maybe in another.
    if scope is not None and scope.number == number:
        scope.is_over = True
        scope.kept.clear()
        SESSION.set(None)


def _current_task() -> "asyncio.Task[object] | None":
    """Return the task that runs, as ``asyncio.current_task`` does.

    That is a function in Python until 3.12, which the gate would count, and this runs once for
    each session.
    """
    if sys.version_info >= (3, 12):
        return asyncio.current_task()
    tasks: dict[object, asyncio.Task[object]] = asyncio.tasks._current_tasks  # type: ignore[attr-defined]
    return tasks.get(asyncio.get_running_loop())


def _take_back_cancellations(task: "asyncio.Task[object]") -> None:
    while task.uncancel():
        pass


def describe_error(error: BaseException) -> str:
    """Return an error and what caused it in one line: SDKs hide the cause in a chain.

    A mistake in the code comes with its place; of a group, its first error is the cause.
    """
    parts: dict[str, None] = {}
    for each in _causes(error):
        part = f"{name_of(each)}: {text_of(each)}".strip().removesuffix(":")
        if _is(each, _MISTAKES):
            part += _place_of(each)
        parts[" ".join(part.split())] = None
    text = " <- ".join(parts)
    # Half a secret at the end would no longer look like one.
    return text if len(text) <= _LONGEST_ERROR else redact(text)[:_LONGEST_ERROR]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Follow an error to its cause, and a group to its first error; at last to a refusal.

    A client that wraps an error without naming it as the cause (``urllib.request``) would hide what
    was refused, and why.
    """
    seen: set[int] = set()
    last = error
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        last = following
        first = _first_of_group(following)
        following = _of_base(following, "__cause__") if first is None else first
    refusal = _refusal_behind(last)
    if refusal is not None and id(refusal) not in seen:
        yield refusal


def _refusal_behind(error: BaseException) -> BaseException | None:
    """Return the refused request in whose handling an error was raised, if there is one."""
    seen: set[int] = set()
    following = _of_base(error, "__context__")
    while following is not None and id(following) not in seen:
        if _is(following, (UnmockedRequestError,)):
            return cast("BaseException", following)
        seen.add(id(following))
        following = _of_base(following, "__cause__") or _of_base(following, "__context__")
    return None


def _first_of_group(error: BaseException) -> BaseException | None:
    if not _is(error, (BaseExceptionGroup,)):
        return None
    errors = BaseExceptionGroup.__dict__["exceptions"].__get__(error)
    return cast("tuple[BaseException, ...]", errors)[0]


def _is(error: BaseException, types: tuple[type[BaseException], ...]) -> bool:
    """Ask its type only: ``isinstance`` asks ``__class__`` as well, which may be somebody's own."""
    return issubclass(type(error), types)


def _of_base(error: BaseException, name: str) -> Any:
    """Return an attribute of exceptions, even where a class puts one of its own in its place."""
    return BaseException.__dict__[name].__get__(error)


def _place_of(error: BaseException) -> str:
    """Return the innermost line of an error that is neither a package's nor Python's own.

    Nor one of the methods that stand in for those of sockets and loops.
    """
    place = ""
    for frame, line in traceback.walk_tb(_of_base(error, "__traceback__")):
        file = frame.f_code.co_filename
        if origin_of(file) in {Origin.OWN, Origin.LAB} and not file.startswith(_STAND_INS):
            place = f" ({name_of_file(file)}:{line})"
    return place


def _outcome_of(error: BaseException) -> Outcome:
    while (first := _first_of_group(error)) is not None:
        error = first
    if _is(error, _timeouts()):
        return Outcome.TIMED_OUT
    return Outcome.CANCELLED if _is(error, _CANCELLATIONS) else Outcome.FAILED


def _timeouts() -> tuple[type[BaseException], ...]:
    imported = (
        getattr(sys.modules.get(package), error, None) for package, error in _TIMEOUTS.items()
    )
    return (TimeoutError, *(error for error in imported if error is not None))
