"""An executor keeps blocking calls off the loop; its thread count is a limit."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ..results.lesson import Lesson, Played, Seen
from .stage import Stage

CALLS = 6


async def two_threads(stage: Stage) -> None:
    with ThreadPoolExecutor(2) as pool:
        await _calls(stage, pool)


async def six_threads(stage: Stage) -> None:
    with ThreadPoolExecutor(CALLS) as pool:
        await _calls(stage, pool)


async def _calls(stage: Stage, pool: ThreadPoolExecutor) -> None:
    loop = asyncio.get_running_loop()
    calls = (loop.run_in_executor(pool, stage.blocks, f"call {n}", 1) for n in range(CALLS))
    await asyncio.gather(stage.waits("the loop", 0.5), *calls)


def _seen(played: Mapping[str, Played]) -> Seen:
    two, six = played["two_threads"], played["six_threads"]
    loop_ends_ns = {
        each.end_ns for one in (two, six) for each in one.segments if each.lane == "the loop"
    }
    return Seen(
        (two.took_s, six.took_s, loop_ends_ns) == (3, 1, {500_000_000}),
        {"calls": CALLS, "with_two_s": two.took_s, "with_six_s": six.took_s},
    )


LESSON = Lesson(
    name="executors",
    claim="An executor keeps blocking calls off the loop; its thread count is a limit.",
    why="`run_in_executor` and `to_thread` queue a call for a pool of threads. Python's default "
    "pool has `min(32, cores + 4)` threads: on two cores the seventh blocking call waits.",
    acts=(two_threads, six_threads),
    seen=_seen,
)
