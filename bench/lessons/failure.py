"""When one task fails, ``gather`` leaves the others running; a ``TaskGroup`` cancels them."""

import asyncio
from collections.abc import Mapping

from ..results.lesson import Lesson, Played, Seen
from .stage import Stage


async def gathered(stage: Stage) -> None:
    async def fails() -> None:
        await stage.waits("fails", 0.3)
        raise RuntimeError("no luck")

    try:
        await asyncio.gather(stage.waits("other", 1), fails())
    except RuntimeError:
        stage.says("the error is raised")
        await stage.waits("the caller", 0.7)  # and so does the other


async def grouped(stage: Stage) -> None:
    async def fails() -> None:
        await stage.waits("fails", 0.3)
        raise RuntimeError("no luck")

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stage.waits("other", 1))
            tasks.create_task(fails())
    except* RuntimeError:
        stage.says("the error is raised")


def _seen(played: Mapping[str, Played]) -> Seen:
    ends_s = {
        act: [each.end_ns / 1e9 for each in played[act].segments if each.lane == "other"]
        for act in ("gathered", "grouped")
    }
    return Seen(
        ends_s == {"gathered": [1.0], "grouped": [0.3]},
        {"gathered_s": ends_s["gathered"][0], "grouped_s": ends_s["grouped"][0]},
    )


LESSON = Lesson(
    name="failure",
    claim="When one task fails, `gather` leaves the others running; a `TaskGroup` cancels them.",
    why="Tasks that are no longer awaited still spend tokens and occupy connections. A group "
    "cancels its tasks and awaits them: after the block none is running. `gather` suits "
    "independent results, with `return_exceptions=True`.",
    acts=(gathered, grouped),
    seen=_seen,
)
