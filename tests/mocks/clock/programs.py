"""Random concurrent programs that run in plain Python as well as in a clock's scope.

A program is a list of *actors*: threads and tasks that take steps (sleep, take a lock, feed a
queue, wait for an event, …) on parts that they share. Its parts may be made before the scope. All
times are multiples of a unit, and what is compared is when each step of each actor ended, in units,
and how.

What happens at the same moment is up to chance in real life, and so is what follows from it. A
program is *steady* if nothing changes when each of its waits is a little longer or shorter, nor
when what was handed to a thread comes back before the loop's next step: only such a program can be
held against reality.

Run as a script it compares many: ``python programs.py NUMBER SEED [shrink]``.
"""

import asyncio
import concurrent.futures
import contextlib
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvloop
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from warpbench.mocks.clock import ClockMode, SkippingClock, create_clock, keeping_time

Step = tuple[str, int, int]
"""What to do, and two small numbers: how long, and with whom or how patiently."""

Ending = tuple[str, int, str, str, int]
"""Actor, number of its step, what that was, how it ended, and when, in units."""

UNITS_S = (0.02, 0.06, 0.2)
"""The unit of the first real run of a program; of a second and third, if it disagrees."""

CLOSES_AFTER = 30
"""Units after which whatever is waited for without a limit comes."""

_JITTER = 0.02
_MEASURED = 0.25
_LATE = 0.06
_STEADY_RUNS = 4
_MANY = 100


@dataclass(frozen=True)
class Program:
    """What runs, and where.

    Attributes:
        threads: The steps of each thread.
        tasks: The steps of each task of the main thread's event loop.
        loop: Its kind.
        older: Which parts are made before the scope.
    """

    threads: tuple[tuple[Step, ...], ...]
    tasks: tuple[tuple[Step, ...], ...] = ()
    loop: str = "asyncio"
    older: frozenset[str] = frozenset()


LOOPS: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}


def _pool_with_idle_threads() -> ThreadPoolExecutor:
    pool = ThreadPoolExecutor(2)
    concurrent.futures.wait([pool.submit(time.sleep, 0.001) for _ in range(2)])
    return pool


PARTS: Mapping[str, Callable[[], Any]] = {
    "lock": threading.Lock,
    "rlock": threading.RLock,
    "slots": lambda: threading.Semaphore(2),
    "place": lambda: threading.BoundedSemaphore(1),
    "event": threading.Event,
    "condition": threading.Condition,
    "barrier": lambda: threading.Barrier(2),
    "queue": lambda: queue.Queue(1),
    "lifo": queue.LifoQueue,
    "priority": queue.PriorityQueue,
    "simple": lambda: queue.SimpleQueue(),  # noqa: PLW0108 - the class is another in a scope
    "future": concurrent.futures.Future,
    "pool": lambda: ThreadPoolExecutor(2),
    "idle pool": _pool_with_idle_threads,
    "async lock": asyncio.Lock,
    "async slots": lambda: asyncio.Semaphore(2),
    "async event": asyncio.Event,
    "async condition": asyncio.Condition,
    "async queue": lambda: asyncio.Queue(1),
}

THREAD_STEPS = (
    "sleep", "lock", "try lock", "rlock", "slots", "place", "event set", "event clear",
    "event wait", "event wait for ever", "condition", "notify", "condition wait", "barrier",
    "put", "get", "put lifo", "get lifo", "get lifo for ever", "put priority", "get priority",
    "put simple", "get simple", "get simple for ever", "future set", "future result",
    "future result for ever", "pool", "pool map", "pool later", "later result", "timer",
    "spawn", "join", "own loop", "to loop", "wake loop", "idle pool", "wait first", "own pool",
)  # fmt: skip
TASK_STEPS = (
    "sleep", "lock", "slots", "event set", "event clear", "event wait", "event wait for ever",
    "condition", "notify", "condition wait", "put", "get", "thread", "pool", "idle pool",
    "timeout", "wait for", "call later", "block", "thread event set", "thread event wait",
    "cancel", "gather", "as completed", "put simple", "get simple", "future set",
    "future result", "take thread lock",
)  # fmt: skip


