"""What tasks do."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from .run import Run
from .thread_steps import THREAD, ThreadStep, slept

TaskStep = Callable[[Run, str, float, float, int], Coroutine[Any, Any, object]]
"""Takes the same as a ``ThreadStep``."""


def _sync(step: ThreadStep) -> TaskStep:
    async def call(run: Run, who: str, pause_s: float, other_s: float, other: int) -> object:
        await run.give_way()
        return step(run, who, pause_s, other_s, other)

    return call


async def _block(run: Run, who: str, pause_s: float, *_: object) -> None:
    await run.give_way()
    time.sleep(pause_s)  # noqa: ASYNC251 - that is the step
    # libuv takes the time from before for how long to poll, and timers come that much too late
    # (docs/clock.md), unless an iteration follows in which there is something to run.
    asyncio.get_running_loop().call_soon(str, who)


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
        return await asyncio.get_running_loop().run_in_executor(run[part], slept, pause_s, who)

    return submit


async def _async_timeout(_run: Run, _who: str, pause_s: float, other_s: float, _other: int) -> None:
    async with asyncio.timeout(pause_s):
        await asyncio.sleep(other_s)


async def _wait_for(run: Run, who: str, pause_s: float, other_s: float, _other: int) -> object:
    # Not for as long: what is due at the same time is chance, on uvloop also after a blocked loop.
    is_as_long = abs(pause_s - other_s) < run.unit_s / 2
    waits_s = pause_s + run.unit_s * is_as_long
    return await asyncio.wait_for(asyncio.to_thread(slept, other_s, who), waits_s)


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
    waits = [asyncio.sleep(pause_s, "a"), asyncio.to_thread(slept, other_s, who)]
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
    "block": _block,
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
