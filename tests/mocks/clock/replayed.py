"""Small concurrent programs made from numbers, and the log of what happens in them.

Run as a script it prints the digests of a few, for comparing processes.
"""

import asyncio
import hashlib
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from warpbench.mocks.clock import ClockMode, SkippingClock, create_clock, keeping_time
from warpbench.mocks.clock.loops.asyncio_loop import SkippingEventLoop
from warpbench.mocks.clock.loops.uvloop_loop import SkippingUvloop

Step = tuple[str, int]
"""What to do, and a small number that says how long or with whom."""

Log = list[tuple[int, str, str]]
"""When, who, what."""

TENTH_NS = 100_000_000

TASK_STEPS = (
    "sleep", "loop sleep", "yield", "thread", "pool", "nested", "put", "get", "semaphore",
    "set", "wait", "timeout", "cancel", "group", "as completed", "thread queue",
)  # fmt: skip
THREAD_STEPS = ("sleep", "put", "get", "semaphore", "set", "wait", "pool", "spawn", "wake")


class Program:
    """Tasks and threads that meet in queues, semaphores, events and pools."""

    def __init__(self, clock: SkippingClock) -> None:
        self.clock = clock
        self.log: Log = []
        self.pool = ThreadPoolExecutor(3)
        self.items: queue.Queue[str] = queue.Queue()
        self.slots = threading.Semaphore(2)
        self.flag = threading.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def note(self, who: str, what: str) -> None:
        self.log.append((self.clock.now_ns(), who, what))

    async def main(
        self, tasks: Sequence[Sequence[Step]], threads: Sequence[Sequence[Step]]
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.async_items: asyncio.Queue[str] = asyncio.Queue()
        self.async_slots = asyncio.Semaphore(2)
        self.async_flag = asyncio.Event()
        started = [
            threading.Thread(target=self.thread, args=(f"thread {number}", steps))
            for number, steps in enumerate(threads)
        ]
        for thread in started:
            thread.start()
        self.tasks = [
            asyncio.create_task(self.task(f"task {number}", steps))
            for number, steps in enumerate(tasks)
        ]
        await asyncio.wait(self.tasks)
        for thread in started:
            await asyncio.to_thread(thread.join)
        await asyncio.to_thread(self.pool.shutdown)

    # ---- tasks --------------------------------------------------------------------------

    async def task(self, who: str, steps: Sequence[Step]) -> None:
        for what, number in steps:
            try:
                result = await self.task_step(who, what, number)
            except (TimeoutError, queue.Empty) as error:
                result = type(error).__name__
            except asyncio.CancelledError:
                self.note(who, f"{what} cancelled")
                await self.clock.sleep_until_ns(self.clock.now_ns() + number)
                self.note(who, "cleaned up")
                raise
            self.note(who, f"{what} {result}")

    async def task_step(  # noqa: C901, PLR0911, PLR0912 - a table
        self, who: str, what: str, number: int
    ) -> object:
        pause_s = number / 10
        match what:
            case "sleep":
                return await self.clock.sleep_until_ns(self.clock.now_ns() + number * TENTH_NS)
            case "loop sleep":
                return await asyncio.sleep(pause_s)
            case "yield":
                for _ in range(number):
                    await asyncio.sleep(0)
            case "thread":
                return await asyncio.to_thread(self.pause, who, pause_s)
            case "pool":
                return await self.loop.run_in_executor(self.pool, self.pause, who, pause_s)
            case "nested":
                return await asyncio.to_thread(self.on_a_loop_of_its_own, who, pause_s)
            case "put":
                await self.async_items.put(who)
            case "get":
                async with asyncio.timeout(pause_s):
                    return await self.async_items.get()
            case "semaphore":
                async with self.async_slots:
                    await asyncio.sleep(pause_s)
            case "set":
                self.async_flag.set()
            case "wait":
                await asyncio.wait_for(self.async_flag.wait(), pause_s)
                self.async_flag.clear()
            case "timeout":
                async with asyncio.timeout(pause_s):
                    await asyncio.sleep(0.35)
            case "cancel":
                # An eager task runs while the list of tasks is still being made.
                if self.tasks:
                    self.tasks[number % len(self.tasks)].cancel()
            case "group":
                return await self.failing_group(who, number)
            case "as completed":
                pauses = [self.nested(f"{who}.{i}", i % 3 / 10) for i in range(number)]
                return [await done for done in asyncio.as_completed(pauses)]
            case "thread queue":
                return await asyncio.to_thread(self.items.get, timeout=pause_s)
        return None

    def on_a_loop_of_its_own(self, who: str, pause_s: float) -> str:
        return asyncio.run(self.nested(who, pause_s))

    async def nested(self, who: str, pause_s: float) -> str:
        self.note(who, "nested")
        await asyncio.sleep(pause_s)
        self.note(who, "nested over")
        return who

    async def failing_group(self, who: str, number: int) -> str:
        async def child(name: str) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                self.note(name, "leaves")

        async def fail() -> None:
            await asyncio.sleep(number / 10)
            raise LookupError

        try:
            async with asyncio.TaskGroup() as group:
                for i in range(20 * number):
                    group.create_task(child(f"{who}.{i}"))
                group.create_task(fail())
        except* LookupError:
            pass
        return "failed"

    # ---- threads ------------------------------------------------------------------------

    def thread(self, who: str, steps: Sequence[Step]) -> None:
        for what, number in steps:
            try:
                result = self.thread_step(who, what, number)
            except (TimeoutError, queue.Empty) as error:
                result = type(error).__name__
            self.note(who, f"{what} {result}")

    def thread_step(self, who: str, what: str, number: int) -> object:  # noqa: C901 - a table
        pause_s = number / 10
        match what:
            case "sleep":
                time.sleep(pause_s)
            case "put":
                self.items.put(who)
            case "get":
                return self.items.get(timeout=pause_s)
            case "semaphore":
                with self.slots:
                    time.sleep(pause_s)
            case "set":
                self.flag.set()
            case "wait":
                return self.flag.wait(pause_s)
            case "pool":
                return self.through_pool(who, pause_s)
            case "spawn":
                names = [f"{who}.{i}" for i in range(number)]
                threads = [threading.Thread(target=self.pause, args=(n, 0.1)) for n in names]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(pause_s)
            case "wake":
                self.loop.call_soon_threadsafe(self.async_flag.set)
        return None

    def through_pool(self, who: str, pause_s: float) -> list[str]:
        with ThreadPoolExecutor(2) as pool:
            futures: list[Future[str]] = [
                pool.submit(self.pause, f"{who}.{i}", pause_s * (i % 2)) for i in range(6)
            ]
            first = [future.result() for future in as_completed(futures)]
            return [*first, futures[0].result(timeout=1)]

    def pause(self, who: str, pause_s: float) -> str:
        self.note(who, "pauses")
        time.sleep(pause_s)
        self.note(who, "goes on")
        return who


def log_of(
    tasks: Sequence[Sequence[Step]],
    threads: Sequence[Sequence[Step]],
    new_loop: Callable[[SkippingClock], asyncio.AbstractEventLoop],
) -> Log:
    """Run a program in virtual time, and return what happened in it."""
    clock = create_clock(ClockMode.VIRTUAL)
    assert isinstance(clock, SkippingClock)
    with keeping_time(clock):
        program = Program(clock)
        with asyncio.Runner(loop_factory=lambda: new_loop(clock)) as runner:
            runner.run(program.main(tasks, threads))
    return program.log


def drawn_program(seed: int) -> tuple[list[list[Step]], list[list[Step]]]:
    """Return a program with every kind of step, in an order drawn with ``seed``."""
    draw = random.Random(seed)

    def steps(kinds: Sequence[str]) -> list[Step]:
        shuffled = [*kinds, *kinds]
        draw.shuffle(shuffled)
        return [(kind, draw.randrange(5)) for kind in shuffled if kind != "cancel"]

    tasks = [steps(TASK_STEPS) for _ in range(4)]
    tasks.append([("loop sleep", 4), ("cancel", 0), ("loop sleep", 2), ("cancel", 1)])
    return tasks, [steps(THREAD_STEPS) for _ in range(3)]


if __name__ == "__main__":
    sys.setswitchinterval(float(sys.argv[1]))
    for loop_class in (SkippingEventLoop, SkippingUvloop):
        for seed in range(4):
            log = log_of(*drawn_program(seed), loop_class)
            digest = hashlib.sha256(repr(log).encode()).hexdigest()
            sys.stdout.write(f"{loop_class.__name__} {seed} {len(log)} {digest}\n")
