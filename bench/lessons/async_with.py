"""``async with`` awaits its exit."""

import asyncio
from collections.abc import Mapping

from ..results.lesson import Lesson, Played, Seen
from .stage import Stage


async def group(stage: Stage) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage.waits("task", 1))
        stage.says("end of the body")
    stage.says("after the block")


async def bare_task(stage: Stage) -> None:
    task = asyncio.create_task(stage.waits("task", 1))
    stage.says("end of the body")
    stage.says("the code goes on")
    await task


def _seen(played: Mapping[str, Played]) -> Seen:
    (over_ns, _), (left_ns, _) = played["group"].said
    (_, _), (on_ns, _) = played["bare_task"].said
    return Seen(
        (over_ns, left_ns, on_ns) == (0, 1_000_000_000, 0),
        {"body_s": over_ns / 1e9, "block_s": left_ns / 1e9},
    )


LESSON = Lesson(
    name="async-with",
    claim="`async with` awaits its exit.",
    why="Leaving the block may wait: a `TaskGroup` waits for its tasks, a client closes its "
    "connections. Code after the block can rely on that; code after a bare `create_task` cannot.",
    acts=(group, bare_task),
    seen=_seen,
)
