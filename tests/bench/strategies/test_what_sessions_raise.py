"""Whatever one session raises is that session's outcome, the same under every strategy."""

import asyncio
import concurrent.futures
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from warpbench.bench.instruments.probe import Probe
from warpbench.bench.results.samples import Outcome
from warpbench.bench.strategies import BUILT_IN, Drives, Strategy
from warpbench.bench.trial.driving import LoopDriver
from warpbench.bench.trial.loops import ASYNCIO, UVLOOP
from warpbench.mocks.clock import VirtualClock, keeping_time
from warpbench.mocks.errors import ClockHangError

SESSIONS = 6
SECOND_NS = 1_000_000_000
RAISING = frozenset({1, 4})
LOOPS = {"asyncio": ASYNCIO.create, "uvloop": UVLOOP.create}


class NoTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class OtherTextError(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307


class OwnError(BaseException):
    pass


class Interrupting(type):
    """A class of classes whose name interrupts who asks for it."""

    __name__ = property(lambda _class: interrupts())  # type: ignore[assignment]


class HostileText(str):
    __slots__ = ()

    def __format__(self, _format: str) -> str:
        raise KeyboardInterrupt

    split = strip = removesuffix = None  # type: ignore[assignment]


def interrupts(*_arguments: object) -> NoReturn:
    raise KeyboardInterrupt


class HostileError(Exception, metaclass=Interrupting):
    """Interrupts whoever looks at it by its attributes."""

    __class__ = __cause__ = __context__ = __traceback__ = property(interrupts)  # type: ignore[assignment]
    __repr__ = interrupts

    def __str__(self) -> str:
        return HostileText("look at me")


class InterruptingTextError(Exception):
    __str__ = __repr__ = interrupts


class HostileGroup(ExceptionGroup[Exception]):
    exceptions = property(interrupts)  # type: ignore[assignment]


@dataclass(frozen=True)
class Case:
    """What a session raises, and what becomes of it."""

    name: str
    make: Callable[[], BaseException]
    outcome: Outcome
    error: str


def chained() -> BaseException:
    error = ExceptionGroup("g", [TimeoutError("too late"), ValueError("no")])
    error.__cause__ = KeyError("not this")
    return error


def deep() -> BaseException:
    error: Exception = TimeoutError("at the bottom")
    for _ in range(1000):
        error = ExceptionGroup("g", [error])
    return error


def circular() -> BaseException:
    error = ValueError("round")
    error.__cause__ = RuntimeError("and round")
    error.__cause__.__cause__ = error
    return error


CASES = (
    Case("an error", lambda: ValueError("no"), Outcome.FAILED, "ValueError: no"),
    Case("a timeout", lambda: TimeoutError("late"), Outcome.TIMED_OUT, "TimeoutError: late"),
    Case(
        "a cancellation",
        lambda: asyncio.CancelledError("a leaked scope"),
        Outcome.CANCELLED,
        "CancelledError: a leaked scope",
    ),
    Case(
        "a cancelled future",
        concurrent.futures.CancelledError,
        Outcome.CANCELLED,
        "CancelledError",
    ),
    Case("an exit", lambda: SystemExit(1), Outcome.FAILED, "SystemExit: 1"),
    Case("an interrupt", KeyboardInterrupt, Outcome.FAILED, "KeyboardInterrupt"),
    Case("a generator's end", GeneratorExit, Outcome.FAILED, "GeneratorExit"),
    Case("an iterator's end", StopAsyncIteration, Outcome.FAILED, "StopAsyncIteration"),
    Case("its own", lambda: OwnError("mine"), Outcome.FAILED, "OwnError: mine"),
    Case(
        "without a text",
        NoTextError,
        Outcome.FAILED,
        "NoTextError: (its text cannot be read: RuntimeError)",
    ),
    Case(
        "with a text that is none",
        OtherTextError,
        Outcome.FAILED,
        "OtherTextError: (its text cannot be read: TypeError)",
    ),
    Case(
        "a group",
        lambda: ExceptionGroup("g", [ExceptionGroup("h", [ValueError("first")]), KeyError(2)]),
        Outcome.FAILED,
        "ExceptionGroup: g (2 sub-exceptions) <- ExceptionGroup: h (1 sub-exception) <- "
        "ValueError: first",
    ),
    Case(
        "a group of a timeout",
        chained,
        Outcome.TIMED_OUT,
        "ExceptionGroup: g (2 sub-exceptions) <- TimeoutError: too late",
    ),
    Case(
        "a group of an exit",
        lambda: BaseExceptionGroup("g", [SystemExit(2)]),
        Outcome.FAILED,
        "BaseExceptionGroup: g (1 sub-exception) <- SystemExit: 2",
    ),
    Case(
        "a group of a cancellation",
        lambda: BaseExceptionGroup("g", [asyncio.CancelledError()]),
        Outcome.CANCELLED,
        "BaseExceptionGroup: g (1 sub-exception) <- CancelledError",
    ),
    Case(
        "a deep group",
        deep,
        Outcome.TIMED_OUT,
        "ExceptionGroup: g (1 sub-exception) <- TimeoutError: at the bottom",
    ),
    Case("a hostile error", HostileError, Outcome.FAILED, "HostileError: look at me"),
    Case(
        "a text that interrupts",
        InterruptingTextError,
        Outcome.FAILED,
        "InterruptingTextError: (its text cannot be read: KeyboardInterrupt)",
    ),
    Case(
        "a hostile group",
        lambda: HostileGroup("g", [ValueError("no")]),
        Outcome.FAILED,
        "HostileGroup: g (1 sub-exception) <- ValueError: no",
    ),
    Case(
        "a circle of causes",
        circular,
        Outcome.FAILED,
        "ValueError: round <- RuntimeError: and round",
    ),
)
CELLS = [
    pytest.param(strategy, new_loop, id=f"{strategy.name}-{loop}")
    for strategy in BUILT_IN
    for loop, new_loop in (LOOPS.items() if strategy.on_loop else [("none", None)])
]
EVERY_CELL = pytest.mark.parametrize(("strategy", "new_loop"), CELLS)
ASYNC_CELLS = [cell for cell in CELLS if cell.values[0].drives is Drives.ASYNC]  # type: ignore[union-attr]

Step = Callable[[], Any]


def samples_of(
    strategy: Strategy,
    new_loop: Any,
    step: Step,
    *,
    owns_process: bool = True,
    raising: frozenset[int] = RAISING,
    wait_ns: Callable[[int], int] = lambda _number: SECOND_NS,
    arrivals_ns: Mapping[int, int] | None = None,
) -> dict[int, tuple[Outcome, str | None]]:
    """Drive sessions of which some take a step after a while; return what became of each."""
    clock = VirtualClock()
    tasks = {f"task {number}": number for number in range(SESSIONS)}

    async def session(task: str) -> str:
        await clock.sleep_until_ns(clock.now_ns() + wait_ns(tasks[task]))
        if tasks[task] in raising:
            answer = step()
            if asyncio.iscoroutine(answer):
                await answer
        return "done"

    def sync_session(task: str) -> str:
        clock.wait_until_ns(clock.now_ns() + wait_ns(tasks[task]))
        if tasks[task] in raising:
            step()
        return "done"

    drive: Any = strategy.run
    with keeping_time(clock):
        runner = None
        if strategy.on_loop:
            runner = asyncio.Runner(loop_factory=lambda: new_loop(clock))
            drive = LoopDriver(runner, drive, lambda work: work, owns_process=owns_process)
        probe = Probe(
            clock,
            tasks,
            intended_ns=arrivals_ns,
            owns_process=owns_process,
            find_driver=drive.task if runner is not None else None,
        )
        is_async = strategy.drives is Drives.ASYNC
        watched: Any = probe.watch_async(session) if is_async else probe.watch_sync(sync_session)
        try:
            drive(watched, list(tasks), 3, *([] if runner is None else [probe]))
        finally:
            if runner is not None:
                runner.close()
    return {sample.session: (sample.outcome, sample.error) for sample in probe.samples()}


def expected(outcome: Outcome, error: str) -> dict[int, tuple[Outcome, str | None]]:
    """Return the outcomes of all sessions, each of which has exactly one."""
    return {
        number: (outcome, error) if number in RAISING else (Outcome.SUCCEEDED, None)
        for number in range(SESSIONS)
    }


def raising(make: Callable[[], BaseException]) -> Step:
    def step() -> None:
        raise make()

    return step


@EVERY_CELL
def test_what_a_session_raises_is_its_outcome(strategy: Strategy, new_loop: Any) -> None:
    found = {case.name: samples_of(strategy, new_loop, raising(case.make)) for case in CASES}
    assert found == {case.name: expected(case.outcome, case.error) for case in CASES}


async def cancel_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    task.cancel()
    await asyncio.sleep(0)


@EVERY_CELL
def test_an_end_of_an_iterator_is_an_outcome(strategy: Strategy, new_loop: Any) -> None:
    """Python makes a ``RuntimeError`` of one that a coroutine lets out."""
    is_async = strategy.drives is Drives.ASYNC
    python_s = "RuntimeError: coroutine raised StopIteration <- StopIteration"
    found = samples_of(strategy, new_loop, raising(StopIteration))
    assert found == expected(Outcome.FAILED, python_s if is_async else "StopIteration")


@pytest.mark.parametrize(("strategy", "new_loop"), ASYNC_CELLS)
def test_a_session_that_cancels_its_own_task_is_cancelled_alone(
    strategy: Strategy, new_loop: Any
) -> None:
    found = samples_of(strategy, new_loop, cancel_itself)
    assert found == expected(Outcome.CANCELLED, "CancelledError")


def awaits_a_task_that_raises(make: Callable[[], BaseException]) -> Step:
    async def tool() -> None:
        raise make()

    async def step() -> None:
        await asyncio.create_task(tool())

    return step


@pytest.mark.parametrize(("strategy", "new_loop"), ASYNC_CELLS)
@pytest.mark.parametrize(
    ("make", "error"),
    [(lambda: SystemExit(3), "SystemExit: 3"), (KeyboardInterrupt, "KeyboardInterrupt")],
)
def test_what_a_task_of_a_session_raises_stops_no_loop(
    make: Callable[[], BaseException], error: str, strategy: Strategy, new_loop: Any
) -> None:
    found = samples_of(strategy, new_loop, awaits_a_task_that_raises(make))
    assert found == expected(Outcome.FAILED, error)


@EVERY_CELL
@pytest.mark.parametrize("error", [KeyboardInterrupt, OwnError])
def test_in_somebody_elses_process_interrupts_pass(
    error: type[BaseException], strategy: Strategy, new_loop: Any
) -> None:
    """Ctrl-C, or a test that its framework ends, strikes wherever code happens to run."""
    with pytest.raises((error, BaseExceptionGroup)) as raised:  # of a task group
        samples_of(strategy, new_loop, raising(error), owns_process=False)
    assert raised.errisinstance(error) or raised.group_contains(error)


@EVERY_CELL
@pytest.mark.parametrize("case", CASES[:5], ids=lambda case: case.name)
def test_in_somebody_elses_process_all_others_are_outcomes(
    case: Case, strategy: Strategy, new_loop: Any
) -> None:
    found = samples_of(strategy, new_loop, raising(case.make), owns_process=False)
    assert found == expected(case.outcome, case.error)


@EVERY_CELL
def test_an_error_of_the_clock_is_nobodys_outcome(strategy: Strategy, new_loop: Any) -> None:
    with pytest.raises((ClockHangError, ExceptionGroup)) as raised:
        samples_of(strategy, new_loop, raising(lambda: ClockHangError("blocked")))
    assert raised.errisinstance(ClockHangError) or raised.group_contains(ClockHangError)
