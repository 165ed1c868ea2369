"""Runs a program: its threads, and its tasks on the main thread's event loop."""

import asyncio
import queue
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any

from warpbench.mocks.clock import ClockMode, SkippingClock, create_clock, keeping_time

from .program import LOOPS, Ending, Program, Step
from .run import Run
from .task_steps import TASK
from .thread_steps import THREAD

CLOSES_AFTER = 30
"""Units after which whatever is waited for without a limit comes."""

_ENDINGS = (TimeoutError, queue.Empty, queue.Full, threading.BrokenBarrierError)


def complete(run: Run) -> list[Ending]:
    """Run a program to its end, and return what happened, by actor and step."""
    run.begin()
    closer = threading.Timer(CLOSES_AFTER * run.unit_s, run.close)
    closer.start()
    with asyncio.Runner(loop_factory=LOOPS[run.program.loop]) as runner:
        runner.run(_main(run))
    closer.cancel()
    run.close()
    for thread in run.spawned:
        thread.join()
    closer.join()
    for pool in ("pool", "idle pool"):
        run[pool].shutdown()
    return sorted(run.log)


def on_clock(
    program: Program, mode: ClockMode, unit_s: float = 1.0, jitter: int | None = None
) -> list[Ending]:
    """Run a program on a clock that skips."""
    run = Run(program, unit_s, jitter)
    clock = create_clock(mode)
    assert isinstance(clock, SkippingClock)
    clock.tolerate_those_alive()
    with keeping_time(clock):
        return complete(run)


def virtually(program: Program, jitter: int | None = None) -> list[Ending]:
    """Run a program in virtual time."""
    return on_clock(program, ClockMode.VIRTUAL, jitter=jitter)


async def _main(run: Run) -> None:
    run.loop = asyncio.get_running_loop()
    threads = [
        threading.Thread(target=_thread, args=(run, f"thread {number}", number, steps))
        for number, steps in enumerate(run.program.threads)
    ]
    for thread in threads:
        thread.start()
    count = len(threads)
    for number, steps in enumerate(run.program.tasks):
        name = f"task {number}"
        run.tasks[name] = asyncio.create_task(_task(run, name, count + number, steps))
    if run.tasks:
        await asyncio.wait(run.tasks.values())
    for thread in threads:
        await asyncio.to_thread(thread.join)


def _thread(run: Run, who: str, begins_after: int, steps: tuple[Step, ...]) -> None:
    pause_s, delay_s = run.pauses(who), run.delay_s(who)
    time.sleep(pause_s(begins_after))
    for number, (what, units, other) in enumerate(steps):
        try:
            if delay_s > 0:
                time.sleep(delay_s)
            how = THREAD[what](run, who, pause_s(units), pause_s(other), other)
        except _ENDINGS as error:
            how = type(error).__name__
        run.note(who, number, what, how)


async def _task(run: Run, who: str, begins_after: int, steps: tuple[Step, ...]) -> None:
    pause_s, delay_s = run.pauses(who), run.delay_s(who)
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
            if delay_s > 0:
                await asyncio.sleep(delay_s)
            how = await TASK[what](run, who, pause_s(units), pause_s(other), other)
        except StopIteration:
            return
        except _ENDINGS as error:
            how = type(error).__name__
        except asyncio.CancelledError:
            how = "cancelled"
        run.note(who, number, what, how)