def programs() -> st.SearchStrategy[Program]:
    """Return programs of a few actors."""
    number = st.integers(0, 4)

    def steps(kinds: tuple[str, ...]) -> st.SearchStrategy[tuple[Step, ...]]:
        step = st.tuples(st.sampled_from(kinds), number, number)
        return st.lists(step, min_size=1, max_size=4).map(tuple)

    def actors(kinds: tuple[str, ...]) -> st.SearchStrategy[tuple[tuple[Step, ...], ...]]:
        return st.lists(steps(kinds), max_size=3).map(tuple)

    return st.builds(
        Program,
        threads=actors(THREAD_STEPS),
        tasks=actors(TASK_STEPS),
        loop=st.sampled_from(sorted(LOOPS)),
        older=st.frozensets(st.sampled_from(sorted(PARTS)), max_size=len(PARTS)),
    )


class Run:
    """One run of a program."""

    def __init__(self, program: Program, unit_s: float, jitter: int | None) -> None:
        self.program = program
        self.unit_s = unit_s
        self.jitter = jitter
        self.log: list[Ending] = []
        self.parts = {name: PARTS[name]() for name in sorted(program.older)}
        self.closed = False
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.later: list[concurrent.futures.Future[None]] = []
        self.spawned: list[threading.Thread] = []
        self.loop: asyncio.AbstractEventLoop | None = None

    def __getitem__(self, name: str) -> Any:
        return self.parts[name]

    def run(self) -> list[Ending]:
        """Run it, and return what happened, by actor and step."""
        for name in sorted(PARTS.keys() - self.parts.keys()):
            self.parts[name] = PARTS[name]()
        self.start_s = time.monotonic()
        closer = threading.Timer(CLOSES_AFTER * self.unit_s, self.close)
        closer.start()
        with asyncio.Runner(loop_factory=LOOPS[self.program.loop]) as runner:
            runner.run(self.main())
        closer.cancel()
        self.close()
        for thread in self.spawned:
            thread.join()
        closer.join()
        for pool in ("pool", "idle pool"):
            self.parts[pool].shutdown()
        return sorted(self.log)

    async def main(self) -> None:
        self.loop = asyncio.get_running_loop()
        threads = [
            threading.Thread(target=self.thread, args=(f"thread {number}", number, steps))
            for number, steps in enumerate(self.program.threads)
        ]
        for thread in threads:
            thread.start()
        count = len(threads)
        for number, steps in enumerate(self.program.tasks):
            name = f"task {number}"
            self.tasks[name] = asyncio.create_task(self.task(name, count + number, steps))
        if self.tasks:
            await asyncio.wait(self.tasks.values())
        for thread in threads:
            await asyncio.to_thread(thread.join)

    def close(self) -> None:
        """Let come whatever is still waited for."""
        if self.closed:
            return
        self.closed = True
        self["event"].set()
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            self["future"].set_result("closed")
        for name in ("lifo", "simple"):
            for _ in range(_MANY):
                self[name].put("closed")
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self.loop.call_soon_threadsafe(self["async event"].set)

    # ---- time ---------------------------------------------------------------------------

    def pauses(self, who: str) -> Callable[[int], float]:
        """Return what tells an actor how long to wait, in seconds."""
        if self.jitter is None:
            return lambda units: units * self.unit_s
        # Mirrored, so that what two waits of equal length decide goes the other way once.
        chance, most = random.Random(f"{self.jitter // 2} {who}"), (-1) ** self.jitter * _JITTER
        return lambda units: max(0, units + chance.uniform(-most, most)) * self.unit_s

    async def give_way(self) -> None:
        """Let threads go first that were handed something at this moment, in every other run.

        Whether a loop that was blocked hears from them before its next step is up to the loop's
        kind, and to who gets the interpreter's lock: waits that vary leave it as it is.
        """
        if self.jitter is not None and self.jitter % 2 == 0:
            # For longer than the jitter makes of no wait at all.
            await asyncio.sleep(2 * _JITTER * self.unit_s)

    def note(self, who: str, number: int, what: str, how: object) -> None:
        passed_s = time.monotonic() - self.start_s
        self.log.append((who, number, what, str(how), round(passed_s / self.unit_s)))

    # ---- threads ------------------------------------------------------------------------

    def thread(self, who: str, begins_after: int, steps: tuple[Step, ...]) -> None:
        pause_s = self.pauses(who)
        time.sleep(pause_s(begins_after))
        for number, (what, units, other) in enumerate(steps):
            try:
                how = THREAD[what](self, who, pause_s(units), pause_s(other), other)
            except _ENDINGS as error:
                how = type(error).__name__
            self.note(who, number, what, how)

    async def task(self, who: str, begins_after: int, steps: tuple[Step, ...]) -> None:
        pause_s = self.pauses(who)
        number, what = -1, "begin"
        todo: Iterator[tuple[int, Step]] = enumerate(steps)
        begin: Coroutine[Any, Any, Any] | None = asyncio.sleep(pause_s(begins_after))
        while True:
            try:
                if begin is not None:
                    coroutine, begin = begin, None
                    await coroutine
                    continue
                number, (what, units, other) = next(todo)
                how = await TASK[what](self, who, pause_s(units), pause_s(other), other)
            except StopIteration:
                return
            except _ENDINGS as error:
                how = type(error).__name__
            except asyncio.CancelledError:
                how = "cancelled"
            self.note(who, number, what, how)


