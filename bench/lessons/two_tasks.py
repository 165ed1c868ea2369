"""Two tasks that wait one second each take one second together."""

import asyncio
from collections.abc import Mapping

from ..results.lesson import Lesson, Played, Seen
from .stage import Stage


async def in_turn(stage: Stage) -> None:
    await stage.waits("first", 1)
    await stage.waits("second", 1)


async def side_by_side(stage: Stage) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage.waits("first", 1))
        tasks.create_task(stage.waits("second", 1))


def _seen(played: Mapping[str, Played]) -> Seen:
    in_turn, side_by_side = played["in_turn"].took_s, played["side_by_side"].took_s
    return Seen(
        in_turn == 2 and side_by_side == 1,  # noqa: PLR2004 - the claim
        {"in_turn_s": in_turn, "side_by_side_s": side_by_side},
    )


LESSON = Lesson(
    name="two-tasks",
    claim="Two tasks that wait one second each take one second together.",
    why="`await` waits for one thing. Tasks wait at the same time: the loop sleeps until the first "
    "can resume. An agent waits nearly all the time, so this is what it gains from asyncio.",
    acts=(in_turn, side_by_side),
    seen=_seen,
)
