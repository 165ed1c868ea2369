"""A blocking call stops every task on the loop."""

import asyncio
from collections.abc import Mapping

from ..results.lesson import Doing, Lesson, Played, Seen
from .stage import Stage


async def everybody_awaits(stage: Stage) -> None:
    async with asyncio.TaskGroup() as tasks:
        for name in ("first", "second", "third"):
            tasks.create_task(stage.waits(name, 1))


async def one_blocks(stage: Stage) -> None:
    async def blunders() -> None:
        stage.blocks("blunder", 1)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage.waits("first", 0.2))
        tasks.create_task(blunders())
        tasks.create_task(stage.waits("second", 0.2))


def _seen(played: Mapping[str, Played]) -> Seen:
    waits = [each for each in played["one_blocks"].segments if each.doing is Doing.WAITS]
    ends_s = [each.end_ns / 1e9 for each in waits]
    everybody_s = played["everybody_awaits"].took_s
    return Seen(
        everybody_s == 1 and ends_s == [1.0, 1.2],
        {"first_s": ends_s[0], "second_s": ends_s[1]},
    )


LESSON = Lesson(
    name="blocking-call",
    claim="A blocking call stops every task on the loop.",
    why="`time.sleep`, a synchronous HTTP client or a long computation occupies the loop's only "
    "thread. Until it returns, no task resumes and no task starts: await it, or use a thread.",
    acts=(everybody_awaits, one_blocks),
    seen=_seen,
)