_ENDINGS = (TimeoutError, queue.Empty, queue.Full, threading.BrokenBarrierError)

ThreadStep = Callable[[Run, str, float, float, int], object]
TaskStep = Callable[[Run, str, float, float, int], Coroutine[Any, Any, object]]


# ---- what threads do ------------------------------------------------------------------------


def _holding(part: str) -> ThreadStep:
    def hold(run: Run, _who: str, pause_s: float, _other_s: float, _other: int) -> object:
        with run[part]:
            time.sleep(pause_s)
        return None

    return hold


def _trying(part: str) -> ThreadStep:
    def hold(run: Run, _who: str, pause_s: float, other_s: float, other: int) -> object:
        taken = run[part].acquire(timeout=other_s) if other else run[part].acquire(blocking=False)
        if taken:
            time.sleep(pause_s)
            run[part].release()
        return taken

    return hold


def _putting(part: str) -> ThreadStep:
    def put(run: Run, who: str, pause_s: float, _other_s: float, _other: int) -> object:
        run[part].put(who, timeout=pause_s)
        return None

    return put


def _getting(part: str) -> ThreadStep:
    def get(run: Run, _who: str, pause_s: float, _other_s: float, _other: int) -> object:
        return run[part].get(timeout=pause_s)

    return get


def _notify(run: Run, _who: str, _pause_s: float, _other_s: float, other: int) -> None:
    with run["condition"]:
        run["condition"].notify(other)


def _condition_wait(run: Run, _who: str, pause_s: float, other_s: float, _other: int) -> object:
    with run["condition"]:
        woken = run["condition"].wait(pause_s)
        time.sleep(other_s)
        return woken


def _barrier(run: Run, _who: str, pause_s: float, _other_s: float, _other: int) -> object:
    try:
        run["barrier"].wait(pause_s)
    except threading.BrokenBarrierError:
        run["barrier"].reset()
        raise


def _future_set(run: Run, who: str, _pause_s: float, _other_s: float, _other: int) -> object:
    try:
        run["future"].set_result(who)
    except concurrent.futures.InvalidStateError:
        return "already"
    return None


def _in_pool(part: str) -> ThreadStep:
    def submit(run: Run, who: str, pause_s: float, other_s: float, _other: int) -> object:
        futures = [run[part].submit(_slept, each, who) for each in (pause_s, other_s)]
        return [future.result() for future in futures]

    return submit


def _pool_map(run: Run, _who: str, pause_s: float, other_s: float, _other: int) -> object:
    return list(run["pool"].map(_slept, (pause_s, other_s, pause_s), "abc"))


def _pool_later(run: Run, who: str, pause_s: float, _other_s: float, _other: int) -> None:
    run.later.append(run["pool"].submit(_slept, pause_s, who))


def _later_result(run: Run, _who: str, pause_s: float, _other_s: float, other: int) -> object:
    later = list(run.later)
    return later[other % len(later)].result(timeout=pause_s) if later else None


def _wait_first(run: Run, who: str, pause_s: float, other_s: float, _other: int) -> object:
    futures = [run["pool"].submit(_slept, each, who) for each in (other_s, 2 * other_s)]
    done, left = concurrent.futures.wait(
        futures, timeout=pause_s, return_when=concurrent.futures.FIRST_COMPLETED
    )
    return len(done), len(left)


def _own_pool(_run: Run, who: str, pause_s: float, other_s: float, other: int) -> object:
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(_slept, each, who) for each in (pause_s, other_s, other_s)]
        try:
            done = concurrent.futures.as_completed(futures, timeout=pause_s)
            return [future.result() for future in done]
        except TimeoutError:
            return "timeout"


