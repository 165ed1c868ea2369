"""An eager task starts immediately, and needs the loop only if it waits."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from ..results.lesson import Lesson, Played, Seen
from .stage import Stage


async def _tries(stage: Stage) -> None:
    async def from_cache() -> str:
        stage.says("the task runs")
        return "known"

    task = asyncio.create_task(from_cache())
    stage.says("done" if task.done() else "not started")
    await task


async def scheduled(stage: Stage) -> None:
    await _tries(stage)


async def eager(stage: Stage) -> None:
    await _tries(stage)


def _seen(played: Mapping[str, Played]) -> Seen:
    scheduled, eager = played["scheduled"].words, played["eager"].words
    return Seen(
        scheduled == ("not started", "the task runs") and eager == ("the task runs", "done"),
        {"scheduled": scheduled[0], "eager": eager[1]},
    )


LESSON = Lesson(
    name="eager-tasks",
    claim="An eager task starts immediately, and needs the loop only if it waits.",
    why="`create_task` queues a task, even one that finds its answer in a cache. "
    "`asyncio.eager_task_factory` (Python 3.12) runs the task up to its first wait before "
    "`create_task` returns. That saves a loop iteration and changes the order of execution.",
    acts=(scheduled, eager),
    seen=_seen,
    loops=MappingProxyType({"eager": "eager"}),
)