def _timer(run: Run, _who: str, pause_s: float, _other_s: float, other: int) -> None:
    timer = threading.Timer(pause_s, run["event"].set)
    run.spawned.append(timer)
    timer.start()
    if other == 0:
        timer.cancel()


def _spawn(run: Run, who: str, pause_s: float, _other_s: float, _other: int) -> None:
    thread = threading.Thread(target=_slept, args=(pause_s, who))
    run.spawned.append(thread)
    thread.start()


def _join(run: Run, _who: str, pause_s: float, _other_s: float, other: int) -> object:
    spawned = list(run.spawned)
    if not spawned:
        return None
    thread = spawned[other % len(spawned)]
    thread.join(pause_s + run.unit_s)  # whether one that is ending has ended is chance
    return thread.is_alive()


def _own_loop(_run: Run, _who: str, pause_s: float, other_s: float, _other: int) -> object:
    async def both() -> None:
        await asyncio.gather(asyncio.sleep(pause_s), asyncio.to_thread(time.sleep, other_s))

    return asyncio.run(both())


def _to_loop(run: Run, who: str, pause_s: float, other_s: float, _other: int) -> object:
    assert run.loop is not None
    asked = asyncio.sleep(pause_s, who)
    return asyncio.run_coroutine_threadsafe(asked, run.loop).result(timeout=other_s)


def _wake_loop(run: Run, _who: str, _pause_s: float, _other_s: float, _other: int) -> None:
    assert run.loop is not None
    run.loop.call_soon_threadsafe(run["async event"].set)


def _slept(pause_s: float, who: str) -> str:
    time.sleep(pause_s)
    return who


def _event_clear(run: Run) -> None:
    if not run.closed:
        run["event"].clear()


THREAD: Mapping[str, ThreadStep] = {
    "sleep": lambda _run, _who, pause_s, _other_s, _other: time.sleep(pause_s),
    "lock": _holding("lock"),
    "try lock": _trying("lock"),
    "rlock": _holding("rlock"),
    "slots": _holding("slots"),
    "place": _trying("place"),
    "event set": lambda run, *_: run["event"].set(),
    "event clear": lambda run, *_: _event_clear(run),
    "event wait": lambda run, _who, pause_s, *_: run["event"].wait(pause_s),
    "event wait for ever": lambda run, *_: run["event"].wait(),
    "condition": _holding("condition"),
    "notify": _notify,
    "condition wait": _condition_wait,
    "barrier": _barrier,
    "put": _putting("queue"),
    "get": _getting("queue"),
    "put lifo": _putting("lifo"),
    "get lifo": _getting("lifo"),
    "get lifo for ever": lambda run, *_: run["lifo"].get(),
    "put priority": _putting("priority"),
    "get priority": _getting("priority"),
    "put simple": _putting("simple"),
    "get simple": _getting("simple"),
    "get simple for ever": lambda run, *_: run["simple"].get(),
    "future set": _future_set,
    "future result": lambda run, _who, pause_s, *_: run["future"].result(timeout=pause_s),
    "future result for ever": lambda run, *_: run["future"].result(),
    "pool": _in_pool("pool"),
    "idle pool": _in_pool("idle pool"),
    "pool map": _pool_map,
    "pool later": _pool_later,
    "later result": _later_result,
    "wait first": _wait_first,
    "own pool": _own_pool,
    "timer": _timer,
    "spawn": _spawn,
    "join": _join,
    "own loop": _own_loop,
    "to loop": _to_loop,
    "wake loop": _wake_loop,
}


# ---- what tasks do --------------------------------------------------------------------------


def _sync(step: ThreadStep) -> TaskStep:
    async def call(run: Run, who: str, pause_s: float, other_s: float, other: int) -> object:
        await run.give_way()
        return step(run, who, pause_s, other_s, other)

    return call


def _in_thread(step: ThreadStep) -> TaskStep:
    async def call(run: Run, who: str, pause_s: float, other_s: float, other: int) -> object:
        return await asyncio.to_thread(step, run, who, pause_s, other_s, other)

    return call


def _async_holding(part: str) -> TaskStep:
    async def hold(run: Run, _who: str, pause_s: float, _other_s: float, _other: int) -> object:
        async with run[part]:
            await asyncio.sleep(pause_s)
        return None

    return hold


async def _async_sleep(_run: Run, _who: str, pause_s: float, *_: object) -> None:
    await asyncio.sleep(pause_s)


async def _async_event_set(run: Run, *_: object) -> None:
    run["async event"].set()


async def _async_event_clear(run: Run, *_: object) -> None:
    if not run.closed:
        run["async event"].clear()


async def _async_event_wait(run: Run, _who: str, pause_s: float, *_: object) -> object:
    return await asyncio.wait_for(run["async event"].wait(), pause_s)


async def _async_event_wait_for_ever(run: Run, *_: object) -> object:
    return await run["async event"].wait()


async def _async_notify(run: Run, _who: str, _pause: float, _other_s: float, other: int) -> None:
    async with run["async condition"]:
        run["async condition"].notify(other)


async def _async_condition_wait(
    run: Run, _who: str, pause_s: float, other_s: float, _other: int
) -> object:
    async with run["async condition"]:
        async with asyncio.timeout(pause_s):
            await run["async condition"].wait()
        await asyncio.sleep(other_s)
    return None


async def _async_put(run: Run, who: str, pause_s: float, *_: object) -> object:
    return await asyncio.wait_for(run["async queue"].put(who), pause_s)


async def _async_get(run: Run, _who: str, pause_s: float, *_: object) -> object:
    async with asyncio.timeout(pause_s):
        return await run["async queue"].get()


def _async_in_pool(part: str) -> TaskStep:
    async def submit(run: Run, who: str, pause_s: float, *_: object) -> object:
        return await asyncio.get_running_loop().run_in_executor(run[part], _slept, pause_s, who)

    return submit


async def _async_timeout(_run: Run, _who: str, pause_s: float, other_s: float, _other: int) -> None:
    async with asyncio.timeout(pause_s):
        await asyncio.sleep(other_s)


async def _wait_for(run: Run, who: str, pause_s: float, other_s: float, _other: int) -> object:
    # Not for as long: what is due at the same time is chance, on uvloop also after a blocked loop.
    is_as_long = abs(pause_s - other_s) < run.unit_s / 2
    waits_s = pause_s + run.unit_s * is_as_long
    return await asyncio.wait_for(asyncio.to_thread(_slept, other_s, who), waits_s)


async def _call_later(run: Run, _who: str, pause_s: float, *_: object) -> None:
    asyncio.get_running_loop().call_later(pause_s, run["async event"].set)


async def _cancel(run: Run, who: str, _pause_s: float, _other_s: float, other: int) -> object:
    others = [task for name, task in run.tasks.items() if name != who]
    return others[other % len(others)].cancel() if others else None


async def _gather(_run: Run, who: str, pause_s: float, other_s: float, _other: int) -> object:
    return await asyncio.gather(
        asyncio.sleep(pause_s, "a"), asyncio.sleep(other_s, "b"), asyncio.to_thread(str, who)
    )


async def _as_completed(_run: Run, who: str, pause_s: float, other_s: float, _: int) -> object:
    waits = [asyncio.sleep(pause_s, "a"), asyncio.to_thread(_slept, other_s, who)]
    return [await done for done in asyncio.as_completed(waits)]


TASK: Mapping[str, TaskStep] = {
    "sleep": _async_sleep,
    "lock": _async_holding("async lock"),
    "slots": _async_holding("async slots"),
    "event set": _async_event_set,
    "event clear": _async_event_clear,
    "event wait": _async_event_wait,
    "event wait for ever": _async_event_wait_for_ever,
    "condition": _async_holding("async condition"),
    "notify": _async_notify,
    "condition wait": _async_condition_wait,
    "put": _async_put,
    "get": _async_get,
    "thread": _in_thread(THREAD["sleep"]),
    "pool": _async_in_pool("pool"),
    "idle pool": _async_in_pool("idle pool"),
    "timeout": _async_timeout,
    "wait for": _wait_for,
    "call later": _call_later,
    "block": _sync(THREAD["sleep"]),
    "thread event set": _sync(THREAD["event set"]),
    "thread event wait": _in_thread(THREAD["event wait"]),
    "cancel": _cancel,
    "gather": _gather,
    "as completed": _as_completed,
    "put simple": _sync(THREAD["put simple"]),
    "get simple": _in_thread(THREAD["get simple"]),
    "future set": _sync(THREAD["future set"]),
    "future result": _in_thread(THREAD["future result"]),
    "take thread lock": _in_thread(THREAD["lock"]),
}


# ---- comparing ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Other:
    """Another run of a program, to be compared.

    Attributes:
        log: What happened.
        was_disturbed: Whether a thread that slept was woken so late that a few of that make a unit.
    """

    log: list[Ending]
    was_disturbed: bool = False


def really(program: Program, unit_s: float = UNITS_S[0]) -> Other:
    """Run a program in plain Python, with real waits, beside a thread that measures them."""
    ended, latest_s = threading.Event(), 0.0

    def measure() -> None:
        nonlocal latest_s
        while not ended.is_set():
            before_s = time.monotonic()
            time.sleep(_MEASURED * unit_s)
            latest_s = max(latest_s, time.monotonic() - before_s - _MEASURED * unit_s)

    measuring = threading.Thread(target=measure)
    measuring.start()
    try:
        log = Run(program, unit_s, None).run()
    finally:
        ended.set()
        measuring.join()
    return Other(log, was_disturbed=latest_s > _LATE * unit_s)


def on_clock(
    program: Program, mode: ClockMode, unit_s: float = 1.0, jitter: int | None = None
) -> list[Ending]:
    """Run a program on a clock that skips."""
    run = Run(program, unit_s, jitter)
    clock = create_clock(mode)
    assert isinstance(clock, SkippingClock)
    clock.tolerate_those_alive()
    with keeping_time(clock):
        return run.run()


def virtually(program: Program, jitter: int | None = None) -> list[Ending]:
    """Run a program in virtual time."""
    return on_clock(program, ClockMode.VIRTUAL, jitter=jitter)


def is_steady(program: Program, found: list[Ending]) -> bool:
    """Say whether what happens stays the same if the waits of a program vary a little."""
    return all(virtually(program, jitter) == found for jitter in range(_STEADY_RUNS))


class DisturbedError(Exception):
    """The machine was too busy to tell whether a program does the same."""


def differences(
    found: list[Ending], run: Callable[[float], Other], units_s: Iterable[float] = UNITS_S
) -> list[str]:
    """Return how each of up to three runs, by their units, differs; empty if one does not.

    What is real is what a busy machine disturbs: so the later ones wait longer.

    Raises:
        DisturbedError: All differ, and the machine was busy during the last of them.
    """
    told = []
    for unit_s in units_s:
        other = run(unit_s)
        if other.log == found:
            return []
        ours = [f"virtual {each}" for each in found if each not in other.log]
        theirs = [f"other {each}" for each in other.log if each not in found]
        told.append(f"unit {unit_s} s: " + "; ".join(ours + theirs))
    if other.was_disturbed:
        raise DisturbedError
    return told


class Comparison:
    """Compares programs with reality, and counts them."""

    def __init__(self) -> None:
        self.agree = self.unsteady = self.disturbed = 0
        self.disagreements: list[str] = []

    def compare(self, program: Program) -> None:
        """Compare one that is steady; pass over any other.

        Raises:
            AssertionError: They disagree three times, the last time on a machine that was idle.
        """
        found = virtually(program)
        if not is_steady(program, found):
            self.unsteady += 1
            return
        try:
            told = differences(found, partial(really, program))
        except DisturbedError:
            self.disturbed += 1
            return
        assert not told, f"{program}\n" + "\n".join(told)
        self.agree += 1


def compare_many(number: int, drawn_with: int, *, shrinks: bool) -> Comparison:
    """Compare so many programs with reality, steady or not.

    Args:
        number: How many.
        drawn_with: A seed.
        shrinks: Whether to stop at one that disagrees, and look for the smallest that does.
    """
    comparison = Comparison()

    @seed(drawn_with)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(programs())
    def compare(program: Program) -> None:
        try:
            comparison.compare(program)
        except AssertionError as error:
            if shrinks:
                raise
            comparison.disagreements.append(str(error))

    compare()
    return comparison


if __name__ == "__main__":
    made = compare_many(int(sys.argv[1]), int(sys.argv[2]), shrinks="shrink" in sys.argv)
    sys.stdout.write(
        f"{made.agree} agree, {made.unsteady} are not steady, {made.disturbed} could not be judged "
        f"on this machine, {len(made.disagreements)} disagree\n"
    )
    sys.stdout.write("\n".join(made.disagreements))
    sys.exit(bool(made.disagreements))
